//! The kernel's functions, for its symbol table.
//!
//! Names are demangled here, so that the kernel need not: without hashes, which
//! say nothing to people, and cut where generic parameters make them endless.

use abi_boot::{MAX_REGION_SIZE, SymbolEntry, SymbolsHeader, VIRTUAL_BASE};
use object::LittleEndian as Le;
use object::elf::{FileHeader64, SHT_SYMTAB, STT_FUNC};
use object::read::elf::{FileHeader, Sym};
use zerocopy::IntoBytes;

/// Most bytes of a name that are kept.
const MAX_NAME: usize = 120;

/// A function of the kernel.
struct Function {
    /// Counted from [`VIRTUAL_BASE`].
    start: u32,
    size: u32,
    name: String,
}

/// The symbol table of a kernel (`abi_boot`): the functions that its ELF file
/// lists and that `executes` says lie in executable segments. Empty if the file
/// lists none.
///
/// # Errors
///
/// The file's list cannot be read.
pub(super) fn table(
    header: &FileHeader64<Le>,
    file: &[u8],
    executes: impl Fn(u64) -> bool,
) -> object::Result<Vec<u8>> {
    let symbols = header.sections(Le, file)?.symbols(Le, file, SHT_SYMTAB)?;
    let mut functions = Vec::new();
    for symbol in symbols.iter().filter(|symbol| symbol.st_type() == STT_FUNC) {
        let name = symbols.symbol_name(Le, symbol)?;
        if executes(symbol.st_value(Le)) {
            functions.extend(function(symbol.st_value(Le), symbol.st_size(Le), name));
        }
    }
    Ok(encode(functions))
}

/// `None` for what has no size, as labels in assembly, or lies in no region.
fn function(address: u64, size: u64, name: &[u8]) -> Option<Function> {
    let start = u32::try_from(address.checked_sub(VIRTUAL_BASE)?).ok()?;
    let size = u32::try_from(size).ok().filter(|size| *size != 0)?;
    let end = u64::from(start.checked_add(size)?);
    if end > MAX_REGION_SIZE {
        return None;
    }
    let mangled = String::from_utf8_lossy(name);
    let mut name = format!("{:#}", rustc_demangle::demangle(&mangled));
    name.truncate(name.floor_char_boundary(MAX_NAME));
    Some(Function { start, size, name })
}

