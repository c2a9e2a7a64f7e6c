//! Calls of a guest with two processors, in any order: the model of the machine
//! asserts what must never happen.
#![no_main]

use abi_snp::SevFeatures;
use abi_svsm::core_protocol::CoreCallNumber;
use abi_svsm::{CallRegisters, Protocol, ResultCode};
use guest_calls::{GuestCalls, Registry, Served};
use libfuzzer_sys::fuzz_target;
use page_state::{ChunkWord, DetailBlock, FixedBlocks, GuestLevel, Owner, PageState, PageStates};

use self::model::{Model, SaveArea};

// What the model knows under these names inside its crate.
mod machine {
    pub use guest_calls::{
        CallState, Change, EntryRight, GuestMemory, Inaccessible, InstructionError, MemoryPool,
        OpenPage, Pages, PoolFull, SaveAreaProperties, SaveAreas, Translations,
    };
}
mod page_rights {
    pub use guest_calls::{ClaimedPage, HeldPage, SaveAreaPage};
}
mod reports {
    pub use guest_calls::{ReportFailure, Reports, ServiceManifest, Services};
}
#[allow(dead_code, reason = "the tests of its crate use all of it")]
#[path = "../../kernel/guest-calls/src/tests/model.rs"]
mod model;

const GUESTS: PageState = PageState::Validated(Owner::Guest(GuestLevel::Two));
/// The save areas that the two processors begin with, and their calling areas.
const VCPUS: [(u64, u64); 2] =
    [(model::SAVE_AREA, model::CALLING_AREA), (model::FREE.start, model::SECOND_CALLING_AREA)];
/// Bytes of the input for one call.
const STEP: usize = 32;

/// Numbers of pages in 16 bits: those with memory, and some far away.
fn page(bytes: [u8; 2]) -> u64 {
    let word = u64::from(u16::from_le_bytes(bytes));
    if word < 0xf000 { word % (model::END + 8) } else { word << 36 }
}

fuzz_target!(|input: &[u8]| {
    let words: [ChunkWord; 3] = core::array::from_fn(|_| ChunkWord::new());
    let blocks: [DetailBlock; 4] = core::array::from_fn(|_| DetailBlock::new());
    let mut pages = PageStates::new(&words, FixedBlocks::new(&blocks));
    let one = |page| page..page + 1;
    for (range, state) in [
        (0..model::MODULES.start, GUESTS),
        (one(model::SAVE_AREA), PageState::SaveArea),
        (model::MODULES, PageState::Validated(Owner::Module)),
        (model::SHARED, PageState::Shared),
        (one(model::MODULES_SAVE_AREA), PageState::SaveArea),
        (model::UNVALIDATED, PageState::Unvalidated),
        (model::UNVALIDATED_CHUNK..model::GUESTS_CHUNK, PageState::Unvalidated),
        (model::GUESTS_CHUNK..model::END, GUESTS),
    ] {
        pages.declare(range, state).expect("blocks for three chunks");
    }
    let registry = Registry::new(&[0, 1], 6).expect("there is memory");
    registry.set_first_vcpu(VCPUS[0].0, VCPUS[0].1).expect("it is the first");
    let calls = GuestCalls::new(Model::new(), &pages, registry, SevFeatures::SNP_ACTIVE);
    let model = calls.machine();
    let mut vcpus = VCPUS;
    let mut call = |number: usize, registers: CallRegisters| {
        let (save_area, calling_area) = vcpus[number];
        let is_announced = model.with(|state| {
            let Some(area) = state.save_areas.get_mut(&save_area) else { return false };
            area.call.registers = registers;
            area.exit_code = 0x403;
            state.write(calling_area, 0, &[1]);
            state.pages[save_area as usize].is_save_area
        });
        if !is_announced {
            return;
        }
        let Served::Answered { call, result: ResultCode::SUCCESS } = calls.serve(number) else {
            return;
        };
        // Where the processors' virtual ones are from now on.
        let CallRegisters { rcx, rdx, r8, .. } = registers;
        match (call.protocol, CoreCallNumber(call.call)) {
            (Protocol::CORE, CoreCallNumber::REMAP_CALLING_AREA) => vcpus[number].1 = rcx >> 12,
            (Protocol::CORE, CoreCallNumber::CREATE_VCPU) => {
                vcpus[r8 as usize] = (rcx >> 12, rdx >> 12);
            }
            _ => {}
        }
    };
    model.with(|state| state.save_areas.insert(VCPUS[1].0, SaveArea::of_guest()));
    let (rcx, rdx) = (VCPUS[1].0 << 12, VCPUS[1].1 << 12);
    call(0, CallRegisters { rax: 2, rcx, rdx, r8: 1, r9: 0 });

    for step in input.chunks_exact(STEP) {
        let [kind, flags, a, b, c, d, e, f, list @ ..] = step else { continue };
        let (first, second) = (page([*a, *b]), page([*c, *d]));
        let offset = u64::from(u16::from_le_bytes([*e, *f]) & 0xfff);
        let rax = u64::from(kind & 7) | u64::from(kind >> 4 & 1) << 32;
        let rcx = first << 12 | offset;
        // The guest writes a list where the call finds one, if it can.
        if pages.state(first) == GUESTS {
            let room = list.len().min(4096 - offset as usize);
            model.with(|state| state.write(first, offset as usize, &list[..room]));
            if flags & 2 != 0 {
                model.with(|state| state.save_areas.insert(first, SaveArea::of_guest()));
            }
        }
        let registers =
            CallRegisters { rax, rcx, rdx: second << 12, r8: u64::from(flags >> 2 & 3), r9: 0 };
        call(usize::from(flags & 1), registers);
        model.check();
    }
    for number in 0..model::END {
        let page = model.with(|state| state.pages[number as usize]);
        let is_right = match pages.state(number) {
            PageState::SaveArea => page.is_save_area && !page.is_permitted,
            GUESTS => page.is_validated && page.is_permitted,
            PageState::Validated(_) => page.is_validated && !page.is_permitted,
            PageState::Unvalidated | PageState::Shared | PageState::Absent => !page.is_validated,
        };
        assert!(is_right, "page {number:#x}: {page:?}");
    }
});
