//! Random histories: both models agree, and nothing impossible comes about.

extern crate std;

use std::vec;
use std::vec::Vec;

use abi_snp::{PagePermissions, PageType, VmplPermissions};
use proptest::prelude::*;
use proptest::sample::select;

use crate::execution::{Cpl, Execution};
use crate::gpa::Gpa;
use crate::reverse_map::access::{Access, AccessKind};
use crate::reverse_map::completion::Outcome;
use crate::reverse_map::entry::Entry;
use crate::reverse_map::host::Assignment;
use crate::reverse_map::instruction::{Encryption, Registers};
use crate::reverse_map::map::ReverseMap;
use crate::reverse_map::rule::RefusalRule;
use crate::reverse_map::samples::{SMALL, identity};
use crate::reverse_map::second_model::{Answer, Page, SecondModel};
use crate::reverse_map::table::MemoryRange;
use abi_snp::PageSize;
use abi_snp::ReturnCode;
use abi_snp::Vmpl;

/// First page number and count of the covered memory: two times 2 MiB; then 2
/// MiB with two pages before and one behind.
const MEMORY: [(u64, u64); 2] = [(0, 1024), (2046, 515)];

/// Page numbers at the edges of pages of 2 MiB and of the covered memory.
const PAGES: [u64; 14] = [0, 1, 2, 511, 512, 513, 1023, 1024, 2046, 2047, 2048, 2049, 2559, 2560];

/// Page numbers where pages of 2 MiB fit.
const BLOCKS: [u64; 3] = [0, 512, 2048];

/// Something that somebody does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Pvalidate {
        who: (u8, u8),
        page: u64,
        large: bool,
        validate: bool,
    },
    Rmpadjust {
        who: (u8, u8),
        page: u64,
        large: bool,
        adjustment: (u8, u8, bool),
    },
    Rmpquery {
        who: (u8, u8),
        page: u64,
        target: u8,
    },
    Rmpupdate {
        page: u64,
        large: bool,
        assignment: Assignment,
    },
    /// RMPUPDATE for 512 pages, one by one.
    UpdateAll {
        page: u64,
        assignment: Assignment,
    },
    /// SNP_LAUNCH_UPDATE for 512 pages, one by one.
    LaunchAll {
        page: u64,
        page_type: u8,
        lower: [u8; 3],
    },
    Psmash {
        page: u64,
    },
    Remap {
        page: u64,
        elsewhere: bool,
    },
    Launch {
        page: u64,
        large: bool,
        page_type: u8,
        lower: [u8; 3],
    },
    Reclaim {
        page: u64,
        large: bool,
    },
    Unsmash {
        page: u64,
    },
    Enter {
        page: u64,
    },
    Leave {
        page: u64,
    },
    Access {
        who: (u8, u8),
        page: u64,
        kind: AccessKind,
        encrypted: bool,
        nested_large: bool,
    },
}

/// A page and whether it is meant to be of 2 MiB: mostly one that makes sense.
fn spot() -> impl Strategy<Value = (u64, bool)> {
    prop_oneof![
        6 => (select(&[0_u64, 1, 512, 513, 2048][..]), Just(false)),
        4 => (select(&BLOCKS[..]), Just(true)),
        1 => (select(&PAGES[..]), any::<bool>()),
    ]
}

/// Privilege levels: mostly a kernel at VMPL0, so that instructions are allowed.
fn who() -> impl Strategy<Value = (u8, u8)> {
    let level = prop_oneof![6 => Just(0_u8), 2 => Just(1), 1 => 2..4_u8];
    (level, prop_oneof![9 => Just(0_u8), 1 => 1..4_u8])
}

fn assignment() -> impl Strategy<Value = Assignment> {
    prop_oneof![
        3 => Just(Assignment::Guest),
        1 => Just(Assignment::Hypervisor),
        1 => Just(Assignment::Immutable),
    ]
}

/// Permissions of the levels below VMPL0: often many.
fn lower() -> impl Strategy<Value = [u8; 3]> {
    let mask = || prop_oneof![Just(0x1f_u8), 0..0x20_u8];
    [mask(), mask(), mask()]
}

fn page_type() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(1_u8), 2 => Just(2), 1 => 0..8_u8]
}

