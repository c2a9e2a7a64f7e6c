//! Boot blocks: what this project's builder says that it placed.
//!
//! The block's format is that of [`abi_boot`]. Images of other projects have
//! none.

use abi_boot::{BootBlock, Error};
use serde::Serialize;
use zerocopy::IntoBytes;

use super::number::{Bytes, Hex};
use super::platform::names;
use crate::file::{Igvm, Page, PageKind};

/// A boot block that was found in a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Boot {
    /// Where the block lies.
    pub gpa: Hex,
    /// Names of the platforms that get it.
    pub platforms: Vec<String>,
    /// What it says, or why it cannot be read.
    #[serde(flatten)]
    pub content: Content,
}

/// What a boot block says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// The block is well-formed.
    Read {
        /// First address of the module's region.
        region: Hex,
        /// Bytes of the region.
        region_size: Bytes,
        /// Address of the top-level page table.
        page_table_root: Hex,
        /// Virtual address just above the boot stack.
        stack_top: Hex,
        /// The C-bit of page-table entries, 0 if there is none.
        c_bit_mask: Hex,
        /// Most virtual processors.
        max_vcpus: u32,
        /// Who may read the module's messages on the console.
        console: String,
        /// Everything that was placed.
        parts: Vec<Part>,
    },
    /// The block has the magic value but breaks a rule.
    Broken {
        /// The rule.
        problem: String,
    },
}

/// Something that the builder placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// First address.
    pub gpa: Hex,
    /// Bytes of memory.
    pub size: Bytes,
    /// Bytes that have content.
    pub content_size: Bytes,
    /// What it is.
    pub kind: String,
    /// How it is mapped, `rwx` with dashes.
    pub access: String,
    /// Its name.
    pub name: String,
}

pub(super) fn boot_blocks(igvm: &Igvm) -> Vec<Boot> {
    igvm.pages().filter_map(|page| boot_block(igvm, &page)).collect()
}

fn boot_block(igvm: &Igvm, page: &Page<'_>) -> Option<Boot> {
    if page.kind != PageKind::Data {
        return None;
    }
    // The format is read in place and wants the alignment that it has in guest
    // memory.
    let mut aligned = [0u64; 512];
    aligned.as_mut_bytes().get_mut(..page.data.len())?.copy_from_slice(page.data);
    let content = match BootBlock::parse(aligned.as_bytes()) {
        Ok(block) => read(&block),
        Err(Error::Magic | Error::Truncated) => return None,
        Err(problem) => Content::Broken { problem: problem.to_string() },
    };
    Some(Boot { gpa: Hex(page.gpa), platforms: names(igvm, page.mask), content })
}

fn read(block: &BootBlock<'_>) -> Content {
    let part = |part: &abi_boot::Part| Part {
        gpa: Hex(part.gpa),
        size: Bytes(part.size),
        content_size: Bytes(part.content_size),
        kind: part.kind.to_string(),
        access: part.access.to_string(),
        name: part.name().to_owned(),
    };
    Content::Read {
        region: Hex(block.region_base),
        region_size: Bytes(block.region_size),
        page_table_root: Hex(block.page_table_root),
        stack_top: Hex(block.stack_top),
        c_bit_mask: Hex(block.c_bit_mask),
        max_vcpus: block.max_vcpus,
        console: block.console.to_string(),
        parts: block.parts().iter().map(part).collect(),
    }
}
