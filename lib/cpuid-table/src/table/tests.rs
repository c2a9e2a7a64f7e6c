//! Pages that are whole, distorted and arbitrary, and what is made of them.

extern crate std;

use std::vec::Vec;

use abi_snp::{CpuidEntry, CpuidPage};
use abi_x86::Cr4;
use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

use super::*;
use crate::answer::AnswerRegister;
use crate::finding::ComponentFault;
use crate::samples::{ASKER, entries, entry, of};

/// Makes the sample wrong.
type Change = fn(&mut Vec<CpuidEntry>);

fn page(entries: &[CpuidEntry]) -> CpuidPage {
    CpuidPage::new(entries).unwrap()
}

fn refusal(entries: &[CpuidEntry]) -> Refusal {
    CpuidTable::check(&page(entries), &mut |_| ()).unwrap_err()
}

/// Changes the sample, checks it and hands over the table and what was found.
fn with_change(
    change: impl FnOnce(&mut Vec<CpuidEntry>),
    examine: impl FnOnce(CpuidTable<'_>, &[Finding]),
) {
    let mut entries = entries();
    change(&mut entries);
    let page = page(&entries);
    let mut findings = Vec::new();
    let table = CpuidTable::check(&page, &mut |finding| findings.push(finding)).unwrap();
    examine(table, &findings);
}

#[test]
fn nothing_is_found_in_a_good_page() {
    with_change(
        |_| (),
        |table, findings| {
            assert_eq!(findings, []);
            assert_eq!(table.c_bit_position(), 51);
            assert_eq!(table.physical_address_bits(), 51);
            assert_eq!((table.supported_xcr0(), table.supported_xss()), (0x2e7, 0x1800));
            assert_eq!(table.query(0x8000_0001, 0, &ASKER).edx, 0x2fd3_fbff);
            assert_eq!(table.query(7, 0, &ASKER).ebx, 0xf1bf_07a9);
            assert_eq!(
                table.query(0xd, 7, &ASKER),
                Answer { eax: 0x400, ebx: 0x580, ecx: 0, edx: 0 }
            );
        },
    );
}

#[test]
fn sizes_follow_the_askers_registers() {
    with_change(
        |_| (),
        |table, _| {
            let sizes = |xcr0, xss| {
                let asker = Asker { xcr0, xss, ..ASKER };
                (table.query(0xd, 0, &asker).ebx, table.query(0xd, 1, &asker).ebx)
            };
            assert_eq!(sizes(1, 0), (0x240, 0x240));
            assert_eq!(sizes(7, 0), (0x340, 0x340));
            assert_eq!(sizes(0x2e7, 0), (0x988, 0x988));
            assert_eq!(sizes(0x207, 0x1800), (0x988, 0x340 + 8 + 16 + 24));
            // Bits that are not supported count for nothing.
            assert_eq!(sizes(u64::MAX, u64::MAX), (0x988, 0x988 + 16 + 24));
        },
    );
}

#[test]
fn missing_leaves_and_subleaves_are_zero() {
    with_change(
        |_| (),
        |table, _| {
            for (leaf, subleaf) in [
                (3, 0),
                (0x11, 0),
                (0xffff_ffff, 0),
                (0x4000_0000, 0),
                (0x8000_0022, 0),
                (7, 2),
                (7, u32::MAX),
                (0xd, 3),
                (0xd, 63),
                (0xd, 64),
                (0xd, u32::MAX),
            ] {
                assert_eq!(table.query(leaf, subleaf, &ASKER), Answer::ZERO, "{leaf:#x} {subleaf}");
            }
            // ECX does not matter to these.
            let vendor = table.query(0, 0, &ASKER);
            assert_eq!(table.query(0, 77, &ASKER), vendor);
            assert_eq!(table.query(1, u32::MAX, &ASKER), table.query(1, 0, &ASKER));
        },
    );
}

#[test]
fn identity_and_control_registers_are_the_askers() {
    with_change(
        |_| (),
        |table, _| {
            let asker = Asker { cr4: Cr4::OSXSAVE | Cr4::PKE, apic_id: 0x1_0007, ..ASKER };
            assert_eq!(table.query(1, 0, &asker).ebx, 0x0708_0800);
            assert_eq!(table.query(1, 0, &ASKER).ecx & OSXSAVE, 0);
            assert_ne!(table.query(1, 0, &asker).ecx & OSXSAVE, 0);
            assert_eq!(table.query(7, 0, &ASKER).ecx & OSPKE, 0);
            assert_ne!(table.query(7, 0, &asker).ecx & OSPKE, 0);
            for subleaf in [0, 1, 2, 0x102] {
                let answer = table.query(0xb, subleaf, &asker);
                assert_eq!((answer.ecx & 0xff, answer.edx), (subleaf & 0xff, 0x1_0007));
            }
            let topology = table.query(0x8000_001e, 0, &asker);
            assert_eq!((topology.eax, topology.ebx), (0x1_0007, 0x103));
        },
    );
}

#[test]
fn pages_that_cannot_be_used_are_refused() {
    let change = |change: Change| {
        let mut entries = entries();
        change(&mut entries);
        refusal(&entries)
    };
    for leaf in REQUIRED {
        let left: Vec<_> = entries().into_iter().filter(|entry| entry.eax_in != leaf).collect();
        assert_eq!(refusal(&left), Refusal::MissingLeaf(leaf), "{leaf:#x}");
    }
    assert_eq!(refusal(&[]), Refusal::MissingLeaf(0));
    assert_eq!(
        change(|e| of(e, 0x8000_0000, 0).eax = 0x8000_0008),
        Refusal::MissingLeaf(ENCRYPTION)
    );
    assert_eq!(change(|e| of(e, 0x8000_0000, 0).eax = 0), Refusal::MissingLeaf(EXTENDED_FEATURES));
    assert_eq!(change(|e| of(e, 0x8000_001f, 0).eax = 0b01010), Refusal::NoSnp(0b01010));
    assert_eq!(change(|e| of(e, 0x8000_001f, 0).ebx = 31), Refusal::CBitPosition(31));
    assert_eq!(change(|e| of(e, 0x8000_001f, 0).ebx = 52), Refusal::CBitPosition(52));
    assert_eq!(change(|e| of(e, 0x8000_0008, 0).eax = 0x3000), Refusal::PhysicalAddressBits(0));
    assert_eq!(change(|e| of(e, 0x8000_0008, 0).eax = 53), Refusal::PhysicalAddressBits(53));
    assert_eq!(
        change(|e| {
            let mut second = *of(e, 7, 0);
            second.ebx ^= 1 << 20;
            e.push(second);
        }),
        Refusal::Contradiction { leaf: 7, subleaf: 0 }
    );

    let good = page(&entries());
    for (place, expected) in
        [(0, Refusal::TooManyEntries), (4, Refusal::Reserved), (0x3c, Refusal::Reserved)]
    {
        let mut bytes = [0; 0x1000];
        bytes.copy_from_slice(good.as_bytes());
        bytes[place] = 65;
        let bad = CpuidPage::read_from_bytes(&bytes).unwrap();
        assert_eq!(CpuidTable::check(&bad, &mut |_| ()).unwrap_err(), expected);
    }
}

#[test]
fn useless_entries_are_named_and_not_used() {
    with_change(
        |entries| {
            let first = *of(entries, 0, 0);
            entries.push(first);
            entries.push(entry(1, 3, [9, 0, 0, 0]));
            entries.push(entry(0x11, 0, [9, 0, 0, 0]));
            entries.push(entry(7, 2, [9, 0, 0, 0]));
            entries.push(entry(0x12, 0, [0; 4]));
            entries.push(entry(0x4000_0000, 0, [9, 0, 0, 0]));
        },
        |table, findings| {
            assert_eq!(
                findings,
                [
                    Finding::BeyondMaximum { leaf: 7, subleaf: 2 },
                    Finding::BeyondMaximum { leaf: 0x11, subleaf: 0 },
                    Finding::UnexpectedSubleaf { leaf: 1, subleaf: 3 },
                    Finding::Repeated { leaf: 0, subleaf: 0 },
                ]
            );
            assert_ne!(table.query(1, 3, &ASKER).eax, 9);
            for (leaf, subleaf) in [(0x11, 0), (7, 2), (0x4000_0000, 0)] {
                assert_eq!(table.query(leaf, subleaf, &ASKER), Answer::ZERO);
            }
        },
    );
}

#[test]
fn sizes_for_several_register_values_are_no_contradiction() {
    with_change(
        |entries| {
            let mut second = *of(entries, 0xd, 0);
            (second.xcr0_in, second.ebx) = (7, 0x340);
            entries.push(second);
        },
        |_, findings| assert_eq!(findings, []),
    );
}

#[test]
fn greatest_leaf_is_cut_to_its_range() {
    with_change(
        |entries| of(entries, 0, 0).eax = 0x4000_0000,
        |table, findings| {
            assert_eq!(findings, [Finding::ImpossibleMaximum { leaf: 0, maximum: 0x4000_0000 }]);
            assert_eq!(table.query(0, 0, &ASKER).eax, 0xffff);
        },
    );
}

#[test]
fn features_go_with_their_state() {
    // No layout for the upper halves: all of AVX and AVX-512 goes.
    with_change(
        |entries| entries.retain(|entry| (entry.eax_in, entry.ecx_in) != (0xd, 2)),
        |table, findings| {
            assert_eq!(table.supported_xcr0(), 0x203);
            assert_eq!(
                findings[0],
                Finding::Component { number: 2, fault: ComponentFault::NoLayout }
            );
            for number in 5..8 {
                let gone = Finding::Component { number, fault: ComponentFault::Incomplete };
                assert!(findings.contains(&gone));
            }
            let avx = Finding::Features {
                leaf: 1,
                subleaf: 0,
                register: AnswerRegister::Ecx,
                bits: 1 << 12 | 1 << 28 | 1 << 29,
            };
            assert!(findings.contains(&avx), "{findings:?}");
            assert_eq!(table.query(1, 0, &ASKER).ecx & (1 << 12 | 1 << 28 | 1 << 29), 0);
            assert_ne!(table.query(1, 0, &ASKER).ecx & XSAVE, 0);
            assert_eq!(table.query(7, 0, &ASKER).ebx & (1 << 5 | 1 << 16 | 1 << 31), 0);
            assert_ne!(table.query(7, 0, &ASKER).ebx & 1 << 7, 0, "SMEP has nothing to do with it");
            assert_ne!(table.query(7, 0, &ASKER).ecx & PKU, 0);
        },
    );
}

#[test]
fn state_goes_with_its_feature() {
    with_change(
        |entries| of(entries, 7, 0).ecx &= !PKU,
        |table, findings| {
            assert_eq!(table.supported_xcr0(), 0xe7);
            let gone = Finding::Component { number: 9, fault: ComponentFault::NoFeature };
            assert!(findings.contains(&gone));
            // The stated size still counts the component.
            let size = Finding::AreaSize {
                subleaf: 0,
                register: AnswerRegister::Ecx,
                stated: 0x988,
                computed: 0x980,
            };
            assert!(findings.contains(&size));
            assert_eq!(table.query(0xd, 0, &ASKER).ecx, 0x980);
        },
    );
}

#[test]
fn without_xsave_there_is_no_state_at_all() {
    for change in [
        (|entries| of(entries, 1, 0).ecx &= !XSAVE) as Change,
        |entries| of(entries, 0xd, 0).eax &= !1,
        |entries| entries.retain(|entry| entry.eax_in != 0xd),
    ] {
        with_change(change, |table, _| {
            let asker = Asker { cr4: Cr4::OSXSAVE, xcr0: 7, ..ASKER };
            assert_eq!((table.supported_xcr0(), table.supported_xss()), (0, 0));
            for subleaf in [0, 1, 2, 9] {
                assert_eq!(table.query(0xd, subleaf, &asker), Answer::ZERO);
            }
            assert_eq!(table.query(1, 0, &asker).ecx & (XSAVE | OSXSAVE | 1 << 28), 0);
        });
    }
}

#[test]
fn layouts_that_do_not_hold_are_found() {
    let cases: [(Change, u32, ComponentFault); 8] = [
        (|e| of(e, 0xd, 2).eax = 128, 2, ComponentFault::Size),
        (|e| of(e, 0xd, 2).ebx = 0x200, 2, ComponentFault::Place),
        (|e| of(e, 0xd, 9).ebx = 0xffc, 9, ComponentFault::Place),
        (|e| of(e, 0xd, 9).ebx = u32::MAX, 9, ComponentFault::Place),
        (|e| of(e, 0xd, 9).ebx = 0x97c, 9, ComponentFault::Overlap),
        (|e| of(e, 0xd, 9).ecx = 1, 9, ComponentFault::Kind),
        (|e| of(e, 0xd, 11).ebx = 0x240, 11, ComponentFault::Place),
        (|e| of(e, 0xd, 0).eax |= 1 << 17, 17, ComponentFault::Unknown),
    ];
    for (change, number, fault) in cases {
        with_change(change, |table, findings| {
            assert!(findings.contains(&Finding::Component { number, fault }), "{findings:?}");
            assert_eq!((table.supported_xcr0() | table.supported_xss()) >> number & 1, 0);
            assert_eq!(table.query(0xd, number, &ASKER), Answer::ZERO);
        });
    }
}

#[test]
fn supervisor_state_needs_xsaves_and_xsaves_needs_xsavec() {
    for (eax, left) in [(0b0111, 0b0111), (0b1101, 0b0101)] {
        with_change(
            |entries| of(entries, 0xd, 1).eax = eax,
            |table, _| {
                assert_eq!(table.supported_xss(), 0);
                assert_eq!(table.query(0xd, 1, &ASKER).eax, left);
            },
        );
    }
}

/// Entries near the truth: sample entries with some registers changed.
fn distorted() -> impl Strategy<Value = Vec<CpuidEntry>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..7_u8, 0..32_u32), 0..12);
    changes.prop_map(|changes| {
        let mut entries = entries();
        for (index, field, bit) in changes {
            let length = entries.len();
            let entry = &mut entries[index.index(length)];
            match field {
                0 => entry.eax ^= 1 << bit,
                1 => entry.ebx ^= 1 << bit,
                2 => entry.ecx ^= 1 << bit,
                3 => entry.edx ^= 1 << bit,
                4 => entry.eax_in ^= 1 << bit,
                5 => entry.ecx_in ^= 1 << (bit & 3),
                _ => {
                    let copy = *entry;
                    entries.push(copy);
                }
            }
        }
        entries
    })
}

