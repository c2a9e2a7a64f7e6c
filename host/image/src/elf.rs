//! Reading the kernel's and the services' ELF files.
//!
//! The builder understands exactly what the boot contract allows (`abi_boot`):
//! statically linked x86-64 executables, page-aligned segments, never writable
//! and executable at once. Everything else is refused here, so that the layout
//! need not doubt its input.
//!
//! Specification: System V ABI, chapters 4 and 5, and its AMD64 supplement.

use abi_boot::{Access, NOTE_OWNER, NOTE_PVH_ENTRY, PAGE_SIZE, VIRTUAL_BASE};
use object::LittleEndian as Le;
use object::elf::{
    ELFCLASS64, ELFDATA2LSB, ELFMAG, EM_X86_64, ET_DYN, ET_EXEC, FileHeader64, Machine, PF_R, PF_W,
    PF_X, PT_DYNAMIC, PT_INTERP, PT_LOAD, ProgramHeader64,
};
use object::read::elf::{FileHeader, ProgramHeader};

mod symbols;

/// Most loadable segments that a kernel may have. Linkers make four.
const MAX_SEGMENTS: usize = 16;

/// A kernel that keeps the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelElf {
    /// Virtual address of the first instruction in 64-bit mode; lies in an
    /// executable segment.
    pub entry: u64,
    /// Virtual address of the 32-bit PVH entry, if the file names one; lies in
    /// an executable segment.
    pub pvh_entry: Option<u64>,
    /// What to load, sorted by address, each in pages of its own.
    pub segments: Vec<Segment>,
    /// Names of its functions, as a symbol table of the boot contract
    /// (`abi_boot`); empty if the file names none.
    pub symbols: Vec<u8>,
}

/// A loadable segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Virtual address, page-aligned, at least one page above [`VIRTUAL_BASE`].
    pub address: u64,
    /// Bytes in memory, a multiple of the page size, not 0.
    pub memory_size: u64,
    /// How it is to be mapped; always readable.
    pub access: Access,
    /// What it starts with; the rest of `memory_size` is zero.
    pub content: Vec<u8>,
}

impl Segment {
    /// A short name for people: what linkers call the section that usually
    /// makes up a segment with this access.
    #[must_use]
    pub fn name(&self) -> &'static str {
        if self.access.contains(Access::EXECUTE) {
            "text"
        } else if self.access.contains(Access::WRITE) {
            "data"
        } else {
            "rodata"
        }
    }

    /// First virtual address behind it. Cannot overflow: checked on reading.
    fn end(&self) -> u64 {
        self.address + self.memory_size
    }

    fn executes(&self, address: u64) -> bool {
        self.access.contains(Access::EXECUTE) && (self.address..self.end()).contains(&address)
    }
}

