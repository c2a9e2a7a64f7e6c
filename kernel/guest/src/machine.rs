//! What [`guest_calls`] needs of the kernel, done with `hal`.

use abi_snp::{AttestationReport, ReturnCode};
use abi_svsm::{CallRegisters, CallingArea, GuestPage};
use guest_calls::{
    CallState, Change, ClaimedPage, EntryRight, GuestMemory, HeldPage, Inaccessible,
    InstructionError, MemoryPool, OpenPage, Pages, PoolFull, ReportFailure, Reports, SaveAreaPage,
    SaveAreaProperties, SaveAreas, ServiceManifest, Services, Translations,
};
use hal::guest::{self, Guests, PageFailure, Validated};
use hal::memory::{Standing, View, look_again, look_again_at_both};
use hal::{Fault, OutOfMemory};
use kernel_attestation::{Certificates, GuestReports};
use page_state::PageAccount;

use crate::level::{GUEST, GUEST_PERMISSIONS};
use crate::pool::Pool;
use crate::save_area::SaveArea;

/// The kernel, as the guest's calls see it.
#[derive(Debug)]
pub(crate) struct GuestMachine {
    guests: Guests,
    pool: Pool,
}

impl GuestMachine {
    /// # Errors
    ///
    /// There is no memory for its lists.
    pub(crate) fn new(guests: Guests, table: &'static PageAccount) -> Result<Self, OutOfMemory> {
        Ok(Self { guests, pool: Pool::new(table)? })
    }
}

/// A page that is open.
pub(crate) struct Open(guest::GuestPage);

impl Pages for GuestMachine {
    type Open<'m> = Open;

    #[inline(always)]
    fn open(&self, page: ClaimedPage<'_>) -> Result<Open, Inaccessible> {
        let opened = self.guests.page(page.page().address(), page.size());
        opened.map(Open).map_err(|_| Inaccessible)
    }
}

impl OpenPage for Open {
    fn validate(&self) -> Result<Change, InstructionError> {
        self.0.validate().map(change).map_err(instruction_error)
    }

    fn rescind(&self) -> Result<Change, InstructionError> {
        self.0.rescind().map(change).map_err(instruction_error)
    }

    fn clear(&self) -> Result<(), Inaccessible> {
        self.0.content().clear().map_err(inaccessible)
    }

    fn permit(&self) -> Result<(), InstructionError> {
        self.0.permit(GUEST, GUEST_PERMISSIONS).map_err(instruction_error)
    }

    fn forbid(&self) -> Result<(), InstructionError> {
        self.0.forbid().map_err(instruction_error)
    }

    fn make_save_area(&self) -> Result<(), InstructionError> {
        self.0.make_save_area(GUEST).map_err(instruction_error)
    }

    fn unmake_save_area(&self) -> Result<(), InstructionError> {
        self.0.end_save_area().map_err(instruction_error)
    }
}

const fn change(validated: Validated) -> Change {
    match validated {
        Validated::Changed => Change::Changed,
        Validated::Unchanged => Change::Unchanged,
    }
}

fn instruction_error(failure: PageFailure) -> InstructionError {
    InstructionError(match failure {
        PageFailure::Refused(code) => Some(code),
        PageFailure::Undefined => None,
        // The host has put another page there, or its level has changed since it
        // was looked at.
        PageFailure::Taken | PageFailure::NoSaveArea => Some(ReturnCode::FailInput),
    })
}

fn inaccessible(_: Fault) -> Inaccessible {
    Inaccessible
}

/// Shows a page of the guest's that calls read and write: mostly the calling
/// area.
fn look<R>(
    page: &HeldPage<'_>,
    look: impl FnOnce(&View) -> Result<R, Fault>,
) -> Result<R, Inaccessible> {
    let outcome = look_again(Standing::CallingArea, page.page().address(), look);
    outcome.map_err(|_| Inaccessible)?.map_err(inaccessible)
}

impl GuestMemory for GuestMachine {
    fn read(
        &self,
        page: &HeldPage<'_>,
        offset: usize,
        bytes: &mut [u8],
    ) -> Result<(), Inaccessible> {
        look(page, |view| view.read(offset, bytes))
    }

    fn write(&self, page: &HeldPage<'_>, offset: usize, bytes: &[u8]) -> Result<(), Inaccessible> {
        look(page, |view| view.write(offset, bytes))
    }
}

/// Shows a save area.
#[inline(always)]
fn look_at<R>(
    area: SaveAreaPage<'_>,
    look: impl FnOnce(SaveArea<'_>) -> Result<R, Fault>,
) -> Result<R, Inaccessible> {
    let shown = |view: &View| look(SaveArea(view));
    let outcome = look_again(Standing::SaveArea, area.page().address(), shown);
    outcome.map_err(|_| Inaccessible)?.map_err(inaccessible)
}

impl SaveAreas for GuestMachine {
    fn properties(&self, area: SaveAreaPage<'_>) -> Result<SaveAreaProperties, Inaccessible> {
        look_at(area, |registers| registers.properties())
    }

    #[inline(always)]
    fn begin_call(
        &self,
        area: SaveAreaPage<'_>,
        calling_area: &HeldPage<'_>,
        call: u64,
    ) -> Result<(CallState, u8), Inaccessible> {
        let (area, calling_area) = (area.page().address(), calling_area.page().address());
        let outcome = look_again_at_both(area, calling_area, |area, calling_area| {
            let (state, exit_code) = SaveArea(area).stop()?;
            let pending = match exit_code == call {
                // The guest may have had the host take it away: its own affair.
                true => calling_area.exchange(CallingArea::CALL_PENDING_OFFSET, 0).unwrap_or(0),
                false => 0,
            };
            Ok((state, pending))
        });
        outcome.map_err(|_| Inaccessible)?.map_err(inaccessible)
    }

    #[inline(always)]
    fn end_call(
        &self,
        area: SaveAreaPage<'_>,
        before: &CallState,
        registers: &CallRegisters,
    ) -> Result<(), Inaccessible> {
        look_at(area, |area| area.go_on(before.efer, registers))
    }

    fn set_entry(&self, area: SaveAreaPage<'_>, right: EntryRight) -> Result<(), Inaccessible> {
        look_at(area, |area| area.set_entry(right))
    }
}

impl Translations for GuestMachine {
    fn forget_everywhere(&self) {
        self.guests.forget_permissions();
    }
}

impl MemoryPool for GuestMachine {
    fn accept(&self, page: ClaimedPage<'_>) -> Result<(), PoolFull> {
        self.pool.accept(self.guests, page)
    }

    fn give_up(&self) -> Option<GuestPage> {
        self.pool.give_up()
    }

    fn take_back(&self, page: GuestPage) {
        self.pool.take_back(page);
    }

    fn has_spare(&self) -> bool {
        self.pool.has_spare()
    }
}

impl Reports for GuestMachine {
    type Certificates = Certificates;

    fn report(&self, data: [u8; 64]) -> Result<AttestationReport, ReportFailure> {
        GuestReports.report(data)
    }

    fn report_with_certificates(
        &self,
        data: [u8; 64],
    ) -> Result<(AttestationReport, Certificates), ReportFailure> {
        GuestReports.report_with_certificates(data)
    }
}

impl Services for GuestMachine {
    /// No services run yet.
    fn manifests(&self) -> &[ServiceManifest<'_>] {
        &[]
    }
}
