//! A layout as an ELF file that plain virtual machine monitors start.
//!
//! One `PT_LOAD` per contiguous run of parts, with physical addresses; one
//! `PT_NOTE` with the Xen note that names the 32-bit entry. That is what QEMU's
//! `-kernel`, Firecracker and others know as a *PVH* kernel. Unlike an IGVM file
//! it knows no pages that the loader fills: parameter areas are zero.
//!
//! Specification: Xen `docs/misc/pvh.pandoc` and `xen/include/public/elfnote.h`;
//! System V ABI, chapters 4 and 5.

use abi_boot::PAGE_SIZE;
use object::LittleEndian as Le;
use object::elf::{
    ELFCLASS64, ELFDATA2LSB, ELFMAG, ELFOSABI_NONE, EM_X86_64, ET_EXEC, EV_CURRENT, FileFlags,
    FileHeader64, Ident, NoteHeader64, NoteType, PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE, ProgramFlags,
    ProgramHeader64, ProgramType, SymbolSection,
};
use object::pod::bytes_of;
use object::{U16, U32, U64};

use crate::layout::part::{Layout, Part};

/// `XEN_ELFNOTE_PHYS32_ENTRY`.
const PHYS32_ENTRY: u32 = 18;

/// Note owner, with its terminating zero.
const OWNER: &[u8; 4] = b"Xen\0";

/// Why no ELF file can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The layout has no 32-bit entry.
    #[error("the layout has no PVH entry")]
    NoEntry,
    /// More runs of parts than program headers can be counted.
    #[error("{0} separate runs of memory do not fit into an ELF file")]
    TooManyRuns(usize),
}

/// Writes `layout` as an ELF file.
///
/// # Errors
///
/// See [`Error`].
pub fn write(layout: &Layout) -> Result<Vec<u8>, Error> {
    let entry = layout.pvh_entry.ok_or(Error::NoEntry)?;
    let runs = runs(&layout.parts);
    // One more header is for the note.
    let header_count = u16::try_from(runs.len() + 1).map_err(|_| Error::TooManyRuns(runs.len()))?;

    let headers_size =
        size_of::<FileHeader64<Le>>() + (runs.len() + 1) * size_of::<ProgramHeader64<Le>>();
    let note = note(entry);
    // Content starts page-aligned, as loaders that map files want it.
    let content_start = ((headers_size + note.len()) as u64).next_multiple_of(PAGE_SIZE);

    let mut file = Vec::new();
    file.extend_from_slice(bytes_of(&file_header(entry, header_count)));
    file.extend_from_slice(bytes_of(&note_segment(headers_size as u64, note.len() as u64)));
    let mut offset = content_start;
    for run in &runs {
        file.extend_from_slice(bytes_of(&run.program_header(offset)));
        offset += (run.content.len() as u64).next_multiple_of(PAGE_SIZE);
    }
    file.extend_from_slice(&note);
    for run in &runs {
        file.resize(file.len().next_multiple_of(PAGE_SIZE as usize), 0);
        file.extend_from_slice(&run.content);
    }
    Ok(file)
}

/// Parts that lie behind each other without a gap.
struct Run {
    gpa: u64,
    size: u64,
    /// What it starts with; the rest is zero.
    content: Vec<u8>,
}

impl Run {
    fn program_header(&self, offset: u64) -> ProgramHeader64<Le> {
        // Permissions say nothing: the page tables do.
        let flags = ProgramFlags(PF_R.0 | PF_W.0 | PF_X.0);
        segment(PT_LOAD, flags, offset, self.gpa, self.content.len() as u64, self.size, PAGE_SIZE)
    }
}

fn runs(parts: &[Part]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for part in parts {
        let run = match runs.last_mut() {
            Some(run) if run.gpa + run.size == part.gpa => run,
            _ => {
                runs.push(Run { gpa: part.gpa, size: 0, content: Vec::new() });
                let Some(run) = runs.last_mut() else { unreachable!("a run was just added") };
                run
            }
        };
        if !part.content.is_empty() {
            run.content.resize(run.size as usize, 0);
            run.content.extend_from_slice(&part.content);
        }
        run.size += part.size;
    }
    runs
}

fn file_header(entry: u64, header_count: u16) -> FileHeader64<Le> {
    FileHeader64 {
        e_ident: Ident {
            magic: ELFMAG,
            class: ELFCLASS64,
            data: ELFDATA2LSB,
            version: EV_CURRENT,
            os_abi: ELFOSABI_NONE,
            abi_version: 0,
            padding: [0; 7],
        },
        e_type: U16::new(Le, ET_EXEC),
        e_machine: U16::new(Le, EM_X86_64),
        e_version: U32::new(Le, EV_CURRENT.0.into()),
        e_entry: U64::new(Le, entry),
        e_phoff: U64::new(Le, size_of::<FileHeader64<Le>>() as u64),
        e_shoff: U64::new(Le, 0),
        e_flags: U32::new(Le, FileFlags(0)),
        e_ehsize: U16::new(Le, size_of::<FileHeader64<Le>>() as u16),
        e_phentsize: U16::new(Le, size_of::<ProgramHeader64<Le>>() as u16),
        e_phnum: U16::new(Le, header_count),
        e_shentsize: U16::new(Le, 0),
        e_shnum: U16::new(Le, 0),
        e_shstrndx: U16::new(Le, SymbolSection(0)),
    }
}

fn note_segment(offset: u64, size: u64) -> ProgramHeader64<Le> {
    segment(PT_NOTE, ProgramFlags(PF_R.0), offset, 0, size, size, 4)
}

fn segment(
    kind: ProgramType,
    flags: ProgramFlags,
    offset: u64,
    address: u64,
    file_size: u64,
    memory_size: u64,
    align: u64,
) -> ProgramHeader64<Le> {
    ProgramHeader64 {
        p_type: U32::new(Le, kind),
        p_flags: U32::new(Le, flags),
        p_offset: U64::new(Le, offset),
        p_vaddr: U64::new(Le, address),
        p_paddr: U64::new(Le, address),
        p_filesz: U64::new(Le, file_size),
        p_memsz: U64::new(Le, memory_size),
        p_align: U64::new(Le, align),
    }
}

/// The descriptor has 8 bytes because QEMU reads as many from a 64-bit file.
fn note(entry: u64) -> Vec<u8> {
    let header = NoteHeader64::<Le> {
        n_namesz: U32::new(Le, OWNER.len() as u32),
        n_descsz: U32::new(Le, size_of::<u64>() as u32),
        n_type: U32::new(Le, NoteType(PHYS32_ENTRY)),
    };
    [bytes_of(&header), OWNER.as_slice(), &entry.to_le_bytes()].concat()
}

#[cfg(test)]
mod tests;