/// Why an ELF file is refused. Segments are counted from 0 over all program
/// headers, as `readelf -l` lists them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not start like an ELF file.
    #[error("it is not an ELF file")]
    NotElf,
    /// Not 64-bit, little-endian, version 1.
    #[error("it is not a 64-bit little-endian ELF file")]
    Class,
    /// For another processor.
    #[error("e_machine is {0}, expected 62 (x86-64)")]
    Machine(u16),
    /// Not an executable.
    #[error("e_type is {0}, expected {1}: link it as a static executable")]
    Type(u16, &'static str),
    /// The program headers or a note cannot be read.
    #[error("it is truncated or malformed: {0}")]
    Malformed(String),
    /// A segment's content lies outside the file.
    #[error("segment {0}: its content lies outside the file, which may be truncated")]
    Truncated(usize),
    /// It asks for a dynamic linker.
    #[error("segment {0} asks for a dynamic linker: link it statically, without relocations")]
    Dynamic(usize),
    /// More bytes in the file than in memory.
    #[error("segment {0}: p_filesz {1:#x} exceeds p_memsz {2:#x}")]
    FileSize(usize, u64, u64),
    /// Not page-aligned.
    #[error("segment {0}: p_vaddr {1:#x} is not a multiple of 4096")]
    Unaligned(usize, u64),
    /// Outside the addresses that a kernel may be linked to.
    #[error(
        "segment {0}: {1:#x} to {2:#x} is outside the linked range, \
         which starts one page above {VIRTUAL_BASE:#x}"
    )]
    OutsideRange(usize, u64, u128),
    /// Writable and executable.
    #[error("segment {0} is writable and executable at once")]
    WritableCode(usize),
    /// No access at all or not readable.
    #[error("segment {0} is not readable")]
    Unreadable(usize),
    /// Two segments share a page.
    #[error("segment at {1:#x} overlaps a page of the segment at {0:#x}")]
    Overlap(u64, u64),
    /// Nothing to load.
    #[error("it has no loadable segment")]
    Nothing,
    /// Too many segments.
    #[error("it has {0} loadable segments, at most {MAX_SEGMENTS} are allowed")]
    TooMany(usize),
    /// The entry lies outside executable memory.
    #[error("e_entry {0:#x} is not inside an executable segment")]
    Entry(u64),
    /// The PVH note's descriptor has the wrong size or is there twice.
    #[error("PVH note: {0}")]
    PvhNote(&'static str),
    /// The PVH entry lies outside executable memory.
    #[error("PVH note: {0:#x} is not inside an executable segment")]
    PvhEntry(u64),
}

/// Reads a kernel's ELF file and checks it against the boot contract, except
/// for the region's end, which only the layout knows.
///
/// # Errors
///
/// The first rule that does not hold; see [`Error`].
pub fn parse_kernel(file: &[u8]) -> Result<KernelElf, Error> {
    let (header, program_headers) = parse_headers(file)?;
    if header.e_type(Le) != ET_EXEC {
        return Err(Error::Type(header.e_type(Le).0, "2 (ET_EXEC)"));
    }

    let mut segments = Vec::new();
    let mut pvh_entry = None;
    for (index, program_header) in program_headers.iter().enumerate() {
        match program_header.p_type(Le) {
            PT_LOAD if program_header.p_memsz(Le) != 0 => {
                segments.push(load_segment(index, program_header, file)?);
            }
            PT_INTERP | PT_DYNAMIC => return Err(Error::Dynamic(index)),
            _ => find_pvh_entry(program_header, file, &mut pvh_entry)?,
        }
    }
    segments.sort_by_key(|segment| segment.address);
    check_segments(&segments)?;

    let executes = |address| segments.iter().any(|segment| segment.executes(address));
    let entry = header.e_entry(Le);
    if !executes(entry) {
        return Err(Error::Entry(entry));
    }
    match pvh_entry {
        Some(address) if !executes(address) => Err(Error::PvhEntry(address)),
        _ => {
            let symbols = symbols::table(header, file, executes)
                .map_err(|error| Error::Malformed(error.to_string()))?;
            Ok(KernelElf { entry, pvh_entry, segments, symbols })
        }
    }
}

/// Checks that a file is an x86-64 executable whose segments all lie inside the
/// file. What else a service must be is the business of the kernel that starts
/// it.
///
/// # Errors
///
/// The first rule that does not hold; see [`Error`].
pub fn check_service(file: &[u8]) -> Result<(), Error> {
    let (header, program_headers) = parse_headers(file)?;
    if ![ET_EXEC, ET_DYN].contains(&header.e_type(Le)) {
        return Err(Error::Type(header.e_type(Le).0, "2 (ET_EXEC) or 3 (ET_DYN)"));
    }
    let mut loadable = false;
    for (index, program_header) in program_headers.iter().enumerate() {
        match program_header.p_type(Le) {
            PT_INTERP => return Err(Error::Dynamic(index)),
            PT_LOAD => {
                program_header.data(Le, file).map_err(|()| Error::Truncated(index))?;
                loadable = true;
            }
            _ => {}
        }
    }
    if loadable { Ok(()) } else { Err(Error::Nothing) }
}

