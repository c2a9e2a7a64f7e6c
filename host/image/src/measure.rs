//! Measuring: the SEV-SNP launch digest of an IGVM file.
//!
//! The security processor computes the digest while a guest is launched, one
//! [`PageInfo`](abi_snp::PageInfo) after the other [SNP ABI 56860 §8.17.2]; an
//! attestation report carries it. Here it is computed beforehand from the
//! file, for any project's file that supports SEV-SNP.
//!
//! The digest depends on what the loader makes of the file, so there are
//! [`Options`]:
//!
//! | what the file has | measured as |
//! |---|---|
//! | page with data | normal page |
//! | page without data | normal page of zeros, or zero page: [`ZeroPages`] |
//! | page without data that is 2 MiB large | 512 of these, ascending |
//! | page with the flag *unmeasured*, parameter area | unmeasured page, 4 KiB each, ascending |
//! | page with the flag *shared*, error range, required memory | not at all |
//! | secrets page | secrets page |
//! | CPUID page, CPUID page for extended state | CPUID page |
//! | VP context | VMSA page at the address in the file, or as KVM does it: [`Vmm`] |
//!
//! # Loaders
//!
//! *Without data.* `IGVM_VHS_PAGE_DATA` says that a loader should make it a
//! normal page of zeros; QEMU (`target/i386/sev.c`, which hands its zero type
//! and its normal type to the same function), Cloud Hypervisor
//! (`vmm/src/igvm`) and COCONUT-SVSM's `igvmmeasure` do. That is the default.
//!
//! *Order.* Pages are measured in the order of the file. QEMU differs a little:
//! see [`Vmm::Kvm`]. Cloud Hypervisor on MSHV sorts the pages by address; a
//! file that is not sorted gets another digest there, which is not computed
//! here.
//!
//! *Unmeasured* pages are part of the digest too: not their content, but that
//! there is one at this address.

mod error;
mod kvm_vmsa;
mod measurement;
mod options;
mod order;
mod page_walk;

pub use error::Error;
pub use measurement::{IdBlockDigest, Measurement, snp_launch_digest};
pub use options::{Options, PageList, Vmm, ZeroPages};
pub use page_walk::{check_pages, page_steps};

#[cfg(test)]
mod tests;
