//! Calls in any order with any arguments: what the model asserts always holds,
//! and the account of pages says what the model's pages are.

extern crate std;

use std::vec::Vec;

use abi_svsm::CallRegisters;
use abi_svsm::core_protocol::ListHeader;
use page_state::PageState;
use proptest::prelude::*;

use super::guest::{APIC_IDS, Guest};
use super::model::{self, SaveArea};
use crate::level::{GUESTS, MODULES};
use crate::registry::Current;

/// Pages around all borders.
fn page() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 0_u64..70,
        1 => 510_u64..516,
        1 => 1022_u64..1028,
        1 => 1533_u64..1540,
        1 => any::<u64>().prop_map(|word| word >> 12),
    ]
}

fn address() -> impl Strategy<Value = u64> {
    (page(), prop_oneof![4 => Just(0_u64), 2 => Just(8), 1 => 0_u64..4096])
        .prop_map(|(page, offset)| page << 12 | offset)
}

fn entry() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => (page(), 0_u64..16).prop_map(|(page, flags)| page << 12 | flags & 0xc),
        2 => (0_u64..4, 0_u64..16).prop_map(|(chunk, flags)| chunk << 21 | flags & 0xc | 1),
        1 => any::<u64>(),
    ]
}

#[derive(Clone, Debug)]
struct Step {
    processor: usize,
    registers: CallRegisters,
    list: u64,
    header: (u16, u16),
    entries: Vec<u64>,
}

fn step() -> impl Strategy<Value = Step> {
    (
        0_usize..2,
        (
            prop_oneof![8 => 0_u64..9, 1 => (1_u64 << 32)..(1 << 32) + 3],
            address(),
            address(),
            prop_oneof![Just(0x10_u64), Just(0x11), any::<u64>()],
        ),
        prop::collection::vec(entry(), 1..6),
        prop_oneof![8 => Just(None), 1 => any::<(u16, u16)>().prop_map(Some)],
    )
        .prop_map(|(processor, (rax, rcx, rdx, r8), entries, header)| Step {
            processor,
            registers: CallRegisters { rax, rcx, rdx, r8, r9: 0 },
            list: rcx,
            header: header.unwrap_or((entries.len() as u16, 0)),
            entries,
        })
}

/// The guest prepares its call: it writes where it can.
fn prepare(guest: &Guest, step: &Step) -> Option<()> {
    let (save_area, calling_area) = match guest.calls.registry.current(step.processor) {
        Current::Vcpu(vcpu) => (vcpu.calling().save_area(), vcpu.calling().calling_area()),
        _ => return None,
    };
    let (page, offset) = (step.list >> 12, (step.list & 0xff8) as usize);
    if guest.state(page) == GUESTS {
        let header = ListHeader { entries: step.header.0, next: step.header.1, reserved: 0 };
        let room = (4096 - offset) / 8 - 1;
        let at = abi_svsm::ListAddress::at(page << 12 | offset as u64)?;
        guest.write_list(at, header, &step.entries[..step.entries.len().min(room)]);
        if step.registers.rax == 2 {
            guest
                .model()
                .with(|state| state.save_areas.entry(page).or_insert(SaveArea::of_guest()).right);
        }
    }
    guest.announce(save_area, calling_area, step.registers);
    Some(())
}

fn run(guest: &Guest, step: &Step) {
    if prepare(guest, step).is_some() {
        guest.calls.serve(step.processor);
    }
}

/// The account says what the model's pages are.
fn check(guest: &Guest) {
    guest.model().check();
    for number in 0..model::END {
        let page = guest.model().with(|state| state.pages[number as usize]);
        let state = guest.state(number);
        let expected = match (page.is_save_area, page.is_validated, page.is_permitted) {
            (true, true, false) => PageState::SaveArea,
            (false, true, true) => GUESTS,
            (false, true, false) => MODULES,
            (false, false, false) if !matches!(state, PageState::Shared | PageState::Absent) => {
                PageState::Unvalidated
            }
            (false, false, false) => state,
            other => panic!("page {number}: {other:?}"),
        };
        assert_eq!(state, expected, "page {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_that_a_guest_asks_breaks_the_rules(steps in prop::collection::vec(step(), 1..40)) {
        let guest = Guest::new();
        let area = model::SECOND_CALLING_AREA;
        guest.create(model::FREE.start, area, APIC_IDS[1]);
        steps.iter().for_each(|step| run(&guest, step));
        check(&guest);
    }

    /// The same from both processors at once.
    #[test]
    fn nor_what_two_processors_ask(
        first in prop::collection::vec(step(), 1..60),
        second in prop::collection::vec(step(), 1..60),
    ) {
        let guest = Guest::new();
        guest.create(model::FREE.start, model::SECOND_CALLING_AREA, APIC_IDS[1]);
        std::thread::scope(|scope| {
            for (processor, steps) in [first, second].into_iter().enumerate() {
                let guest = &guest;
                scope.spawn(move || {
                    for step in steps {
                        run(guest, &Step { processor, ..step });
                    }
                });
            }
        });
        check(&guest);
    }
}
