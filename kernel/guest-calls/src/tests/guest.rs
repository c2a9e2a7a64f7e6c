//! A guest with two processors on the model, and how it calls.

extern crate std;

use std::boxed::Box;
use std::vec::Vec;

use abi_snp::SevFeatures;
use abi_svsm::core_protocol::{CoreCall, ListHeader};
use abi_svsm::{CallRegisters, GuestPage, ListAddress, ResultCode};
use page_state::{ChunkWord, DetailBlock, FixedBlocks, PageState, PageStates};
use zerocopy::IntoBytes;

use super::model::{self, Model, SaveArea};
use crate::guest_calls::GuestCalls;
use crate::level::{GUESTS, MODULES};
use crate::registry::Registry;
use crate::reports::ServiceManifest;
use crate::serve::Served;

pub(super) type Calls = GuestCalls<'static, Model, FixedBlocks<'static>>;

/// APIC identifiers of processors 0 and 1.
pub(super) const APIC_IDS: [u32; 2] = [0x10, 0x11];
/// Save areas that the registry has place for.
pub(super) const VCPUS: usize = 4;

pub(super) struct Guest {
    pub(super) calls: Calls,
}

/// The page with this number.
pub(super) fn page(number: u64) -> GuestPage {
    GuestPage::at(number * 4096).unwrap()
}

/// The list at this byte of [`model::LIST`].
pub(super) fn list(offset: u64) -> ListAddress {
    ListAddress::at(model::LIST * 4096 + offset).unwrap()
}

impl Guest {
    pub(super) fn new() -> Self {
        Self::with_blocks(8)
    }

    /// The account of pages has so many blocks for chunks whose pages differ.
    pub(super) fn with_blocks(blocks: usize) -> Self {
        Self::with(blocks, Vec::new())
    }

    /// With services that have these manifests.
    pub(super) fn with_services(manifests: Vec<ServiceManifest<'static>>) -> Self {
        Self::with(8, manifests)
    }

    fn with(blocks: usize, manifests: Vec<ServiceManifest<'static>>) -> Self {
        let words: Vec<ChunkWord> = (0..3).map(|_| ChunkWord::new()).collect();
        let blocks: Vec<DetailBlock> = (0..blocks).map(|_| DetailBlock::new()).collect();
        // Never freed: the process is short.
        let mut states =
            PageStates::new(Box::leak(words.into()), FixedBlocks::new(Box::leak(blocks.into())));
        for (pages, state) in [
            (0..model::MODULES.start, GUESTS),
            (model::SAVE_AREA..model::SAVE_AREA + 1, PageState::SaveArea),
            (model::MODULES, MODULES),
            (model::SHARED, PageState::Shared),
            (model::MODULES_SAVE_AREA..model::MODULES_SAVE_AREA + 1, PageState::SaveArea),
            (model::UNVALIDATED, PageState::Unvalidated),
            (model::ABSENT, PageState::Absent),
            (model::UNVALIDATED_CHUNK..model::GUESTS_CHUNK, PageState::Unvalidated),
            (model::GUESTS_CHUNK..model::END, GUESTS),
        ] {
            states.declare(pages, state).unwrap();
        }
        let registry = Registry::new(&APIC_IDS, VCPUS).unwrap();
        registry.set_first_vcpu(model::SAVE_AREA, model::CALLING_AREA).unwrap();
        let states = Box::leak(Box::new(states));
        let mut model = Model::new();
        model.manifests = manifests;
        Self { calls: GuestCalls::new(model, states, registry, SevFeatures::SNP_ACTIVE) }
    }

    pub(super) fn model(&self) -> &Model {
        self.calls.machine()
    }

    pub(super) fn state(&self, page: u64) -> PageState {
        self.calls.pages.state(page)
    }

    /// Puts registers into a save area and announces the call in a calling area.
    pub(super) fn announce(&self, save_area: u64, calling_area: u64, registers: CallRegisters) {
        self.model().with(|state| {
            let area = state.save_areas.get_mut(&save_area).unwrap();
            area.call.registers = registers;
            area.exit_code = 0x403;
            state.write(calling_area, 0, &[1]);
        });
    }

    /// A call with these registers by the first virtual processor, and the
    /// registers afterwards.
    pub(super) fn call_with(&self, registers: CallRegisters) -> CallRegisters {
        let area = self.calls.registry.first_calling_area().unwrap();
        self.announce(model::SAVE_AREA, area, registers);
        let served = self.calls.serve(0);
        self.model().check();
        let after = self.registers(model::SAVE_AREA);
        let result = ResultCode::from_rax(after.rax);
        let call = abi_svsm::CallId::decode(registers.rax);
        assert_eq!(served, Served::Answered { call, result });
        after
    }

    pub(super) fn registers(&self, save_area: u64) -> CallRegisters {
        self.model().with(|state| state.save_areas[&save_area].call.registers)
    }

    /// A core call by the first virtual processor.
    pub(super) fn call(&self, call: CoreCall) -> ResultCode {
        ResultCode::from_rax(self.call_with(call.encode()).rax)
    }

    /// Writes a list of words behind a header.
    pub(super) fn write_list(&self, at: ListAddress, header: ListHeader, words: &[u64]) {
        self.model().with(|state| {
            state.write(at.page().number(), at.offset(), header.as_bytes());
            state.write(at.page().number(), at.offset() + 8, words.as_bytes());
        });
    }

    /// Which entry of a list is next.
    pub(super) fn next(&self, at: ListAddress) -> u16 {
        self.model().with(|state| {
            let byte = |offset| state.read(at.page().number(), at.offset() + offset);
            u16::from_le_bytes([byte(2), byte(3)])
        })
    }

    /// Asks for the validation that these words say, in a list of their own.
    pub(super) fn validate(&self, words: &[u64]) -> (ResultCode, u16) {
        let header = ListHeader::new(words.len().try_into().unwrap());
        self.write_list(list(0), header, words);
        let result = self.call(CoreCall::Validate { list: list(0) });
        (result, self.next(list(0)))
    }

    /// Prepares a page as save area, and asks for a virtual processor.
    pub(super) fn create(&self, save_area: u64, calling_area: u64, apic_id: u32) -> ResultCode {
        self.model().with(|state| state.save_areas.insert(save_area, SaveArea::of_guest()));
        self.call(CoreCall::CreateVcpu {
            save_area: page(save_area),
            calling_area: page(calling_area),
            apic_id,
        })
    }

    pub(super) fn delete(&self, save_area: u64) -> ResultCode {
        self.call(CoreCall::DeleteVcpu { save_area: page(save_area) })
    }
}
