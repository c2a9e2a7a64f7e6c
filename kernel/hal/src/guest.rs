//! What a guest below the module needs of the machine: pages, save areas, and to
//! be run.
//!
//! Only AMD SEV-SNP has guests: they run on the module's own processors, at a
//! lower privilege level (VMPL), and the host changes levels on request
//! [GHCB 56421 2.04 §4.1, "SNP Run VMPL"]. Whoever holds [`Guests`] may do what
//! is here. Whose pages are whose is the holder's to know: nothing here can
//! touch the module's region, but a guest's pages it can take from it.

use core::mem::offset_of;

use abi_snp::{PagePermissions, PageSize, ReturnCode, SevFeatures, Vmpl, Vmsa};

use crate::memory::{Encryption, NotAdopted, View, Window, WindowError, WindowSize, adopt};
use crate::snp::{self, NotAdjusted, Validation};
use crate::{OutOfMemory, StopReason, broadcast, memory};

pub use crate::snp::Validated;

/// The levels below the module's.
const GUEST_LEVELS: [Vmpl; 3] = [Vmpl::Vmpl1, Vmpl::Vmpl2, Vmpl::Vmpl3];

/// The right to have guests.
#[derive(Clone, Copy, Debug)]
pub struct Guests(());

/// The host does not run the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host does not run the guest's level")]
pub struct NotRun;

/// Why a page did not become what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageFailure {
    /// The processor's return code says so.
    #[error("the processor refuses it with {0}")]
    Refused(ReturnCode),
    /// The processor gives a return code that is not defined.
    #[error("the processor gives an undefined return code")]
    Undefined,
    /// The host has put another page in its place, which is not validated.
    #[error("the host has taken the page away")]
    Taken,
    /// The page is a save area of another level, or cannot be read.
    #[error("the page is no save area of the guest's level")]
    NoSaveArea,
}

/// Why a page does not become the module's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptionError {
    /// It is already, or there are as many as can be.
    #[error("the module takes no more pages as its own")]
    Refused,
    /// There is no memory for a page table.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// Permissions cannot be withdrawn.
    #[error(transparent)]
    Page(#[from] PageFailure),
}

impl Guests {
    /// The right, where the platform has guests; for whoever serves them.
    #[must_use]
    pub fn of_platform() -> Option<Self> {
        snp::has_levels().then_some(Self(()))
    }

    /// The SEV features that this processor runs with.
    #[must_use]
    pub fn own_features(self) -> SevFeatures {
        snp::features()
    }

    /// Opens a private page outside the module's region.
    ///
    /// # Errors
    ///
    /// It is the module's, or there cannot be such a page.
    ///
    /// # Panics
    ///
    /// As [`Window::open`].
    #[inline(always)]
    pub fn page(self, gpa: u64, size: PageSize) -> Result<GuestPage, WindowError> {
        let window_size = match size {
            PageSize::Size4K => WindowSize::Small,
            PageSize::Size2M => WindowSize::Large,
        };
        Ok(GuestPage { window: Window::open(gpa, window_size, Encryption::Private)?, gpa, size })
    }

    /// Tells the host where the save area is with which this processor is to
    /// run `level`. It does so when it is first [run](Self::run).
    ///
    /// # Errors
    ///
    /// The host does not accept it.
    pub fn announce(
        self,
        level: Vmpl,
        save_area: u64,
        features: SevFeatures,
    ) -> Result<(), StopReason> {
        snp::announce_save_area(level, save_area, features)
    }

    /// Looks whether the module still has all of its own memory. What the host has
    /// taken could be at an address of the guest's now, with what the module has
    /// left in it.
    ///
    /// # Errors
    ///
    /// [`PageFailure::Taken`]; or the host never lets the look end.
    pub fn check_own_memory(self) -> Result<(), PageFailure> {
        if memory::is_whole() { Ok(()) } else { Err(PageFailure::Taken) }
    }

    /// Has the host make pages private that are not the module's, given by guest
    /// physical address and size. They still have to be validated.
    ///
    /// # Errors
    ///
    /// The host does not do its part.
    pub fn make_private(
        self,
        pages: impl Iterator<Item = (u64, PageSize)>,
    ) -> Result<(), StopReason> {
        snp::make_private(pages)
    }

    /// Makes all processors forget what levels below the module's may do with
    /// pages.
    ///
    /// Only INVLPGB reaches processors that run the guest. On a machine where
    /// the host hides it nothing is done, and they may go on remembering.
    pub fn forget_permissions(self) {
        if broadcast::is_available() {
            broadcast::forget();
        }
    }

    /// Waits until the host runs the module's level on this processor again: it
    /// may run the guest's in the meantime, or nothing.
    pub fn wait(self) {
        snp::rest();
    }

    /// Has the host run `level` on this processor. Returns when the module's
    /// level is run again, which the guest can ask for, and the host do at any
    /// time.
    ///
    /// # Errors
    ///
    /// The host refuses.
    #[inline]
    pub fn run(self, level: Vmpl) -> Result<(), NotRun> {
        snp::run_level(level).map_err(|_| NotRun)
    }
}

