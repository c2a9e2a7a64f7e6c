//! What a host may say, and what it may not.

use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

use super::*;
use crate::cpuid::facts::{CpuidFacts, CpuidPolicy};
use crate::cpuid::samples::{facts, physical_cpuid};

fn cpuid() -> Cpuid {
    Cpuid::new(CpuidFacts { policy: CpuidPolicy::Full, ..facts() }, physical_cpuid)
}

fn honest(leaf: u32, subleaf: u32) -> CpuidEntry {
    let request = CpuidPage::new(&[CpuidEntry::request(leaf, subleaf)]).unwrap();
    cpuid().fill(&request).unwrap().entries().unwrap()[0]
}

/// `entry` with a change.
fn changed(mut entry: CpuidEntry, change: impl FnOnce(&mut CpuidEntry)) -> CpuidEntry {
    change(&mut entry);
    entry
}

/// What the check says about `entry` alone, and what it makes of it.
fn check(entry: CpuidEntry) -> (Result<(), CpuidRefusal>, CpuidEntry) {
    let mut page = CpuidPage::new(&[entry]).unwrap();
    let result = cpuid().check(&mut page);
    (result, page.entries().unwrap()[0])
}

fn refused(entry: CpuidEntry) {
    let (leaf, subleaf) = (entry.eax_in, entry.ecx_in);
    let (result, corrected) = check(entry);
    assert_eq!(result, Err(CpuidRefusal::Incorrect { leaf, subleaf }));
    assert_ne!(corrected, entry);
    assert_eq!(check(corrected), (Ok(()), corrected), "a corrected entry passes");
}

fn accepted(entry: CpuidEntry) {
    assert_eq!(check(entry), (Ok(()), entry));
}

#[test]
fn features_can_be_hidden_and_not_invented() {
    let entry = honest(7, 0);
    accepted(changed(entry, |entry| entry.ebx &= !1));
    refused(changed(entry, |entry| entry.ebx |= 1 << 16));
    refused(changed(entry, |entry| entry.edx = u32::MAX));
    let entry = honest(0x8000_001f, 0);
    refused(changed(entry, |entry| entry.eax |= 1 << 8));
}

#[test]
fn bits_of_software_are_free() {
    let entry = honest(1, 0);
    accepted(changed(entry, |entry| entry.ecx = entry.ecx & !(1 << 31) | 1 << 27));
    refused(changed(entry, |entry| entry.ecx |= 1 << 3));
    let entry = honest(7, 0);
    accepted(changed(entry, |entry| entry.ecx |= 1 << 4));
}

#[test]
fn greatest_leaf_and_model_can_be_lowered_only() {
    for (leaf, by) in [(0, 1), (1, 1), (0x8000_0000, 1)] {
        let entry = honest(leaf, 0);
        accepted(changed(entry, |entry| entry.eax -= by));
        refused(changed(entry, |entry| entry.eax += by));
    }
}

#[test]
fn topology_is_the_hosts_matter() {
    for (leaf, subleaf) in [(0xb, 0), (0xb, 1), (0x8000_001e, 0)] {
        let entry = honest(leaf, subleaf);
        accepted(changed(entry, |entry| {
            entry.eax = 77;
            entry.ebx = 78;
            entry.edx = 79;
        }));
    }
    let entry = honest(1, 0);
    accepted(changed(entry, |entry| entry.ebx ^= 0xffff_00ff));
    refused(changed(entry, |entry| entry.ebx ^= 0x100));
}

#[test]
fn encryption_bit_cannot_be_moved() {
    let entry = honest(0x8000_001f, 0);
    refused(changed(entry, |entry| entry.ebx -= 1));
    accepted(changed(entry, |entry| entry.ebx ^= 0x40));
}

#[test]
fn sizes_of_addresses_are_limits_each() {
    let entry = honest(0x8000_0008, 0);
    accepted(changed(entry, |entry| entry.eax = 0x3030));
    refused(changed(entry, |entry| entry.eax = 0x3035));
    refused(changed(entry, |entry| entry.eax = 0x3a30));
    refused(changed(entry, |entry| entry.eax = 0x1_3030));
}

