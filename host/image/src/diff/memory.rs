//! Guest memory that differs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::file::{Igvm, Page, PageKind};
use crate::inspect::{Bytes, Hex, platform_name};

/// A run of guest memory that is not the same in both files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryChange {
    /// First address.
    pub first: Hex,
    /// Last address.
    pub last: Hex,
    /// Bytes of guest memory.
    pub size: Bytes,
    /// Names of the platforms where it differs.
    pub platforms: Vec<String>,
    /// How it differs.
    pub change: PageChange,
}

/// How pages differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PageChange {
    /// They are in the new file only.
    Added {
        /// What they are.
        kind: String,
    },
    /// They are in the old file only.
    Removed {
        /// What they were.
        kind: String,
    },
    /// They are of another kind.
    Kind {
        /// What they were.
        old: String,
        /// What they are.
        new: String,
    },
    /// They have other content.
    Content {
        /// What they are.
        kind: String,
        /// Address of the first byte that differs.
        first_difference: Hex,
        /// How many bytes differ.
        differing_bytes: u64,
    },
}

/// All pages of one platform: by address, and by number where the file has
/// several at the same address.
type Pages<'a> = BTreeMap<(u64, u32), Page<'a>>;

/// What differs, sorted by address. VMSAs are left out: their registers are
/// compared by name.
pub(super) fn changes(old: &Igvm, new: &Igvm) -> Vec<MemoryChange> {
    let mut all: BTreeMap<(Hex, Hex, PageChange), MemoryChange> = BTreeMap::new();
    for platform in old.platforms() {
        let kind = platform.platform_type;
        let Some(mask) = new.mask_of(kind) else { continue };
        let (old, new) = (pages(old, platform.compatibility_mask), pages(new, mask));
        for change in of_platform(&old, &new) {
            let key = (change.first, change.last, change.change.clone());
            all.entry(key).or_insert(change).platforms.push(platform_name(kind));
        }
    }
    all.into_values().collect()
}

fn pages(igvm: &Igvm, mask: u32) -> Pages<'_> {
    let mut pages = Pages::new();
    for page in igvm.pages() {
        if page.mask & mask != 0 && page.kind != PageKind::Vmsa {
            let at_address = pages.range((page.gpa, 0)..=(page.gpa, u32::MAX));
            let number = at_address.last().map_or(0, |((_, number), _)| number.saturating_add(1));
            pages.insert((page.gpa, number), page);
        }
    }
    pages
}

/// The changes on one platform, neighbours joined, without platform names.
fn of_platform(old: &Pages<'_>, new: &Pages<'_>) -> Vec<MemoryChange> {
    let mut changes = Vec::new();
    for (key, page) in old {
        match new.get(key) {
            Some(other) => changes.extend(compare(page, other)),
            None => changes.push(single(page, PageChange::Removed { kind: name(page) })),
        }
    }
    let added = new.iter().filter(|(key, _)| !old.contains_key(key));
    changes.extend(added.map(|(_, page)| single(page, PageChange::Added { kind: name(page) })));
    changes.sort_by_key(|change| change.first);
    join(changes)
}

fn compare(old: &Page<'_>, new: &Page<'_>) -> Option<MemoryChange> {
    if old.kind != new.kind || old.size != new.size {
        let larger = if old.size > new.size { old } else { new };
        return Some(single(larger, PageChange::Kind { old: name(old), new: name(new) }));
    }
    if old.data == new.data {
        return None;
    }
    let length = old.data.len().max(new.data.len());
    let bytes = |page: &Page<'_>, at: usize| page.data.get(at).copied().unwrap_or_default();
    let mut differing = (0..length).filter(|at| bytes(old, *at) != bytes(new, *at));
    let first = differing.next()?;
    Some(single(
        old,
        PageChange::Content {
            kind: name(old),
            first_difference: Hex(old.gpa.saturating_add(first as u64)),
            differing_bytes: 1 + differing.count() as u64,
        },
    ))
}

/// The kind, and the size where it is not that of a page.
fn name(page: &Page<'_>) -> String {
    match page.size {
        4096 => page.kind.to_string(),
        size => format!("{} of {}", page.kind, Bytes(size)),
    }
}

fn single(page: &Page<'_>, change: PageChange) -> MemoryChange {
    MemoryChange {
        first: Hex(page.gpa),
        last: Hex(page.end().saturating_sub(1).max(page.gpa)),
        size: Bytes(page.size),
        platforms: Vec::new(),
        change,
    }
}

/// Joins neighbours that differ in the same way.
fn join(changes: Vec<MemoryChange>) -> Vec<MemoryChange> {
    let mut joined: Vec<MemoryChange> = Vec::new();
    for change in changes {
        match joined.last_mut() {
            Some(last) if last.last.0.checked_add(1) == Some(change.first.0) => {
                match join_change(&last.change, &change.change) {
                    Some(both) => {
                        last.change = both;
                        last.last = change.last;
                        last.size = Bytes(last.size.0.saturating_add(change.size.0));
                    }
                    None => joined.push(change),
                }
            }
            _ => joined.push(change),
        }
    }
    joined
}

/// One change for two neighbouring runs, if they differ in the same way.
fn join_change(first: &PageChange, second: &PageChange) -> Option<PageChange> {
    match (first, second) {
        (
            PageChange::Content { kind, first_difference, differing_bytes },
            PageChange::Content { kind: other, differing_bytes: more, .. },
        ) if kind == other => Some(PageChange::Content {
            kind: kind.clone(),
            first_difference: *first_difference,
            differing_bytes: differing_bytes.saturating_add(*more),
        }),
        _ if first == second => Some(first.clone()),
        _ => None,
    }
}
