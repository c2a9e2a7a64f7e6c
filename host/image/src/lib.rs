//! IGVM images: built, read, measured, signed, inspected and compared.
//!
//! | module | purpose |
//! |---|---|
//! | [`bare_guest`] | wraps a bare-metal program as a guest of the module |
//! | [`build`] | builds an image from a manifest |
//! | [`bzimage`] | reads Linux kernels, and writes files like them |
//! | [`diff`] | says what differs between two files |
//! | [`elf`] | reads the ELF files of the kernel and the services |
//! | [`mod@file`] | reads any IGVM file and refuses harmful ones |
//! | [`input`] | reads input files, bounded |
//! | [`inspect`] | describes a file for people and machines |
//! | [`layout`] | decides where everything lies |
//! | [`manifest`] | reads manifests |
//! | [`measure`] | computes the SEV-SNP launch digest of a file |
//! | [`page_tables`] | makes initial page tables |
//! | [`pvh`] | writes a layout as an ELF file for plain virtual machine monitors |
//! | [`sign`] | makes and checks ID blocks for SEV-SNP |
#![forbid(unsafe_code)]

pub mod bare_guest;
pub mod build;
pub mod bzimage;
pub mod diff;
pub mod elf;
pub mod file;
pub mod input;
pub mod inspect;
pub mod layout;
pub mod manifest;
pub mod measure;
pub mod page_tables;
pub mod pvh;
pub mod sign;