/// Sorts and writes. Of functions that overlap, as identical ones do that were
/// folded into one, the first by address, then by name, is kept.
fn encode(mut functions: Vec<Function>) -> Vec<u8> {
    functions.sort_by(|one, other| (one.start, &one.name).cmp(&(other.start, &other.name)));
    let mut free_from = 0;
    functions.retain(|function| {
        let is_free = function.start >= free_from;
        if is_free {
            free_from = function.start + function.size;
        }
        is_free
    });
    if functions.is_empty() {
        return Vec::new();
    }
    let mut entries = Vec::new();
    let mut names = String::new();
    for Function { start, size, name } in functions {
        // Files have at most some megabytes, and so have all names.
        let place = names.len() as u32;
        entries.push(SymbolEntry { start, size, name: place });
        names.push_str(&name);
    }
    let header = SymbolsHeader::new(entries.len() as u32, names.len() as u32);
    [header.as_bytes(), entries.as_bytes(), names.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use abi_boot::Symbols;
    use proptest::prelude::*;

    use super::*;

    /// A file with these functions: address, size, name.
    fn file(functions: &[(u64, u64, &str)]) -> Vec<u8> {
        // The first symbol and the first name of all tables are empty.
        let (mut symbols, mut names) = (vec![0; 24], vec![0]);
        for (address, size, name) in functions {
            symbols.extend((names.len() as u32).to_le_bytes());
            // A global function in an absolute section.
            symbols.extend([0x12, 0, 0xf1, 0xff]);
            symbols.extend([address.to_le_bytes(), size.to_le_bytes()].concat());
            names.extend([name.as_bytes(), &[0]].concat());
        }
        let sections_at = 64 + symbols.len() + names.len();
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(16, 0);
        file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
        for word in [0, 0, sections_at as u64] {
            file.extend(word.to_le_bytes());
        }
        for half in [0_u16, 0, 64, 56, 0, 64, 3, 2] {
            file.extend(half.to_le_bytes());
        }
        assert_eq!(file.len(), 64);
        file.extend(&symbols);
        file.extend(&names);
        // Kind, offset, size, section of the names, size of an entry.
        let names_at = (64 + symbols.len()) as u64;
        for (kind, offset, size, link, entry_size) in [
            (0, 0, 0, 0, 0),
            (2, 64, symbols.len() as u64, 2, 24),
            (3, names_at, names.len() as u64, 0, 0),
        ] {
            file.extend([0, kind].map(u32::to_le_bytes).concat());
            file.extend([0, 0, offset, size].map(u64::to_le_bytes).concat());
            file.extend([link, 0].map(u32::to_le_bytes).concat());
            file.extend([1, entry_size].map(u64::to_le_bytes).concat());
        }
        file
    }

    #[test]
    fn malformed_lists_are_refused() {
        let good = file(&[(VIRTUAL_BASE, 4, "name")]);
        // The section that has the names, and the size of all names.
        let (link, names_size) = (good.len() - 64 - 24, good.len() - 32);
        for (place, byte) in [(link, 9), (names_size, 0)] {
            let mut bad = good.clone();
            bad[place] = byte;
            let header = FileHeader64::<Le>::parse(&*bad).unwrap();
            assert!(table(header, &bad, |_| true).is_err(), "{place}");
        }
        let header = FileHeader64::<Le>::parse(&*good).unwrap();
        assert!(table(header, &good, |_| true).is_ok());
        assert!(table(header, &good[..good.len() - 1], |_| true).is_err());
    }

    fn table_of(functions: &[(u64, u64, &str)]) -> Vec<u8> {
        let file = file(functions);
        let header = FileHeader64::<Le>::parse(&*file).unwrap();
        table(header, &file, |address| address < VIRTUAL_BASE + 0x10_0000).unwrap()
    }

    #[test]
    fn functions_are_sorted_and_readable() {
        let long = "x".repeat(MAX_NAME + 1);
        let table = table_of(&[
            (VIRTUAL_BASE + 0x300, 0x10, &long),
            (VIRTUAL_BASE + 0x100, 0x20, "_ZN4core9panicking9panic_fmt17h0123456789abcdefE"),
            (VIRTUAL_BASE + 0x100, 0x20, "folded"),
            (VIRTUAL_BASE + 0x110, 8, "inside"),
            (VIRTUAL_BASE + 0x200, 0, "label"),
            (VIRTUAL_BASE + 0x20_0000, 8, "elsewhere"),
            (VIRTUAL_BASE - 8, 4, "below"),
            (VIRTUAL_BASE + 0xff, u64::from(u32::MAX), "endless"),
            (VIRTUAL_BASE + 0xff, MAX_REGION_SIZE, "too long"),
            (0x1000, 4, "absolute"),
        ]);
        let symbols = Symbols::parse(&table).unwrap();
        let found: Vec<_> = symbols.iter().collect();
        assert_eq!(
            found,
            [
                (VIRTUAL_BASE + 0x100, 0x20, "core::panicking::panic_fmt"),
                (VIRTUAL_BASE + 0x300, 0x10, &long[..MAX_NAME]),
            ]
        );
        assert!(table_of(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn whatever_functions_there_are_the_table_can_be_read(
            functions in prop::collection::vec((0..0x1000_u32, 0..0x40_u32, "[a-zä]{0,9}"), 0..40),
        ) {
            let all = functions.iter().filter_map(|(start, size, name)| {
                function(VIRTUAL_BASE + u64::from(*start), (*size).into(), name.as_bytes())
            });
            let table = encode(all.collect());
            if table.is_empty() {
                prop_assert!(functions.iter().all(|(_, size, _)| *size == 0));
            } else {
                let symbols = Symbols::parse(&table).unwrap();
                for (address, size, name) in symbols.iter() {
                    let known = (u32::try_from(address - VIRTUAL_BASE).unwrap(), size, name.to_owned());
                    prop_assert!(functions.contains(&known));
                }
            }
        }
    }
}
