//! Why a file has no launch digest.

use thiserror::Error as ThisError;

/// Why the launch digest cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The file supports no SEV-SNP platform.
    #[error("the file is not for SEV-SNP: it has no platform header of that type")]
    NotSnp,
    /// Guest memory beyond what is measured in reasonable time.
    #[error("the file loads more than {0} pages")]
    TooManyPages(u64),
    /// A page or parameter area that wraps around the address space.
    #[error("memory of {size:#x} bytes at {gpa:#x} wraps around the address space")]
    Wraps {
        /// First address.
        gpa: u64,
        /// Bytes.
        size: u64,
    },
    /// KVM measures every VMSA at one address, and QEMU refuses others.
    #[error(
        "the VMSA of processor {vp_index} lies at {gpa:#x}; KVM measures it at {expected:#x} \
         and QEMU refuses the file: build it with that address"
    )]
    VmsaAddress {
        /// Number of the processor.
        vp_index: u16,
        /// Address in the file.
        gpa: u64,
        /// The only address there is with KVM.
        expected: u64,
    },
    /// The VMSA sets a field that QEMU cannot hand to KVM, so that QEMU
    /// refuses the file.
    #[error(
        "the VMSA of processor {vp_index} sets the field at offset {offset:#x}, which QEMU \
         cannot hand to KVM"
    )]
    VmsaField {
        /// Number of the processor.
        vp_index: u16,
        /// Offset of the first such byte in the VMSA [APM 24593 table B-4].
        offset: usize,
    },
    /// The VMSA lacks the feature bit that makes it one of an SNP guest.
    #[error("the VMSA of processor {vp_index} does not have the SNP feature bit")]
    NotSnpActive {
        /// Number of the processor.
        vp_index: u16,
    },
    /// KVM has one set of SEV features for all processors.
    #[error("the VMSAs of processors {first} and {other} have different SEV features")]
    MixedFeatures {
        /// Number of a processor.
        first: u16,
        /// Number of one that differs.
        other: u16,
    },
    /// The file has a VP context for a processor that the machine lacks.
    #[error("the file has a VMSA for processor {vp_index}, but there are {vcpus} processors")]
    NoSuchProcessor {
        /// Number of the processor.
        vp_index: u16,
        /// Processors of the machine.
        vcpus: u32,
    },
    /// No processors, or more than a VP index can number.
    #[error("{0} processors are not possible, 1 to 65536 are")]
    ProcessorCount(u32),
    /// The state of a processor without VP context depends on its model.
    #[error(
        "processor {vp_index} has no VMSA in the file, so it starts in reset state, which holds \
         the CPU signature (family, model, stepping): state the signature"
    )]
    SignatureNeeded {
        /// Number of the processor.
        vp_index: u16,
    },
}