fn guest_step() -> impl Strategy<Value = Step> {
    let adjustment = || (0..5_u8, prop_oneof![3 => 0..0x20_u8, 1 => 0..=0xff_u8], any::<bool>());
    let kind = select(AccessKind::ALL[..5].to_vec());
    prop_oneof![
        3 => (who(), spot(), any::<bool>()).prop_map(|(who, (page, large), validate)| {
            Step::Pvalidate { who, page, large, validate }
        }),
        4 => (who(), spot(), adjustment()).prop_map(|(who, (page, large), adjustment)| {
            Step::Rmpadjust { who, page, large, adjustment }
        }),
        1 => (who(), spot(), 0..5_u8)
            .prop_map(|(who, (page, _), target)| Step::Rmpquery { who, page, target }),
        3 => (who(), spot(), kind, any::<bool>()).prop_map(
            |(who, (page, nested_large), kind, encrypted)| {
                Step::Access { who, page, kind, encrypted, nested_large }
            }
        ),
    ]
}

fn host_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (spot(), assignment()).prop_map(|((page, large), assignment)| {
            Step::Rmpupdate { page, large, assignment }
        }),
        1 => (select(&BLOCKS[..]), assignment())
            .prop_map(|(page, assignment)| Step::UpdateAll { page, assignment }),
        2 => spot().prop_map(|(page, _)| Step::Psmash { page }),
        1 => (spot(), any::<bool>())
            .prop_map(|((page, _), elsewhere)| Step::Remap { page, elsewhere }),
        4 => (spot(), page_type(), lower()).prop_map(|((page, large), page_type, lower)| {
            Step::Launch { page, large, page_type, lower }
        }),
        3 => spot().prop_map(|(page, large)| Step::Reclaim { page, large }),
        2 => select(&BLOCKS[..]).prop_map(|page| Step::Unsmash { page }),
        4 => spot().prop_map(|(page, _)| Step::Enter { page }),
        2 => spot().prop_map(|(page, _)| Step::Leave { page }),
    ]
}

/// How one block begins: shared, of small pages or a large one.
fn beginning(page: u64) -> impl Strategy<Value = Vec<Step>> {
    let assignment = Assignment::Immutable;
    let small = (page_type(), lower()).prop_map(move |(page_type, lower)| {
        let launch = Step::LaunchAll { page, page_type, lower };
        vec![Step::UpdateAll { page, assignment }, launch]
    });
    let large = lower().prop_map(move |lower| {
        let launch = Step::Launch { page, large: true, page_type: 1, lower };
        vec![Step::Rmpupdate { page, large: true, assignment }, launch]
    });
    prop_oneof![1 => Just(vec![]), 2 => small, 2 => large]
}

/// A history: a launch, then what guest and host do.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let later = prop_oneof![1 => guest_step(), 1 => host_step()];
    (BLOCKS.map(beginning), proptest::collection::vec(later, 0..100))
        .prop_map(|(beginnings, later)| beginnings.into_iter().flatten().chain(later).collect())
}

fn size(large: bool) -> PageSize {
    if large { PageSize::Size2M } else { PageSize::Size4K }
}

fn address(page: u64) -> u64 {
    page * SMALL
}

fn execution((level, ring): (u8, u8)) -> Execution {
    let vmpl = Vmpl::from_number(level).unwrap();
    Execution { cpl: Cpl::from_low_bits(ring), ..Execution::kernel(vmpl) }
}

fn answer(outcome: &Outcome) -> Answer {
    match outcome {
        Outcome::Complete(completion) => {
            Answer::Code(completion.code.number(), completion.unchanged)
        }
        Outcome::Fault(fault) => Answer::Breaks(fault.rule),
    }
}

fn code(result: Result<(), RefusalRule>) -> u32 {
    result.map_or_else(RefusalRule::return_code, |()| ReturnCode::Success).number()
}