type Headers<'a> = (&'a FileHeader64<Le>, &'a [ProgramHeader64<Le>]);

fn parse_headers(file: &[u8]) -> Result<Headers<'_>, Error> {
    if !file.starts_with(&ELFMAG) {
        return Err(Error::NotElf);
    }
    if file.get(4..6) != Some(&[ELFCLASS64.0, ELFDATA2LSB.0]) {
        return Err(Error::Class);
    }
    let malformed = |error: object::Error| Error::Malformed(error.to_string());
    let header = FileHeader64::<Le>::parse(file).map_err(malformed)?;
    let Machine(machine) = header.e_machine(Le);
    if machine != EM_X86_64.0 {
        return Err(Error::Machine(machine));
    }
    let program_headers = header.program_headers(Le, file).map_err(malformed)?;
    Ok((header, program_headers))
}

fn load_segment(index: usize, header: &ProgramHeader64<Le>, file: &[u8]) -> Result<Segment, Error> {
    let (address, size) = (header.p_vaddr(Le), header.p_memsz(Le));
    if !address.is_multiple_of(PAGE_SIZE) {
        return Err(Error::Unaligned(index, address));
    }
    let outside = || Error::OutsideRange(index, address, u128::from(address) + u128::from(size));
    let memory_size = size.checked_next_multiple_of(PAGE_SIZE).ok_or_else(outside)?;
    // The end must be a number, too: nothing may reach the last page of the
    // address space.
    address.checked_add(memory_size).ok_or_else(outside)?;
    if address < VIRTUAL_BASE + PAGE_SIZE {
        return Err(outside());
    }
    if header.p_filesz(Le) > size {
        return Err(Error::FileSize(index, header.p_filesz(Le), size));
    }

    let flags = header.p_flags(Le).0;
    let has = |flag: u32| flags & flag != 0;
    if has(PF_W.0) && has(PF_X.0) {
        return Err(Error::WritableCode(index));
    }
    // Whatever x86 can execute it can read, so a linker's execute-only code is
    // mapped readable.
    let mut access = Access::READ;
    access.set(Access::WRITE, has(PF_W.0));
    access.set(Access::EXECUTE, has(PF_X.0));
    if !has(PF_R.0) && access == Access::READ {
        return Err(Error::Unreadable(index));
    }

    let content = header.data(Le, file).map_err(|()| Error::Truncated(index))?.to_vec();
    Ok(Segment { address, memory_size, access, content })
}

fn check_segments(segments: &[Segment]) -> Result<(), Error> {
    if segments.is_empty() {
        return Err(Error::Nothing);
    }
    if segments.len() > MAX_SEGMENTS {
        return Err(Error::TooMany(segments.len()));
    }
    for (first, second) in segments.iter().zip(segments.iter().skip(1)) {
        if first.end() > second.address {
            return Err(Error::Overlap(first.address, second.address));
        }
    }
    Ok(())
}

/// Looks for [`NOTE_PVH_ENTRY`] if the segment holds notes.
fn find_pvh_entry(
    header: &ProgramHeader64<Le>,
    file: &[u8],
    found: &mut Option<u64>,
) -> Result<(), Error> {
    let malformed = |error: object::Error| Error::Malformed(error.to_string());
    let Some(mut notes) = header.notes(Le, file).map_err(malformed)? else { return Ok(()) };
    while let Some(note) = notes.next().map_err(malformed)? {
        if note.name() != NOTE_OWNER || note.n_type(Le).0 != NOTE_PVH_ENTRY {
            continue;
        }
        let address = note
            .desc()
            .try_into()
            .map(u64::from_le_bytes)
            .map_err(|_| Error::PvhNote("its descriptor must be 8 bytes, a virtual address"))?;
        // The same notes may be covered by two headers; a second address would
        // be a contradiction.
        if found.is_some_and(|other| other != address) {
            return Err(Error::PvhNote("the file carries two, with different addresses"));
        }
        *found = Some(address);
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
