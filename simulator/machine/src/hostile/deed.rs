//! What a host does to a machine, whether it was asked or not.

use alloc::vec::Vec;
use core::fmt;

use abi_snp::ghcb::{GuestFrame, PageOperation};
use abi_snp::{PageSize, Vmpl};
use abi_x86::ExceptionVector;

use crate::gpa::Gpa;
use crate::hostile::place::{Place, Who};
use crate::processors::Target;

/// An event that the host makes a processor deliver to its guest before the
/// next instruction, whether the guest has interrupts on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// External interrupt with any vector.
    Interrupt(u8),
    /// NMI.
    NonMaskable,
    /// Exception, with this error code if it has one.
    Exception {
        /// The vector: below 32, and not 2, 21 or 30.
        vector: ExceptionVector,
        /// The error code; without meaning for an exception that has none.
        code: u32,
    },
}

/// Something that the host does to the machine. `P` says which page, `W` which
/// processor; once a rule has come true, they are an address and the number of
/// a processor, of which neither need exist in this guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed<P = Gpa, W = u32> {
    /// Delivers an event to a processor, even one that waits.
    Inject {
        /// The processor.
        processor: W,
        /// The event.
        injection: Injection,
    },
    /// Maps a page of the guest to memory that is the guest's elsewhere.
    Remap(P),
    /// Maps a page where it belongs again.
    MapBack(P),
    /// Takes a page from the guest.
    Take(P),
    /// Gives a page to the guest, which has not accepted it then.
    Give(P),
    /// Swaps the content of two shared pages.
    Swap(P, P),
    /// Writes to shared memory.
    Write {
        /// Where.
        place: P,
        /// What.
        bytes: Vec<u8>,
    },
    /// Changes a page's state as the guest has asked before.
    ChangePageState {
        /// The page.
        frame: GuestFrame,
        /// Its size.
        size: PageSize,
        /// What it becomes.
        operation: PageOperation,
    },
    /// Lets a processor run the save area in some page.
    Start {
        /// The processor.
        processor: W,
        /// The level that the host takes the save area for.
        vmpl: Vmpl,
        /// The page.
        save_area: P,
    },
    /// Lets a processor run another level than it does.
    Run {
        /// The processor.
        processor: W,
        /// The level.
        vmpl: Vmpl,
    },
}

impl Deed<Place, Who> {
    /// What it comes to when `target` has brought it about, with the page that
    /// the guest has named. `None` if it takes one and there is none.
    pub(super) fn resolve(&self, target: Target, page: Option<Gpa>) -> Option<Deed> {
        let number = |who: Who| match who {
            Who::It => target.processor.apic_id(),
            Who::Number(number) => number,
        };
        Some(match self {
            Self::Inject { processor, injection } => {
                Deed::Inject { processor: number(*processor), injection: *injection }
            }
            Self::Remap(place) => Deed::Remap(place.resolve(page)?),
            Self::MapBack(place) => Deed::MapBack(place.resolve(page)?),
            Self::Take(place) => Deed::Take(place.resolve(page)?),
            Self::Give(place) => Deed::Give(place.resolve(page)?),
            Self::Swap(one, other) => Deed::Swap(one.resolve(page)?, other.resolve(page)?),
            Self::Write { place, bytes } => {
                Deed::Write { place: place.resolve(page)?, bytes: bytes.clone() }
            }
            Self::ChangePageState { frame, size, operation } => {
                Deed::ChangePageState { frame: *frame, size: *size, operation: *operation }
            }
            Self::Start { processor, vmpl, save_area } => Deed::Start {
                processor: number(*processor),
                vmpl: *vmpl,
                save_area: save_area.resolve(page)?,
            },
            Self::Run { processor, vmpl } => {
                Deed::Run { processor: number(*processor), vmpl: *vmpl }
            }
        })
    }

    /// The places that it names.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let (one, other) = match self {
            Self::Remap(place)
            | Self::MapBack(place)
            | Self::Take(place)
            | Self::Give(place)
            | Self::Write { place, .. }
            | Self::Start { save_area: place, .. } => (Some(*place), None),
            Self::Swap(one, other) => (Some(*one), Some(*other)),
            Self::Inject { .. } | Self::ChangePageState { .. } | Self::Run { .. } => (None, None),
        };
        one.into_iter().chain(other)
    }

    /// The processor that it names.
    pub(super) const fn processor(&self) -> Option<Who> {
        match self {
            Self::Inject { processor, .. }
            | Self::Start { processor, .. }
            | Self::Run { processor, .. } => Some(*processor),
            _ => None,
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inject { processor, injection } => {
                write!(f, "{injection} injected into processor {processor}")
            }
            Self::Remap(gpa) => write!(f, "page at {gpa} mapped to another page's memory"),
            Self::MapBack(gpa) => write!(f, "page at {gpa} mapped to its own memory again"),
            Self::Take(gpa) => write!(f, "page at {gpa} taken from the guest"),
            Self::Give(gpa) => write!(f, "page at {gpa} given to the guest"),
            Self::Swap(one, other) => write!(f, "pages at {one} and {other} swapped"),
            Self::Write { place, bytes } => write!(f, "{} bytes written at {place}", bytes.len()),
            Self::ChangePageState { frame, size, operation } => {
                write!(f, "{operation:?} at last: {size} page at {frame}")
            }
            Self::Start { processor, vmpl, save_area } => {
                write!(f, "processor {processor} runs the save area at {save_area} as {vmpl}")
            }
            Self::Run { processor, vmpl } => write!(f, "processor {processor} runs {vmpl}"),
        }
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupt(vector) => write!(f, "interrupt {vector:#04x}"),
            Self::NonMaskable => f.write_str("NMI"),
            Self::Exception { vector, .. } => write!(f, "exception {vector}"),
        }
    }
}
