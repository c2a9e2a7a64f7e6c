//! The module's memory: who owns which page, and how it is mapped.
//!
//! # What there is
//!
//! The module owns one region of guest physical memory, which the builder has
//! mapped linearly at [`abi_boot::VIRTUAL_BASE`]. This linear map is the only
//! standing map of memory; what lies outside the region is not mapped.
//!
//! | file | what |
//! |---|---|
//! | `free_memory` | what of the region nothing was placed at |
//! | `region` | physical and virtual addresses of the region |
//! | `frame_kind` | what frames are used for, as types |
//! | `frame_pool` | the allocator of all frames |
//! | `frame_cache` | single frames that each processor has at hand |
//! | `frames` | [`Frames`]: the right to use frames |
//! | `tables` | page tables as atomics in the linear map |
//! | `flush` | processors forget translations |
//! | `kernel_space` | the kernel's page tables, edited through cursors |
//! | `shared` | [`SharedPages`]: memory that the host can see |
//! | `shared_words` | bytes to and from memory that others change |
//! | `dynamic_area` | who has which addresses of the last GiB |
//! | `stack_slot`, `kernel_stack` | [`KernelStack`]: stacks with guards, and whose they are |
//! | `windows` | [`Window`]: pages that the kernel does not own, for a moment |
//! | `adoption` | pages outside the region that become the kernel's own |
//! | `address_space` | [`AddressSpace`]: what a user process sees |
//! | `user_copy`, `user_range` | copies to and from user memory |
//! | `presence` | whether the host has taken any of it |
//! | `statistics` | [`Statistics`]: resident memory by kind |
//!
//! Above them stands the heap (`heap.rs`).
//!
//! # Ownership
//!
//! Each frame of the region is owned once: by the boot (kernel image, boot
//! block, first page tables, for ever), by a [`Frames`] or by what a `Frames`
//! was turned into, or by the allocator. A `Frames` owns the frames *and* the
//! piece of the linear map that leads to them: nobody else reads, writes or
//! remaps it. So a cursor on it needs no lock to be alone, only one for the
//! tables that pieces share.
//!
//! Kernel code and constants cannot be remapped: the allocator never owns their
//! frames, and a cursor on them is refused besides.
//!
//! # Order of edits
//!
//! An edit is: change entries under the lock, release the lock, make all
//! processors forget, give frames back. The wait for other processors is
//! outside of the lock, because they may be waiting for it with interrupts
//! masked. `kernel_space` sees to the order.
//!
//! Specification: [APM 24593 §5 and §15.34].

mod address_space;
#[cfg(target_os = "none")]
mod adoption;
mod dynamic_area;
mod flush;
mod frame_cache;
mod frame_kind;
mod frame_pool;
mod frames;
mod free_memory;
mod kernel_space;
mod kernel_stack;
#[cfg(target_os = "none")]
mod presence;
mod region;
mod shared;
mod shared_words;
mod stack_slot;
#[cfg(target_os = "none")]
mod start;
mod statistics;
mod tables;
#[cfg(target_os = "none")]
mod user_copy;
mod user_range;
#[cfg(target_os = "none")]
mod windows;

pub use address_space::{AddressSpace, MapError};
pub use frame_kind::{
    FrameKind, KernelData, PageTable, SaveArea, Secret, SharedWithHost, Stack, User,
};
pub use frames::Frames;
pub use kernel_stack::KernelStack;
pub use page_tables::{Access, Encryption};
pub use shared::{ConversionRefused, ShareError, SharedPages};
pub(crate) use stack_slot::stacks;
pub use stack_slot::{MOST_STACK_PAGES, StackOwner, StackPlace, stack_at};
pub use statistics::{Statistics, statistics};
pub use user_range::USER_END;

#[cfg(target_os = "none")]
pub(crate) use adoption::{NotAdopted, adopt};
pub(crate) use flush::{flush_own, on_other_processors};
pub(crate) use frame_kind::Heap;
pub(crate) use free_memory::free_memory;
#[cfg(target_os = "none")]
pub(crate) use presence::is_whole;
pub(crate) use region::{physical_address, virtual_address};
pub(crate) use shared::{PageConversion, PageRun};
#[cfg(target_os = "none")]
pub(crate) use start::start;
#[cfg(target_os = "none")]
pub(crate) use user_copy::note_smap;
#[cfg(target_os = "none")]
pub use user_copy::{copy_from_user, copy_to_user, read_without_leave};
#[cfg(target_os = "none")]
pub(crate) use windows::give_windows;
#[cfg(target_os = "none")]
pub use windows::{
    Standing, View, Window, WindowError, WindowSize, Words, look_again, look_again_at_both,
};
