//! The processor: what one with SEV-SNP does that an emulated one with SVM
//! does not.
//!
//! The emulated processor runs the guest's ordinary instructions and exits at
//! the others. These pieces say what happens then; `simulator/hypervisor` reads
//! and writes the registers and memory that they name.
//!
//! | file | what |
//! |---|---|
//! | `save_area` | a VMSA is [loaded](load_vmsa) and [stored](store_vmsa) |
//! | `entry_check` | what VMRUN [checks](check_vmsa) before |
//! | `registers` | [`RegisterFile`]: the registers that no VMCB holds |
//! | `xsave_image`, `x87` | x87, SSE and AVX registers in their layouts |
//! | `exit`, `own_msr` | what an intercept [leads to](disposition): automatic exit, #VC, or nothing |
//! | `instruction`, `code_size` | [`Instruction`]: which one the guest exited at, and [where it goes on](next_rip) |
//! | `exception`, `gate` | an exception is [delivered](deliver_exception), in the usual cases |
//! | `linear_memory` | [`LinearMemory`]: the memory that this takes |
//! | `compacted_image` | XSAVEC, and XRSTOR of what it has written |
//! | `saved_events` | [`SavedEvents`]: those of a save area under alternate injection |
//! | `broadcast` | INVLPGB and TLBSYNC: [what](Broadcasts) they ask of all processors |
//! | `sev_status` | [`sev_status()`]: the register where a guest reads about its protection |

mod broadcast;
mod code_size;
mod compacted_image;
mod entry_check;
mod exception;
mod exit;
mod gate;
mod instruction;
mod linear_memory;
mod not_here;
mod own_msr;
mod registers;
#[cfg(test)]
mod samples;
mod save_area;
mod saved_events;
mod sev_status;
mod x87;
mod xsave_image;

pub use broadcast::{
    BroadcastRefused, Broadcasts, Globals, InvalidatedPages, Invalidation, InvalidationOperands,
    MOST_FURTHER_PAGES,
};
pub use code_size::{CodeSize, instruction_address, next_rip};
pub use compacted_image::{RestoreError, check_image_access, restore_compacted, save_compacted};
pub use entry_check::{MODELLED_FEATURES, Offer, StateRefusal, check_vmsa, is_possible_xcr0};
pub use exception::{Exception, deliver_exception};
pub use exit::{Disposition, Intercept, Resume, communication, disposition};
pub use instruction::{DecodeError, Instruction, MAX_LENGTH, Operation};
pub use linear_memory::{LinearMemory, NotReached};
pub use not_here::NotHere;
pub use own_msr::{GUEST_TSC_FREQUENCY, OWN_MSRS};
pub use registers::{GeneralRegister, GeneralRegisters, RegisterFile};
pub use save_area::{ExitRecord, load_vmsa, store_vmsa};
pub use saved_events::{EventRefusal, SavedEvents};
pub use sev_status::sev_status;
pub use xsave_image::{MXCSR_MASK, StateComponents, XsaveImage};