/// A page of a guest's, open for as long as this lives.
#[derive(Debug)]
pub struct GuestPage {
    window: Window,
    gpa: u64,
    size: PageSize,
}

impl GuestPage {
    /// The page's content.
    #[must_use]
    pub fn content(&self) -> &View {
        &self.window
    }

    /// Accepts the page as private memory.
    ///
    /// # Errors
    ///
    /// The processor refuses it.
    #[inline]
    pub fn validate(&self) -> Result<Validated, PageFailure> {
        self.set_validation(Validation::Validate)
    }

    /// Gives the page up as private memory.
    ///
    /// # Errors
    ///
    /// The processor refuses it.
    #[inline]
    pub fn rescind(&self) -> Result<Validated, PageFailure> {
        self.set_validation(Validation::Rescind)
    }

    /// Says what a level below the module's may do with the page.
    ///
    /// # Errors
    ///
    /// The processor refuses it.
    ///
    /// # Panics
    ///
    /// The level is the module's.
    #[inline]
    pub fn permit(&self, level: Vmpl, permissions: PagePermissions) -> Result<(), PageFailure> {
        assert!(level != Vmpl::Vmpl0, "nobody limits the module's own level");
        self.adjust(u64::from(permissions.bits()) << 8 | u64::from(level.number()))
    }

    /// Makes the page a save area of `level`, which can read it, as Linux does,
    /// and that is all that levels below the module's can do with it.
    ///
    /// # Errors
    ///
    /// The processor refuses it, or the page says another level; the page is
    /// then none, and the guest's permissions are still withdrawn.
    ///
    /// # Panics
    ///
    /// The level is the module's, or the page is a large one.
    pub fn make_save_area(&self, level: Vmpl) -> Result<(), PageFailure> {
        assert!(level != Vmpl::Vmpl0, "save areas of the module are its own pages");
        assert!(self.size == PageSize::Size4K, "a save area is a page of 4 KiB");
        self.forbid()?;
        Guests(()).forget_permissions();
        let place = offset_of!(Vmsa, vmpl);
        let word = self.window.load(place & !7).map_err(|_| PageFailure::NoSaveArea)?;
        if word.to_le_bytes()[place & 7] != level.number() {
            return Err(PageFailure::NoSaveArea);
        }
        let read = u64::from(PagePermissions::READ.bits()) << 8;
        self.adjust(MAKE_SAVE_AREA | read | u64::from(level.number()))
    }

    /// Makes the page one like others again. No level below the module's has
    /// access to it.
    ///
    /// # Errors
    ///
    /// The processor refuses it, for example because it runs with it.
    pub fn end_save_area(&self) -> Result<(), PageFailure> {
        self.forbid()
    }

    /// Takes all permissions from all levels below the module's.
    ///
    /// # Errors
    ///
    /// The processor refuses it.
    #[inline]
    pub fn forbid(&self) -> Result<(), PageFailure> {
        for level in GUEST_LEVELS {
            self.permit(level, PagePermissions::empty())?;
        }
        Ok(())
    }

    /// Makes the page the module's own, for ever, with default values in it.
    /// Nobody else has it open, or gives the guest access to it: whoever serves
    /// the guest has claimed it.
    ///
    /// # Errors
    ///
    /// See [`AdoptionError`]. The guest's permissions may be withdrawn.
    ///
    /// # Panics
    ///
    /// The page is a large one.
    pub fn adopt<T: Default + Sync>(self) -> Result<&'static [T], AdoptionError> {
        assert!(self.size == PageSize::Size4K, "pages of 4 KiB are adopted");
        self.forbid()?;
        Guests(()).forget_permissions();
        let gpa = self.gpa;
        drop(self);
        // SAFETY: INV-ADOPT-1: permissions are withdrawn, and are given only
        // through a window, of which none opens any more; the one that was open
        // is closed.
        unsafe { adopt(gpa) }.map_err(|error| match error {
            NotAdopted::OutOfMemory(error) => AdoptionError::OutOfMemory(error),
            NotAdopted::TooMany | NotAdopted::Own => AdoptionError::Refused,
        })
    }

    #[inline]
    fn set_validation(&self, validation: Validation) -> Result<Validated, PageFailure> {
        snp::set_validation(self.window.address(), self.size, validation).map_err(refused)
    }

    /// RMPADJUST of the page.
    #[inline]
    fn adjust(&self, operand: u64) -> Result<(), PageFailure> {
        snp::adjust(self.window.address(), self.size, operand).map_err(|error| match error {
            NotAdjusted::Refused(code) => refused(code),
            NotAdjusted::Inaccessible => PageFailure::Taken,
        })
    }
}

/// Operand of RMPADJUST: the page becomes a save area [APM 24594 RMPADJUST].
const MAKE_SAVE_AREA: u64 = 1 << 16;

fn refused(code: Option<ReturnCode>) -> PageFailure {
    code.map_or(PageFailure::Undefined, PageFailure::Refused)
}