/// Does the step in both models and compares what they say.
fn take(step: Step, map: &mut ReverseMap, second: &mut SecondModel) -> Result<(), TestCaseError> {
    match step {
        Step::Pvalidate { who, page, large, validate } => {
            let (rcx, rdx) = (u64::from(large), u64::from(validate));
            let registers = Registers { rax: address(page), rcx, rdx };
            let outcome = map.pvalidate(&registers, &execution(who), identity).unwrap();
            prop_assert_eq!(answer(&outcome), second.pvalidate(who, page, large, validate));
        }
        Step::Rmpadjust { who, page, large, adjustment } => {
            let (target, mask, save_area) = adjustment;
            let rdx = u64::from(target) | u64::from(mask) << 8 | u64::from(save_area) << 16;
            let registers = Registers { rax: address(page), rcx: u64::from(large), rdx };
            let outcome = map.rmpadjust(&registers, &execution(who), identity).unwrap();
            let answer = answer(&outcome);
            prop_assert_eq!(answer, second.rmpadjust(who, page, large, adjustment));
            if answer == Answer::Code(0, false) {
                let entry = map.entry(Gpa(address(page))).unwrap();
                let own = entry.permissions(execution(who).vmpl);
                let granted = entry.permissions(Vmpl::from_number(target).unwrap());
                prop_assert!(own.contains(granted), "{own:?} granted {granted:?}");
            }
        }
        Step::Rmpquery { who, page, target } => {
            let registers = Registers { rax: address(page), rcx: 0, rdx: u64::from(target) };
            let outcome = map.rmpquery(&registers, &execution(who), identity).unwrap();
            let written = match outcome {
                Outcome::Complete(completion) => completion.rcx.zip(completion.rdx),
                Outcome::Fault(_) => None,
            };
            prop_assert_eq!((answer(&outcome), written), second.rmpquery(who, page, target));
        }
        Step::Rmpupdate { page, large, assignment } => {
            let result = map.rmpupdate(Gpa(address(page)), size(large), assignment);
            prop_assert_eq!(code(result), second.rmpupdate(page, large, assignment));
        }
        Step::UpdateAll { page, assignment } => {
            for page in page..page + 512 {
                take(Step::Rmpupdate { page, large: false, assignment }, map, second)?;
            }
        }
        Step::LaunchAll { page, page_type, lower } => {
            for page in page..page + 512 {
                take(Step::Launch { page, large: false, page_type, lower }, map, second)?;
            }
        }
        Step::Psmash { page } => {
            prop_assert_eq!(code(map.psmash(Gpa(address(page)))), second.psmash(page));
        }
        Step::Remap { page, elsewhere } => {
            let gpa = Gpa(address(page));
            let result = if elsewhere { map.remap(gpa) } else { map.map_back(gpa) };
            prop_assert_eq!(result.is_ok(), second.pages.contains_key(&page));
            second.set_elsewhere(page, elsewhere);
        }
        Step::Launch { page, large, page_type, lower } => {
            let [vmpl1, vmpl2, vmpl3] = lower.map(PagePermissions::from_bits_retain);
            let permissions = VmplPermissions { vmpl1, vmpl2, vmpl3 };
            let gpa = Gpa(address(page));
            let result = map.launch_update(gpa, size(large), PageType(page_type), permissions);
            prop_assert_eq!(result, second.launch(page, large, page_type, lower));
        }
        Step::Reclaim { page, large } => {
            let result = map.page_reclaim(Gpa(address(page)), size(large));
            prop_assert_eq!(result, second.reclaim(page, large));
        }
        Step::Unsmash { page } => {
            prop_assert_eq!(map.page_unsmash(Gpa(address(page))), second.unsmash(page));
        }
        Step::Enter { page } => {
            prop_assert_eq!(map.enter_save_area(Gpa(address(page))), second.enter(page));
        }
        Step::Leave { page } => {
            map.leave_save_area(Gpa(address(page)));
            second.leave(page);
        }
        Step::Access { who, page, kind, encrypted, nested_large } => {
            let access = Access {
                gpa: Gpa(address(page) + 0x123),
                length: 8,
                kind,
                encryption: if encrypted { Encryption::Private } else { Encryption::Shared },
                nested_page_size: size(nested_large),
            };
            let rule = map.check(&access, &execution(who)).err().map(|fault| fault.rule);
            prop_assert_eq!(rule, second.access(who, page, kind, encrypted, nested_large));
        }
    }
    Ok(())
}

fn both() -> (ReverseMap, SecondModel) {
    let ranges = MEMORY
        .map(|(first, count)| MemoryRange { start: Gpa(address(first)), bytes: address(count) });
    let numbers = MEMORY.into_iter().flat_map(|(first, count)| first..first + count);
    (ReverseMap::new(&ranges).unwrap(), SecondModel::new(numbers))
}

