//! Random tables, judged by rules written down a second time.

extern crate std;

use std::vec::Vec;

use abi_x86::{Cr0, Cr4, Efer, PageFaultError};
use nested_paging::View;
use proptest::prelude::*;

use super::builder::{C_BIT, Memory, long_mode, view};
use crate::access::{Access, Privilege};
use crate::error::WalkError;
use crate::paging::Paging;
use crate::translation::{Permissions, Translation};

/// One entry, in words.
#[derive(Clone, Debug)]
struct Entry {
    is_present: bool,
    is_writable: bool,
    is_user: bool,
    is_no_execute: bool,
    is_private: bool,
    /// Maps a page, at the levels where entries can.
    is_huge: bool,
    has_reserved_bit: bool,
}

fn entry() -> impl Strategy<Value = Entry> {
    let often = || prop::bool::weighted(0.9);
    let rarely = || prop::bool::weighted(0.05);
    (often(), often(), often(), rarely(), any::<bool>(), rarely(), rarely()).prop_map(
        |(is_present, is_writable, is_user, is_no_execute, is_private, is_huge, reserved)| Entry {
            is_present,
            is_writable,
            is_user,
            is_no_execute,
            is_private,
            is_huge,
            has_reserved_bit: reserved,
        },
    )
}

/// A processor's features.
#[derive(Clone, Debug)]
struct Features {
    five_levels: bool,
    write_protect: bool,
    no_execute: bool,
    smep: bool,
    smap: bool,
}

fn features() -> impl Strategy<Value = Features> {
    any::<(bool, bool, bool, bool, bool)>().prop_map(
        |(five_levels, write_protect, no_execute, smep, smap)| Features {
            five_levels,
            write_protect,
            no_execute,
            smep,
            smap,
        },
    )
}

fn privilege() -> impl Strategy<Value = Privilege> {
    prop_oneof![
        Just(Privilege::User),
        Just(Privilege::Supervisor),
        Just(Privilege::SupervisorReachingUser),
        Just(Privilege::Implicit),
    ]
}

fn access() -> impl Strategy<Value = Access> {
    prop_oneof![Just(Access::Read), Just(Access::Write), Just(Access::Fetch)]
}

/// Sizes of what an entry of each level covers, from the top of five.
const COVERAGE: [u64; 5] = [1 << 48, 1 << 39, 1 << 30, 1 << 21, 1 << 12];

/// Where the table of each level lies, and the page.
const PLACES: [u64; 6] = [
    0x0000_0000_1000,
    0x0001_0000_2000,
    0x0000_0200_3000,
    0x2000_0000_4000,
    0x0000_0000_5000,
    0x1234_4000_0000,
];

fn is_page(level: usize, entry: &Entry) -> bool {
    level == 4 || (entry.is_huge && (level == 2 || level == 3))
}

/// Writes the entries for `linear`, from level `first` on; returns their
/// bits.
fn build(memory: &mut Memory, first: usize, linear: u64, entries: &[Entry]) -> Vec<u64> {
    let mut written = Vec::new();
    for (level, entry) in entries.iter().enumerate().skip(first) {
        let is_page = is_page(level, entry);
        let target = if is_page { PLACES[5] } else { PLACES[level + 1] };
        let mut bits = target;
        let flags = [
            (entry.is_present, 1),
            (entry.is_writable, 2),
            (entry.is_user, 4),
            (is_page && level != 4, 0x80),
            (entry.is_private, C_BIT),
            (entry.has_reserved_bit, 1 << 48),
            (entry.is_no_execute, 1 << 63),
        ];
        for (is_set, flag) in flags {
            if is_set {
                bits += flag;
            }
        }
        let index = linear / COVERAGE[level] % 512;
        memory.write(PLACES[level] + 8 * index, bits);
        written.push(bits);
    }
    written
}

