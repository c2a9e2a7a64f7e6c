//! AMD SEV-SNP structures.
//!
//! What the security processor, the processor and an SNP guest hand each other
//! as bytes, and nothing that acts on them: the launch digest is computed by
//! `snp-launch`, messages are sealed by `snp-messages`, images are built by
//! `host/image`, and the kernel reads the pages that it is started with.
//!
//! | from | to | what |
//! |---|---|---|
//! | image | processor | [`Vmsa`]: a virtual processor's start state |
//! | security processor | guest | [`SecretsPage`], [`CpuidPage`] |
//! | host | security processor | [`IdBlock`], [`IdAuthentication`], [`Policy`] |
//! | guest | security processor | [`GuestMessage`]: [`ReportRequest`], [`DerivedKeyRequest`], [`TscInfoRequest`], [`CpuidRequest`] |
//! | security processor | guest, verifier | [`AttestationReport`] |
//! | host | guest | [`CertificateTable`] |
//! | guest | host | [`ghcb`]: requests of any kind, and their answers |
//! | security processor | launch digest | [`PageInfo`]: one record for each page |
//! | processor | guest, host | [`ReturnCode`]: how an instruction on the reverse map went |
//!
//! Sources: the SEV-SNP firmware ABI specification (`SNP ABI 56860`), the
//! AMD64 Architecture Programmer's Manual, volume 2 (`APM 24593`), the
//! guest-hypervisor communication block standard (`GHCB 56421`), and the SVSM
//! specification (`SVSM 58019`). Integers are little-endian; offsets in
//! comments are hexadecimal.
#![no_std]
#![forbid(unsafe_code)]

mod attestation_report;
mod certificate_table;
mod cpuid;
mod cpuid_request;
mod derived_key;
mod digest;
mod ecdsa;
mod features;
pub mod ghcb;
mod guest_message;
mod id_block;
mod page_info;
mod page_size;
mod policy;
mod return_code;
mod secrets;
mod tsc_info;
mod vintr_control;
mod vmpl;
mod vmsa;

pub use attestation_report::{
    AttestationReport, FirmwareVersion, KeyInfo, KeyInfoFlags, KeySelection, Mitigations,
    PlatformInfo, ProcessorModel, ReportError, ReportRequest, ReportResponse, SIGNED_SIZE,
    SigningKey, TcbComponents, TcbLayout, TcbVersion,
};
pub use certificate_table::{
    Certificate, CertificateKind, CertificateTable, CertificateTableError,
    CertificateTableWriteError, write_certificate_table,
};
pub use cpuid::{CpuidEntry, CpuidPage};
pub use cpuid_request::{CpuidRequest, CpuidResponse};
pub use derived_key::{DerivedKey, DerivedKeyRequest, DerivedKeyResponse, GuestFields, RootKey};
pub use digest::Digest;
pub use ecdsa::{Curve, EcdsaP384PublicKey, EcdsaSignature, KeyAlgorithm, P384Integer};
pub use features::SevFeatures;
pub use guest_message::{
    AeadAlgorithm, FirmwareStatus, GuestMessage, GuestRequest, MessageHeader, MessageMetadata,
    MessageType, VmpckId,
};
pub use id_block::{IdAuthentication, IdBlock};
pub use page_info::{PageInfo, PageInfoFlags, PagePermissions, PageType, VmplPermissions};
pub use page_size::PageSize;
pub use policy::{Policy, PolicyFlags};
pub use return_code::ReturnCode;
pub use secrets::{SecretsPage, Vmpck};
pub use tsc_info::{TscInfo, TscInfoRequest, TscInfoResponse};
pub use vintr_control::VintrControl;
pub use vmpl::Vmpl;
pub use vmsa::{SegmentRegister, Vmsa};

/// Guest physical address that Linux/KVM gives the save area of every virtual
/// processor that is present at launch, and that is therefore measured.
///
/// A convention of that hypervisor, not of the architecture: others take the
/// address that the image names.
pub const KVM_VMSA_GPA: u64 = 0xffff_ffff_f000;

const _: () = assert!(cfg!(target_endian = "little"), "the layouts are little-endian");
