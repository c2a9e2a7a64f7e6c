//! Initial RAM disks for test guests: busybox, kernel modules and one task.
//!
//! A guest that starts from such a disk loads its modules, runs a script and
//! powers off, or gives a shell. Everything it tells its maker is on its
//! console.
//!
//! | module | purpose |
//! |---|---|
//! | [`archive`] | writes cpio archives in the form that Linux unpacks |
//! | [`console`] | reads from the console how the script ended |
//! | [`ram_disk`] | decides what is in the archive |
//!
//! The same input gives the same bytes, on every machine and at any time.
#![forbid(unsafe_code)]

pub mod archive;
pub mod console;
pub mod ram_disk;
