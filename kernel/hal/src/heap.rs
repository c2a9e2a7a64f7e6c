//! The kernel's heap: slabs on frames, and allocation that can fail.
//!
//! `alloc`'s types stand on [`slab_heap`], which takes its frames from
//! `memory`. Their usual methods panic when there is no memory left, so kernel
//! code does not use them (`clippy.toml` in the folder above names them); it
//! uses what returns [`OutOfMemory`](crate::OutOfMemory):
//!
//! | instead of | use |
//! |---|---|
//! | `Box::new` | [`try_box()`] |
//! | `Vec::push` | [`TryPush::try_push`] |
//! | `Vec::with_capacity` | `Vec::try_reserve_exact` |
//! | `vec![value; count]` | [`try_repeat()`] |

#[cfg(target_os = "none")]
mod global;
mod slab_frames;
mod try_box;
mod try_push;
mod try_repeat;

pub use try_box::try_box;
pub use try_push::TryPush;
pub use try_repeat::try_repeat;
