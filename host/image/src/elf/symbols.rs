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
    use object::write;
    use proptest::prelude::*;

    use super::*;

    /// A file with these functions: address, size, name.
    fn file(functions: &[(u64, u64, &str)]) -> Vec<u8> {
        let mut file = write::Object::new(
            object::BinaryFormat::Elf,
            object::Architecture::X86_64,
            object::Endianness::Little,
        );
        for &(value, size, name) in functions {
            file.add_symbol(write::Symbol {
                name: name.into(),
                value,
                size,
                kind: object::SymbolKind::Text,
                scope: object::SymbolScope::Linkage,
                weak: false,
                section: write::SymbolSection::Absolute,
                flags: object::SymbolFlags::None,
            });
        }
        file.write().unwrap()
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