proptest! {
    #[test]
    fn what_is_offered_fits_together(entries in distorted(), xcr0: u64, xss: u64) {
        let page = page(&entries);
        if let Ok(table) = CpuidTable::check(&page, &mut |_| ()) {
            let asker = Asker { xcr0, xss, cr4: Cr4::all(), apic_id: 3 };
            let (user, supervisor) = (table.supported_xcr0(), table.supported_xss());
            prop_assert_eq!(user & supervisor, 0);
            prop_assert!(user == 0 || user & 3 == 3);
            let general = table.query(0xd, 0, &asker);
            if user != 0 {
                prop_assert!((0x240..=general.ecx).contains(&general.ebx));
                prop_assert!(general.ecx <= 0x1000);
            }
            for number in 2..64 {
                let offered = (user | supervisor) >> number & 1 != 0;
                prop_assert_eq!(table.query(0xd, number, &asker) != Answer::ZERO, offered);
            }
            let features = table.query(1, 0, &asker).ecx;
            prop_assert!(features & 1 << 28 == 0 || user & 4 != 0, "AVX without its state");
            prop_assert_eq!(features & OSXSAVE != 0, user != 0);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0x1000), leaf: u32, subleaf: u32) {
        let page = CpuidPage::read_from_bytes(&bytes).unwrap();
        if let Ok(table) = CpuidTable::check(&page, &mut |_| ()) {
            let _ = table.query(leaf, subleaf, &ASKER);
        }
    }
}
