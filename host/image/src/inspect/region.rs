//! Guest memory as a map: neighbouring pages of one kind in one line.

use std::collections::BTreeMap;

use serde::Serialize;

use super::number::{Bytes, Hex};
use super::platform::names;
use crate::file::{Igvm, Page};

/// A run of guest memory whose pages are of one kind and for the same
/// platforms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    /// First address.
    pub first: Hex,
    /// Last address.
    pub last: Hex,
    /// Bytes of guest memory.
    pub size: Bytes,
    /// What its pages are.
    pub kind: String,
    /// Names of the platforms that get it.
    pub platforms: Vec<String>,
}

/// How much there is of one kind of page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Total {
    /// The kind.
    pub kind: String,
    /// Pages of 4 KiB.
    pub pages: u64,
    /// Bytes of guest memory.
    pub size: Bytes,
}

/// Memory that the file demands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequiredMemory {
    /// First address.
    pub first: Hex,
    /// Bytes.
    pub size: Bytes,
    /// Names of the platforms.
    pub platforms: Vec<String>,
    /// Whether it must be protectable from lower trust levels.
    pub vtl2_protectable: bool,
}

/// The map, sorted by address. Where pages of several platforms overlap, each
/// has its own line.
pub(super) fn regions(igvm: &Igvm) -> Vec<Region> {
    let mut pages: Vec<Page<'_>> = igvm.pages().collect();
    pages.sort_by_key(|page| (page.mask, page.gpa, page.kind));
    let mut runs: Vec<(Page<'_>, u64)> = Vec::new();
    for page in pages {
        match runs.last_mut() {
            Some((first, end))
                if *end == page.gpa && first.kind == page.kind && first.mask == page.mask =>
            {
                *end = page.end();
            }
            _ => runs.push((page, page.end())),
        }
    }
    runs.sort_by_key(|(first, _)| (first.gpa, first.mask));
    let region = |(first, end): (Page<'_>, u64)| Region {
        first: Hex(first.gpa),
        last: Hex(end.saturating_sub(1).max(first.gpa)),
        size: Bytes(end.saturating_sub(first.gpa)),
        kind: first.kind.to_string(),
        platforms: names(igvm, first.mask),
    };
    runs.into_iter().map(region).collect()
}

/// Counts over the whole file, platforms together.
pub(super) fn totals(igvm: &Igvm) -> Vec<Total> {
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for page in igvm.pages() {
        let kind = page.kind.to_string();
        let kind = kind.split(' ').next().filter(|word| *word == "parameters").unwrap_or(&kind);
        let size = sizes.entry(kind.to_owned()).or_default();
        *size = size.saturating_add(page.size);
    }
    let total = |(kind, size): (String, u64)| Total { kind, pages: size / 4096, size: Bytes(size) };
    sizes.into_iter().map(total).collect()
}

pub(super) fn required_memory(igvm: &Igvm) -> Vec<RequiredMemory> {
    let directives = igvm.file().directives().iter();
    directives
        .filter_map(|directive| match directive {
            igvm::IgvmDirectiveHeader::RequiredMemory {
                gpa,
                compatibility_mask,
                number_of_bytes,
                vtl2_protectable,
            } => Some(RequiredMemory {
                first: Hex(*gpa),
                size: Bytes((*number_of_bytes).into()),
                platforms: names(igvm, *compatibility_mask),
                vtl2_protectable: *vtl2_protectable,
            }),
            _ => None,
        })
        .collect()
}
