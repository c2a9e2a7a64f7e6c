//! A machine that notices what must never happen.
//!
//! Its pages have the state that the processor's reverse map would have, and
//! every operation asserts what it takes for granted: that the module's pages
//! are not touched, that no page is shown to the guest with what it held before,
//! that nobody remembers a permission when a page becomes a save area or the
//! module's.

extern crate std;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::vec::Vec;

use abi_snp::{AttestationReport, PageSize, ReturnCode, SevFeatures};
use abi_svsm::{CallRegisters, GuestPage};
use abi_x86::Efer;

use crate::machine::{
    CallState, Change, EntryRight, GuestMemory, Inaccessible, InstructionError, MemoryPool,
    OpenPage, Pages, PoolFull, SaveAreaProperties, SaveAreas, Translations,
};
use crate::page_rights::{ClaimedPage, HeldPage, SaveAreaPage};
use crate::reports::{ReportFailure, Reports, ServiceManifest, Services};

/// What is where when a test begins; the rest is unvalidated.
pub(super) const CALLING_AREA: u64 = 1;
pub(super) const SAVE_AREA: u64 = 2;
pub(super) const SECOND_CALLING_AREA: u64 = 3;
pub(super) const LIST: u64 = 4;
pub(super) const FREE: core::ops::Range<u64> = 8..32;
pub(super) const MODULES: core::ops::Range<u64> = 32..40;
pub(super) const SHARED: core::ops::Range<u64> = 40..44;
pub(super) const MODULES_SAVE_AREA: u64 = 44;
pub(super) const UNVALIDATED: core::ops::Range<u64> = 45..64;
pub(super) const ABSENT: core::ops::Range<u64> = 64..512;
pub(super) const UNVALIDATED_CHUNK: u64 = 512;
pub(super) const GUESTS_CHUNK: u64 = 1024;
pub(super) const END: u64 = 1536;

/// What the module's pages hold, and pages before they are cleared.
const SECRET: u8 = 0x5e;

/// What can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Open,
    Validate,
    Rescind,
    Clear,
    Permit,
    Forbid,
    MakeSaveArea,
    UnmakeSaveArea,
    Read,
    Write,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Page {
    pub(super) is_validated: bool,
    pub(super) is_permitted: bool,
    pub(super) is_save_area: bool,
    pub(super) is_modules: bool,
    /// A processor may still use permissions that it had.
    is_remembered: bool,
    /// It holds what the guest must not see.
    is_dirty: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct SaveArea {
    pub(super) properties: SaveAreaProperties,
    pub(super) exit_code: u64,
    pub(super) call: CallState,
    pub(super) right: EntryRight,
    pub(super) is_running: bool,
}

/// A write that another processor of the guest's does when the module has read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interference {
    pub(super) page: u64,
    pub(super) offset: usize,
    pub(super) byte: u8,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) pages: Vec<Page>,
    pub(super) bytes: BTreeMap<(u64, usize), u8>,
    pub(super) save_areas: BTreeMap<u64, SaveArea>,
    pub(super) failures: BTreeMap<Operation, Option<ReturnCode>>,
    pub(super) interference: Vec<Interference>,
    pub(super) pool: Vec<u64>,
    pub(super) pool_room: usize,
    pub(super) cleared: u64,
    pub(super) small_pages_only: bool,
    pub(super) certificates: Vec<u8>,
    pub(super) report_failure: Option<ReportFailure>,
}

#[derive(Debug)]
pub(super) struct Model {
    state: Mutex<State>,
    pub(super) manifests: Vec<ServiceManifest<'static>>,
}

impl Model {
    pub(super) fn new() -> Self {
        let mut pages: Vec<Page> = (0..END).map(|_| Page::default()).collect();
        let guests = Page { is_validated: true, is_permitted: true, ..Page::default() };
        let modules = Page { is_validated: true, is_modules: true, ..Page::default() };
        for number in (0..MODULES.start).chain(GUESTS_CHUNK..END) {
            pages[number as usize] = guests;
        }
        for number in MODULES {
            pages[number as usize] = modules;
        }
        for number in [SAVE_AREA, MODULES_SAVE_AREA] {
            pages[number as usize] =
                Page { is_validated: true, is_save_area: true, ..Page::default() };
        }
        pages[MODULES_SAVE_AREA as usize].is_modules = true;
        let save_areas = [(SAVE_AREA, SaveArea::of_guest())].into();
        let state = State { pages, save_areas, pool_room: 16, ..State::default() };
        Self { state: Mutex::new(state), manifests: Vec::new() }
    }

    /// Looks at the state, or changes it behind the module's back.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    /// What only the module may change is as it was.
    pub(super) fn check(&self) {
        self.with(|state| {
            for number in MODULES.chain([MODULES_SAVE_AREA]) {
                let page = state.pages[number as usize];
                assert!(page.is_validated && page.is_modules && !page.is_permitted);
                assert_eq!(page.is_save_area, number == MODULES_SAVE_AREA);
                assert!(!state.bytes.keys().any(|(page, _)| *page == number));
            }
        });
    }
}