fn same(entry: Entry, page: &Page) -> bool {
    let permissions = Vmpl::ALL.map(|vmpl| entry.permissions(vmpl).bits());
    (entry.is_assigned(), entry.is_immutable()) == (page.assigned, page.immutable)
        && (entry.is_validated(), entry.is_save_area()) == (page.validated, page.save_area)
        && (entry.is_in_use(), entry.is_remapped()) == (page.running, page.elsewhere)
        && (entry.page_size(), permissions) == (size(page.large), page.permissions)
}

/// What has to be true of every entry at any time.
fn is_possible(entry: Entry) -> bool {
    let unassigned_is_empty = entry.is_assigned()
        || !entry.is_validated()
            && !entry.is_immutable()
            && !entry.is_save_area()
            && entry.page_size() == PageSize::Size4K
            && [Vmpl::Vmpl1, Vmpl::Vmpl2, Vmpl::Vmpl3]
                .into_iter()
                .all(|vmpl| entry.permissions(vmpl).is_empty());
    let running_can_run = !entry.is_in_use() || entry.is_save_area() && !entry.is_immutable();
    unassigned_is_empty && running_can_run
}

proptest! {
    #[test]
    fn both_models_tell_the_same(steps in steps()) {
        let (mut map, mut second) = both();
        for step in steps {
            take(step, &mut map, &mut second)?;
            for page in PAGES {
                let entry = map.entry(Gpa(address(page)));
                let expected = second.pages.get(&page);
                prop_assert_eq!(entry.is_some(), expected.is_some());
                if let Some((entry, expected)) = entry.zip(expected) {
                    prop_assert!(same(entry, expected), "{step:?}: {page}: {entry:?} {expected:?}");
                }
            }
        }
        for (page, expected) in &second.pages {
            let entry = map.entry(Gpa(address(*page))).unwrap();
            prop_assert!(same(entry, expected), "{page}: {entry:?} {expected:?}");
            prop_assert!(is_possible(entry), "{page}: {entry:?}");
        }
    }

    #[test]
    fn pages_are_listed_whole_and_in_order(steps in steps()) {
        let (mut map, mut second) = both();
        for step in steps {
            take(step, &mut map, &mut second)?;
        }
        let mut pages = second.pages.keys().copied();
        for (gpa, entry) in map.pages() {
            prop_assert!(gpa.is_aligned(entry.page_size()));
            for offset in 0..entry.page_size().small_pages() as u64 {
                prop_assert_eq!(pages.next(), Some(gpa.page_number() + offset));
                let part = map.entry(Gpa(gpa.0 + address(offset)));
                prop_assert_eq!(part, Some(entry));
            }
        }
        prop_assert_eq!(pages.next(), None);
    }

    #[test]
    fn no_operands_panic_and_no_fault_changes_anything(
        (rax, rcx, rdx) in any::<(u64, u64, u64)>(),
        who in (0..4_u8, 0..4_u8),
        gpa in any::<u64>(),
        length in any::<u16>(),
        kind in select(AccessKind::ALL.to_vec()),
    ) {
        let (mut map, _) = both();
        map.rmpupdate(Gpa(0), PageSize::Size2M, Assignment::Guest).unwrap();
        let before: Vec<_> = map.pages().collect();
        let registers = Registers { rax, rcx, rdx };
        let execution = execution(who);
        let elsewhere = |_| identity(gpa | 1 << 40);
        let outcomes = [
            map.pvalidate(&registers, &execution, elsewhere).unwrap(),
            map.rmpadjust(&registers, &execution, elsewhere).unwrap(),
            map.rmpquery(&registers, &execution, elsewhere).unwrap(),
        ];
        let succeeded = outcomes.map(|outcome| matches!(answer(&outcome), Answer::Code(0, _)));
        prop_assert_eq!(succeeded, [false; 3]);
        for encryption in [Encryption::Private, Encryption::Shared] {
            for nested_page_size in PageSize::ALL {
                let access = Access { gpa: Gpa(gpa), length, kind, encryption, nested_page_size };
                let _ = map.check(&access, &execution);
            }
        }
        prop_assert_eq!(map.pages().collect::<Vec<_>>(), before);
    }
}
