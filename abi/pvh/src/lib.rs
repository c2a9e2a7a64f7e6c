//! PVH start information: what the loader tells a kernel it starts.
//!
//! A loader that boots by the PVH convention (QEMU's `-kernel`, Cloud
//! Hypervisor, Firecracker, Xen) hands the kernel the physical address of a
//! [`StartInfo`], which in turn leads to a list of [`Module`]s (the files given
//! along, such as an initial RAM disk) and a [map of physical
//! memory](MemoryRange). Everything is found by physical address, so reading is
//! the caller's part: [`StartInfo::parse`] and [`entries`] check the bytes found
//! there.
//!
//! Source: [Xen xen/include/public/arch-x86/hvm/start_info.h]. Integers are
//! little-endian, addresses and sizes are in bytes.
#![no_std]
#![forbid(unsafe_code)]

mod memory_map;
mod start_info;

pub use memory_map::{MemoryKind, MemoryRange};
pub use start_info::{Array, Error, Module, StartInfo, entries};