impl SaveArea {
    pub(super) fn of_guest() -> Self {
        Self {
            properties: SaveAreaProperties {
                vmpl: 2,
                efer: Efer::SVME,
                sev_features: SevFeatures::SNP_ACTIVE,
            },
            exit_code: 0,
            call: CallState { efer: Efer::SVME, registers: CallRegisters::default() },
            right: EntryRight::Allowed,
            is_running: false,
        }
    }
}

impl State {
    fn fails(&mut self, operation: Operation) -> Result<(), InstructionError> {
        self.failures.remove(&operation).map_or(Ok(()), |code| Err(InstructionError(code)))
    }

    fn takes_away(&mut self, operation: Operation) -> Result<(), Inaccessible> {
        self.fails(operation).map_err(|_| Inaccessible)
    }

    fn page(&mut self, number: u64) -> &mut Page {
        &mut self.pages[number as usize]
    }

    pub(super) fn read(&self, page: u64, offset: usize) -> u8 {
        self.bytes.get(&(page, offset)).copied().unwrap_or(0)
    }

    pub(super) fn write(&mut self, page: u64, offset: usize, bytes: &[u8]) {
        for (offset, byte) in (offset..).zip(bytes) {
            self.bytes.insert((page, offset), *byte);
        }
    }

    /// The guest's access to one of its pages.
    fn touch(&mut self, held: &HeldPage<'_>, offset: usize, length: usize) -> u64 {
        let number = held.page().number();
        assert!(offset + length <= 4096, "access behind the page");
        let page = self.page(number);
        assert!(page.is_permitted && page.is_validated, "page {number:#x} is not the guest's");
        assert!(!page.is_save_area && !page.is_modules);
        number
    }
}

/// Pages that are open.
pub(super) struct Open<'m> {
    model: &'m Model,
    first: u64,
    count: u64,
}

impl Open<'_> {
    fn each(
        &self,
        operation: Operation,
        mut step: impl FnMut(&mut Page),
    ) -> Result<(), InstructionError> {
        self.model.with(|state| {
            state.fails(operation)?;
            for number in self.first..self.first + self.count {
                let page = state.page(number);
                assert!(!page.is_modules, "{operation:?} of the module's page {number:#x}");
                step(page);
            }
            Ok(())
        })
    }

    /// As far as pages are large in the reverse map.
    fn fits(&self) -> Result<(), InstructionError> {
        match self.count > 1 && self.model.with(|state| state.small_pages_only) {
            true => Err(InstructionError(Some(ReturnCode::FailSizeMismatch))),
            false => Ok(()),
        }
    }
}

impl Pages for Model {
    type Open<'m> = Open<'m>;

    fn open(&self, page: ClaimedPage<'_>) -> Result<Open<'_>, Inaccessible> {
        self.with(|state| state.takes_away(Operation::Open))?;
        let count = page.size().small_pages().into();
        Ok(Open { model: self, first: page.page().number(), count })
    }
}

impl OpenPage for Open<'_> {
    fn validate(&self) -> Result<Change, InstructionError> {
        self.fits()?;
        let mut change = Change::Unchanged;
        self.each(Operation::Validate, |page| {
            if !page.is_validated {
                change = Change::Changed;
            }
            page.is_validated = true;
            page.is_dirty = true;
        })?;
        Ok(change)
    }

    fn rescind(&self) -> Result<Change, InstructionError> {
        self.fits()?;
        let mut change = Change::Unchanged;
        self.each(Operation::Rescind, |page| {
            assert!(!page.is_permitted && !page.is_save_area, "rescinded under the guest");
            if page.is_validated {
                change = Change::Changed;
            }
            page.is_validated = false;
        })?;
        Ok(change)
    }

    fn clear(&self) -> Result<(), Inaccessible> {
        self.each(Operation::Clear, |page| {
            assert!(page.is_validated && !page.is_save_area);
            page.is_dirty = false;
        })
        .map_err(|_| Inaccessible)?;
        self.model.with(|state| {
            state.cleared += self.count;
            let pages = self.first..self.first + self.count;
            state.bytes.retain(|(page, _), _| !pages.contains(page));
        });
        Ok(())
    }

    fn permit(&self) -> Result<(), InstructionError> {
        self.each(Operation::Permit, |page| {
            assert!(page.is_validated && !page.is_save_area && !page.is_dirty, "{page:?}");
            page.is_permitted = true;
        })
    }

    fn forbid(&self) -> Result<(), InstructionError> {
        self.fits()?;
        self.each(Operation::Forbid, |page| {
            page.is_permitted = false;
            page.is_remembered = true;
        })
    }

    fn make_save_area(&self) -> Result<(), InstructionError> {
        self.each(Operation::MakeSaveArea, |page| {
            assert!(page.is_validated && !page.is_permitted && !page.is_remembered);
            page.is_save_area = true;
        })
    }

    fn unmake_save_area(&self) -> Result<(), InstructionError> {
        let area = self.model.with(|state| state.save_areas[&self.first]);
        assert_eq!(area.right, EntryRight::Forbidden, "the host could run it meanwhile");
        if area.is_running {
            return Err(InstructionError(Some(ReturnCode::FailInUse)));
        }
        self.each(Operation::UnmakeSaveArea, |page| {
            assert!(page.is_save_area);
            page.is_save_area = false;
        })
    }
}

