//! Requests of images, and what comes back.

use proptest::prelude::*;
use zerocopy::FromBytes;

use super::*;
use crate::cpuid::facts::{CpuidFacts, CpuidPolicy};
use crate::cpuid::samples::{facts, physical_cpuid};

fn cpuid(policy: CpuidPolicy) -> Cpuid {
    Cpuid::new(CpuidFacts { policy, ..facts() }, physical_cpuid)
}

fn request(leaves: &[(u32, u32)]) -> CpuidPage {
    let entries: Vec<_> =
        leaves.iter().map(|(leaf, subleaf)| CpuidEntry::request(*leaf, *subleaf)).collect();
    CpuidPage::new(&entries).unwrap()
}

fn asked(page: &CpuidPage) -> Vec<(u32, u32)> {
    page.entries().unwrap().iter().map(|entry| (entry.eax_in, entry.ecx_in)).collect()
}

#[test]
fn empty_list_gets_what_linux_needs() {
    for (policy, leaves) in [(CpuidPolicy::Reduced, 22), (CpuidPolicy::Full, 26)] {
        let page = cpuid(policy).fill(&request(&[])).unwrap();
        let asked = asked(&page);
        assert_eq!(asked.len(), leaves);
        for leaf in [0, 1, 7, 0xb, 0x4000_0000, 0x8000_0000, 0x8000_0001, 0x8000_0008, 0x8000_001f]
        {
            assert!(asked.contains(&(leaf, 0)), "{leaf:#x}");
        }
        assert_eq!(asked.contains(&(0xd, 1)), policy == CpuidPolicy::Full);
    }
}

#[test]
fn list_of_the_image_comes_first_and_nothing_twice() {
    let list = [(0x8000_001f, 0), (0xb, 1), (0x1234_5678, 9)];
    let page = cpuid(CpuidPolicy::Reduced).fill(&request(&list)).unwrap();
    let asked = asked(&page);
    assert_eq!(asked[..3], list);
    assert_eq!(asked.len(), 23);
    let mut unique = asked.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), asked.len());
}

#[test]
fn full_list_stays_as_it_is() {
    let list: Vec<_> = (0..64).map(|number| (0x4000_0100 + number, 0)).collect();
    let page = cpuid(CpuidPolicy::Full).fill(&request(&list)).unwrap();
    assert_eq!(asked(&page), list);
}

#[test]
fn too_long_a_list_is_refused() {
    let mut bytes = [0; 0x1000];
    bytes[0] = 65;
    let page = CpuidPage::read_from_bytes(&bytes).unwrap();
    assert_eq!(cpuid(CpuidPolicy::Full).fill(&page).err(), Some(CpuidRefusal::TooMany));
}

#[test]
fn values_of_the_image_do_not_count() {
    let mut lie = CpuidEntry::request(1, 0);
    lie.ecx = u32::MAX;
    let cpuid = cpuid(CpuidPolicy::Reduced);
    let page = cpuid.fill(&CpuidPage::new(&[lie]).unwrap()).unwrap();
    let entry = page.entries().unwrap()[0];
    assert_eq!(entry.ecx, cpuid.answer(CpuidQuery::new(1, 0), 0).ecx);
    assert_eq!(entry.xcr0_in, 0);
}

#[test]
fn extended_state_is_answered_for_the_registers_at_start() {
    let mut other = CpuidEntry::request(0xd, 0);
    (other.xcr0_in, other.xss_in) = (7, 0);
    let list = CpuidPage::new(&[CpuidEntry::request(0xd, 0), other]).unwrap();
    let page = cpuid(CpuidPolicy::Full).fill(&list).unwrap();
    let entries = page.entries().unwrap();
    assert_eq!((entries[0].xcr0_in, entries[0].ebx), (1, 0x240));
    assert_eq!((entries[1].xcr0_in, entries[1].ebx), (7, 0x340));
}

proptest! {
    #[test]
    fn what_the_host_fills_passes_the_check(
        leaves in prop::collection::vec(
            prop_oneof![
                (0..0x30_u32).prop_map(|leaf| (leaf, 0)),
                (0x8000_0000..0x8000_0030_u32).prop_map(|leaf| (leaf, 0)),
                (0..4_u32).prop_map(|subleaf| (7, subleaf)),
                (0..3_u32).prop_map(|subleaf| (0xb, subleaf)),
                (0..70_u32).prop_map(|subleaf| (0xd, subleaf)),
                (0x4000_0000..0x4000_0100_u32, any::<u32>()),
            ],
            0..64,
        ),
        full: bool,
    ) {
        let cpuid = cpuid(if full { CpuidPolicy::Full } else { CpuidPolicy::Reduced });
        let mut page = cpuid.fill(&request(&leaves)).unwrap();
        let filled = page.clone();
        prop_assert_eq!(cpuid.check(&mut page), Ok(()));
        prop_assert!(page == filled);
    }
}