#[test]
fn size_of_state_is_exact() {
    let entry = honest(0xd, 0);
    refused(changed(entry, |entry| entry.ebx += 8));
    refused(changed(entry, |entry| entry.ebx -= 8));
    refused(changed(honest(0xd, 2), |entry| entry.eax += 8));
}

#[test]
fn unknown_leaves_are_zero() {
    let entry = CpuidEntry::request(0x8000_0026, 0);
    accepted(entry);
    refused(changed(entry, |entry| entry.eax = 1));
    refused(changed(CpuidEntry::request(0xffff, 0), |entry| entry.edx = 1));
    // A subleaf of a leaf that has none.
    refused(changed(honest(1, 0), |entry| entry.ecx_in = 1));
}

#[test]
fn hypervisor_leaves_are_not_looked_at() {
    for leaf in [0x4000_0000, 0x4000_ffff, 0x1_0000, 0x7fff_ffff, 0x8001_0000, u32::MAX] {
        accepted(changed(CpuidEntry::request(leaf, 3), |entry| {
            entry.eax = 1;
            entry.edx = 2;
        }));
    }
    let mut entries = [CpuidEntry::request(0x4000_0000, 0), honest(1, 0), honest(7, 0)];
    assert_eq!(cpuid().check_entries(&mut entries), (2, Ok(())));
}

#[test]
fn first_wrong_entry_is_named_and_all_are_corrected() {
    let wrong = |leaf| changed(honest(leaf, 0), |entry| entry.eax = u32::MAX);
    let mut page = CpuidPage::new(&[honest(1, 0), wrong(6), wrong(7)]).unwrap();
    let refusal = cpuid().check(&mut page).unwrap_err();
    assert_eq!(refusal, CpuidRefusal::Incorrect { leaf: 6, subleaf: 0 });
    assert_eq!(refusal.status().0, 0x16);
    assert_eq!(page.entries().unwrap(), [honest(1, 0), honest(6, 0), honest(7, 0)]);
}

#[test]
fn reserved_bytes_and_counts_are_looked_at() {
    let page = CpuidPage::new(&[honest(1, 0)]).unwrap();
    let change = |place: usize, value| {
        let mut bytes = [0; 0x1000];
        bytes.copy_from_slice(page.as_bytes());
        bytes[place] = value;
        cpuid().check(&mut CpuidPage::read_from_bytes(&bytes).unwrap())
    };
    assert_eq!(change(0, 65), Err(CpuidRefusal::TooMany));
    assert_eq!(change(4, 1), Err(CpuidRefusal::Reserved));
    assert_eq!(change(0x38, 1), Err(CpuidRefusal::Incorrect { leaf: 1, subleaf: 0 }));
    // Behind the entries nobody looks.
    assert_eq!(change(0xfff, 1), Ok(()));
}

proptest! {
    #[test]
    fn corrected_pages_pass(bytes in prop::collection::vec(any::<u8>(), 0x1000), count in 0..65_u8) {
        let mut bytes = bytes;
        bytes[..0x10].fill(0);
        bytes[0] = count;
        let entries = bytes[0x10..0x10 + 64 * 0x30].chunks_exact_mut(0x30);
        for (number, entry) in (0_u8..).zip(entries) {
            // Leaves that there are, half of the time; nothing reserved.
            entry[1..4].copy_from_slice(&[0, 0, if number % 2 == 0 { 0x80 } else { 0 }]);
            entry[4..8].copy_from_slice(&[number % 3, 0, 0, 0]);
            entry[0] %= 0x30;
            entry[0x28..].fill(0);
        }
        let mut page = CpuidPage::read_from_bytes(&bytes).unwrap();
        // Most are wrong; whether or not, what comes out is right.
        let _ = cpuid().check(&mut page);
        let corrected = page.clone();
        prop_assert_eq!(cpuid().check(&mut page), Ok(()));
        prop_assert!(page == corrected);
    }

    #[test]
    fn arbitrary_pages_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0x1000)) {
        let mut page = CpuidPage::read_from_bytes(&bytes).unwrap();
        let _ = cpuid().fill(&page);
        let _ = cpuid().check(&mut page);
    }
}