impl GuestMemory for Model {
    fn read(
        &self,
        page: &HeldPage<'_>,
        offset: usize,
        bytes: &mut [u8],
    ) -> Result<(), Inaccessible> {
        self.with(|state| {
            state.takes_away(Operation::Read)?;
            let number = state.touch(page, offset, bytes.len());
            for (offset, byte) in (offset..).zip(bytes) {
                *byte = state.read(number, offset);
            }
            for Interference { page, offset, byte } in core::mem::take(&mut state.interference) {
                state.write(page, offset, &[byte]);
            }
            Ok(())
        })
    }

    fn write(&self, page: &HeldPage<'_>, offset: usize, bytes: &[u8]) -> Result<(), Inaccessible> {
        self.with(|state| {
            state.takes_away(Operation::Write)?;
            let number = state.touch(page, offset, bytes.len());
            state.write(number, offset, bytes);
            Ok(())
        })
    }
}

impl SaveAreas for Model {
    fn properties(&self, area: SaveAreaPage<'_>) -> Result<SaveAreaProperties, Inaccessible> {
        self.with(|state| {
            let page = *state.page(area.page().number());
            assert!(!page.is_permitted && !page.is_remembered, "the guest could change it");
            state
                .save_areas
                .get(&area.page().number())
                .map(|area| area.properties)
                .ok_or(Inaccessible)
        })
    }

    fn begin_call(
        &self,
        area: SaveAreaPage<'_>,
        calling_area: &HeldPage<'_>,
        call: u64,
    ) -> Result<(CallState, u8), Inaccessible> {
        self.set_entry(area, EntryRight::Forbidden)?;
        self.with(|state| {
            let area = *state.save_areas.get(&area.page().number()).ok_or(Inaccessible)?;
            if area.exit_code != call {
                return Ok((area.call, 0));
            }
            let number = state.touch(calling_area, 0, 1);
            let pending = state.read(number, 0);
            state.write(number, 0, &[0]);
            Ok((area.call, pending))
        })
    }

    fn end_call(
        &self,
        area: SaveAreaPage<'_>,
        before: &CallState,
        registers: &CallRegisters,
    ) -> Result<(), Inaccessible> {
        self.with(|state| {
            let area = state.save_areas.get_mut(&area.page().number()).ok_or(Inaccessible)?;
            assert_eq!(area.right, EntryRight::Forbidden, "the host could run it meanwhile");
            assert_eq!(area.call, *before, "nobody else writes to it");
            area.call.registers = *registers;
            Ok::<_, Inaccessible>(())
        })?;
        self.set_entry(area, EntryRight::Allowed)
    }

    fn set_entry(&self, area: SaveAreaPage<'_>, right: EntryRight) -> Result<(), Inaccessible> {
        self.with(|state| {
            assert!(state.page(area.page().number()).is_save_area);
            state.save_areas.get_mut(&area.page().number()).ok_or(Inaccessible)?.right = right;
            Ok(())
        })
    }
}

impl Translations for Model {
    fn forget_everywhere(&self) {
        self.with(|state| state.pages.iter_mut().for_each(|page| page.is_remembered = false));
    }
}

impl MemoryPool for Model {
    fn accept(&self, page: ClaimedPage<'_>) -> Result<(), PoolFull> {
        self.with(|state| {
            let count = match page.size() {
                PageSize::Size4K => 1,
                PageSize::Size2M => 512,
            };
            if state.pool_room < count {
                return Err(PoolFull);
            }
            state.pool_room -= count;
            let first = page.page().number();
            for number in first..first + count as u64 {
                let page = state.page(number);
                assert!(page.is_validated && !page.is_permitted && !page.is_remembered);
                page.is_dirty = true;
                state.write(number, 0, &[SECRET]);
                state.pool.push(number);
            }
            Ok(())
        })
    }

    fn give_up(&self) -> Option<GuestPage> {
        self.with(|state| {
            let number = state.pool.pop()?;
            state.pool_room += 1;
            GuestPage::at(number * 4096)
        })
    }

    fn take_back(&self, page: GuestPage) {
        self.with(|state| {
            state.pool_room -= 1;
            state.pool.push(page.number());
        });
    }

    fn has_spare(&self) -> bool {
        self.with(|state| !state.pool.is_empty())
    }
}

impl Reports for Model {
    type Certificates = Vec<u8>;

    fn report(&self, data: [u8; 64]) -> Result<AttestationReport, ReportFailure> {
        let mut report = AttestationReport::version_2();
        report.report_data = data;
        self.with(|state| state.report_failure.take()).map_or(Ok(report), Err)
    }

    fn report_with_certificates(
        &self,
        data: [u8; 64],
    ) -> Result<(AttestationReport, Vec<u8>), ReportFailure> {
        Ok((self.report(data)?, self.with(|state| state.certificates.clone())))
    }
}

impl Services for Model {
    fn manifests(&self) -> &[ServiceManifest<'_>] {
        &self.manifests
    }
}
