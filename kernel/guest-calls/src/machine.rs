//! What this crate needs of the kernel: small traits by concern.

use abi_snp::{ReturnCode, SevFeatures};
use abi_svsm::{CallRegisters, GuestPage};
use abi_x86::Efer;

use crate::page_rights::{ClaimedPage, HeldPage, SaveAreaPage};
use crate::reports::{Reports, Services};

/// The host does not let the module touch the page, or there cannot be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page cannot be accessed; the host may have taken it away")]
pub struct Inaccessible;

/// What an instruction on the reverse map returned, `None` for a code that is
/// not defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the processor refuses to change the page: {0:?}")]
pub struct InstructionError(pub Option<ReturnCode>);

/// Whether PVALIDATE changed a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It did.
    Changed,
    /// The page was so before.
    Unchanged,
}

/// Access to pages that are claimed.
pub trait Pages {
    /// A page that is open.
    type Open<'m>: OpenPage
    where
        Self: 'm;

    /// Makes the page accessible to the module.
    ///
    /// # Errors
    ///
    /// There cannot be such a page, or the kernel has it for itself.
    fn open(&self, page: ClaimedPage<'_>) -> Result<Self::Open<'_>, Inaccessible>;
}

/// Instructions on a page of 4 KiB or 2 MiB, as a whole.
pub trait OpenPage {
    /// PVALIDATE: it becomes validated.
    ///
    /// # Errors
    ///
    /// The processor refuses; nothing has changed.
    fn validate(&self) -> Result<Change, InstructionError>;

    /// PVALIDATE: it becomes not validated.
    ///
    /// # Errors
    ///
    /// The processor refuses; nothing has changed.
    fn rescind(&self) -> Result<Change, InstructionError>;

    /// Fills it with zeros.
    ///
    /// # Errors
    ///
    /// The host takes it away meanwhile.
    fn clear(&self) -> Result<(), Inaccessible>;

    /// RMPADJUST: the guest's level may do everything with it, other levels
    /// below the module's nothing more than before.
    ///
    /// # Errors
    ///
    /// The processor refuses; nothing has changed.
    fn permit(&self) -> Result<(), InstructionError>;

    /// RMPADJUST: no level below the module's may do anything with it. What
    /// processors remember is not changed by this: see [`Translations`].
    ///
    /// # Errors
    ///
    /// The processor refuses; it may have withdrawn some permissions.
    fn forbid(&self) -> Result<(), InstructionError>;

    /// RMPADJUST: a page of 4 KiB becomes a save area of the guest's level.
    ///
    /// # Errors
    ///
    /// The processor refuses; the page is none.
    fn make_save_area(&self) -> Result<(), InstructionError>;

    /// RMPADJUST: a save area becomes a page like others, which no level below
    /// the module's may do anything with.
    ///
    /// # Errors
    ///
    /// The processor refuses, with [`ReturnCode::FailInUse`] if a processor
    /// runs with it; the page is still a save area.
    fn unmake_save_area(&self) -> Result<(), InstructionError>;
}

/// Reading and writing pages of the guest's. It may change them meanwhile.
pub trait GuestMemory {
    /// Copies `bytes.len()` bytes from `offset` of the page on, of which none
    /// lies behind it.
    ///
    /// # Errors
    ///
    /// The host has taken the page away.
    fn read(
        &self,
        page: &HeldPage<'_>,
        offset: usize,
        bytes: &mut [u8],
    ) -> Result<(), Inaccessible>;

    /// Copies `bytes` to the page from `offset` on, none of them behind it.
    ///
    /// # Errors
    ///
    /// The host has taken the page away; some bytes may be written.
    fn write(&self, page: &HeldPage<'_>, offset: usize, bytes: &[u8]) -> Result<(), Inaccessible>;
}

/// What decides whether a page can be a save area of the guest's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveAreaProperties {
    /// The level, as a number.
    pub vmpl: u8,
    /// EFER.
    pub efer: Efer,
    /// What protection it runs with.
    pub sev_features: SevFeatures,
}

/// What a virtual processor's save area says about its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallState {
    /// EFER.
    pub efer: Efer,
    /// Its registers.
    pub registers: CallRegisters,
}

/// Whether the host can have a processor run with a save area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryRight {
    /// Its EFER.SVME is set.
    Allowed,
    /// Its EFER.SVME is clear: every attempt fails.
    Forbidden,
}

/// Registers of the guest's virtual processors.
pub trait SaveAreas {
    /// Reads what decides whether the page can be a save area.
    ///
    /// # Errors
    ///
    /// The host has taken the page away, as in the other methods.
    fn properties(&self, area: SaveAreaPage<'_>) -> Result<SaveAreaProperties, Inaccessible>;

    /// Forbids that the host runs it, and then reads the registers of a call. If
    /// the level was left for the reason `call`, an exit code, then also puts 0 in
    /// the place of the first byte of its calling area, at once, and returns that;
    /// 0 otherwise, and if the calling area cannot be accessed.
    ///
    /// # Errors
    ///
    /// As above.
    fn begin_call(
        &self,
        area: SaveAreaPage<'_>,
        calling_area: &HeldPage<'_>,
        call: u64,
    ) -> Result<(CallState, u8), Inaccessible>;

    /// Writes the registers of a call, and then allows that the host runs it.
    /// `before` is what `begin_call` gave.
    ///
    /// # Errors
    ///
    /// As above.
    fn end_call(
        &self,
        area: SaveAreaPage<'_>,
        before: &CallState,
        registers: &CallRegisters,
    ) -> Result<(), Inaccessible>;

    /// Allows or forbids that the host runs it.
    ///
    /// # Errors
    ///
    /// As above.
    fn set_entry(&self, area: SaveAreaPage<'_>, right: EntryRight) -> Result<(), Inaccessible>;
}

/// What processors remember about pages.
pub trait Translations {
    /// When this returns, no processor at any level accesses a page by what it
    /// remembers from before. Processors that are in the guest are not waited
    /// for longer than it takes them to forget.
    fn forget_everywhere(&self);
}

/// The kernel does not take the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the module's memory takes no more pages")]
pub struct PoolFull;

/// Memory of the module's that came from the guest.
pub trait MemoryPool {
    /// Takes a page as the module's own, from now on. No other level has access
    /// to it; it holds what the guest left there.
    ///
    /// # Errors
    ///
    /// See [`PoolFull`]; the page stays the guest's.
    fn accept(&self, page: ClaimedPage<'_>) -> Result<(), PoolFull>;

    /// Gives up a page of 4 KiB that the module does not need, whatever it
    /// holds. It came from the guest.
    fn give_up(&self) -> Option<GuestPage>;

    /// Takes back a page that [`Self::give_up`] has given up just now.
    fn take_back(&self, page: GuestPage);

    /// Whether [`Self::give_up`] has anything to give; for a hint.
    fn has_spare(&self) -> bool;
}

/// All of the above, and reports about services.
pub trait Machine:
    Pages + GuestMemory + SaveAreas + Translations + MemoryPool + Reports + Services
{
}

impl<T> Machine for T where
    T: Pages + GuestMemory + SaveAreas + Translations + MemoryPool + Reports + Services
{
}