/// What the rules say.
fn expected(
    features: &Features,
    entries: &[Entry],
    first: usize,
    linear: u64,
    access: Access,
    privilege: Privilege,
) -> Result<Translation, u64> {
    let is_user_access = privilege == Privilege::User;
    let mut code = 0;
    if access == Access::Write {
        code += 2;
    }
    if is_user_access {
        code += 4;
    }
    if access == Access::Fetch && (features.no_execute || features.smep) {
        code += 16;
    }
    let mut level = first;
    loop {
        let entry = &entries[level];
        if !entry.is_present {
            return Err(code);
        }
        if entry.has_reserved_bit || (entry.is_no_execute && !features.no_execute) {
            return Err(code + 1 + 8);
        }
        if is_page(level, entry) {
            break;
        }
        level += 1;
    }
    let used = &entries[first..=level];
    let writable = used.iter().all(|entry| entry.is_writable);
    let user = used.iter().all(|entry| entry.is_user);
    let executable = !used.iter().any(|entry| entry.is_no_execute);
    let is_fetch = access == Access::Fetch;
    let refusals = [
        is_user_access && !user,
        access == Access::Write && !writable && (is_user_access || features.write_protect),
        is_fetch && !executable,
        is_fetch && !is_user_access && user && features.smep,
        !is_fetch
            && !is_user_access
            && user
            && features.smap
            && privilege != Privilege::SupervisorReachingUser,
    ];
    if refusals.contains(&true) {
        return Err(code + 1);
    }
    let mut permissions = Permissions::empty();
    permissions.set(Permissions::WRITE, writable);
    permissions.set(Permissions::USER, user);
    permissions.set(Permissions::EXECUTE, executable);
    Ok(Translation {
        address: PLACES[5] + linear % COVERAGE[level],
        view: if entries[level].is_private { View::Private } else { View::Shared },
        page_size: COVERAGE[level],
        permissions,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn long_mode_follows_the_rules(
        features in features(),
        entries in prop::collection::vec(entry(), 5),
        linear: u64,
        access in access(),
        privilege in privilege(),
        root_is_private: bool,
    ) {
        let first = usize::from(!features.five_levels);
        // Canonical: the upper bits follow the highest translated one.
        let bits = if features.five_levels { 57 } else { 48 };
        let low = linear % (1 << bits);
        let linear = if low >> (bits - 1) == 0 { low } else { low + (u64::MAX << bits) };
        let mut memory = Memory::default();
        let written = build(&mut memory, first, linear, &entries);
        let root = PLACES[first] + if root_is_private { C_BIT } else { 0 };
        let mut paging = long_mode(root);
        paging.cr0.set(Cr0::WP, features.write_protect);
        paging.efer.set(Efer::NXE, features.no_execute);
        paging.cr4.set(Cr4::LA57, features.five_levels);
        paging.cr4.set(Cr4::SMEP, features.smep);
        paging.cr4.set(Cr4::SMAP, features.smap);

        let (result, reads) = memory.walk(&paging, linear, access, privilege);
        let expected = expected(&features, &entries, first, linear, access, privilege)
            .map_err(|code| WalkError::PageFault(PageFaultError::from_bits_retain(code)));
        prop_assert_eq!(result, expected);
        // Each table is read by the view that the entry above names.
        let names = core::iter::once(&root).chain(&written);
        for (read, name) in reads.iter().zip(names) {
            prop_assert_eq!(read.view, view(*name));
        }
    }

    /// Whatever is in memory and in the registers: a walk ends after five
    /// reads at most, and its answer has no C-bit.
    #[test]
    fn any_tables(
        cr: [u64; 4],
        entries: [u64; 5],
        linear: u64,
        access in access(),
        privilege in privilege(),
    ) {
        let [cr0, cr3, cr4, efer] = cr;
        let paging = Paging {
            cr0: Cr0::from_bits_retain(cr0),
            cr4: Cr4::from_bits_retain(cr4),
            efer: Efer::from_bits_retain(efer),
            ..long_mode(cr3)
        };
        let mut reads = entries.into_iter();
        let result = paging.translate(linear, access, privilege, |read| {
            assert!(read.address.is_multiple_of(8) && read.address & C_BIT == 0);
            // Present, and most often without reserved bits, to get far.
            let entry = reads.next().expect("no walk has more than five levels");
            Ok::<u64, ()>(entry & 0xfff8_3fff_ffff_fe7f | 1)
        });
        if let Ok(page) = result {
            prop_assert!(page.address < 1 << 52 && page.address & C_BIT == 0);
            prop_assert_eq!(page.address % page.page_size.min(1 << 32), linear % page.page_size);
        }
    }
}
