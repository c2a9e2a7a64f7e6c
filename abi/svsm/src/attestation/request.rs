//! What a guest asks for: a structure in memory that names buffers.

use abi_x86::SIZE_4K;
use uuid::Uuid;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::{GuestPage, ListAddress};
use crate::call_id::{CallId, Protocol};
use crate::registers::CallRegisters;
use crate::result_code::ResultCode;

/// Open enumeration of the calls of this protocol [SVSM 58019 §7, table 10].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttestationCallNumber(pub u32);

impl AttestationCallNumber {
    /// `SVSM_ATTEST_SERVICES`.
    pub const SERVICES: Self = Self(0);
    /// `SVSM_ATTEST_SINGLE_SERVICE`.
    pub const SINGLE_SERVICE: Self = Self(1);

    const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::SERVICES => "SVSM_ATTEST_SERVICES",
            Self::SINGLE_SERVICE => "SVSM_ATTEST_SINGLE_SERVICE",
            _ => return None,
        })
    }
}

abi_x86::show_by_name!(AttestationCallNumber);

/// A call of this protocol with its argument: where the structure lies, which
/// must end with the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttestationCall {
    /// A report about all services: a [`ServicesRequest`].
    Services(ListAddress),
    /// A report about one service: a [`SingleServiceRequest`].
    SingleService(ListAddress),
}

impl AttestationCall {
    /// What these registers ask for, of which RAX counts as one of this
    /// protocol.
    ///
    /// # Errors
    ///
    /// The answer to the call: [`ResultCode::UNSUPPORTED_CALL`], or
    /// [`ResultCode::INVALID_PARAMETER`] if the structure is not aligned to 8
    /// bytes or does not end with the page.
    pub fn decode(registers: &CallRegisters) -> Result<Self, ResultCode> {
        let at = |size| {
            ListAddress::at(registers.rcx)
                .filter(|address| address.room() >= size)
                .ok_or(ResultCode::INVALID_PARAMETER)
        };
        match AttestationCallNumber(CallId::decode(registers.rax).call) {
            AttestationCallNumber::SERVICES => {
                Ok(Self::Services(at(size_of::<ServicesRequest>())?))
            }
            AttestationCallNumber::SINGLE_SERVICE => {
                Ok(Self::SingleService(at(size_of::<SingleServiceRequest>())?))
            }
            _ => Err(ResultCode::UNSUPPORTED_CALL),
        }
    }

    /// The registers that ask for it.
    #[must_use]
    pub const fn encode(self) -> CallRegisters {
        let (number, at) = match self {
            Self::Services(at) => (AttestationCallNumber::SERVICES, at),
            Self::SingleService(at) => (AttestationCallNumber::SINGLE_SERVICE, at),
        };
        let id = CallId { protocol: Protocol::ATTESTATION, call: number.0 };
        CallRegisters { rax: id.encode(), rcx: at.address(), rdx: 0, r8: 0, r9: 0 }
    }
}

/// Where something lies: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Location {
    /// Guest physical address.
    pub address: u64,
    /// Bytes.
    pub length: u32,
    /// Zero.
    pub reserved: u32,
}

/// What a guest wants [SVSM 58019 §7.1, table 11]: 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ServicesRequest {
    /// Where the report is to be written, from the start of a page on.
    pub report: Location,
    /// What the report is to be bound to: 1 to 4096 bytes of one page.
    pub nonce: Location,
    /// Where the manifest is to be written, from the start of a page on.
    pub manifest: Location,
    /// Where certificates are to be written, from the start of a page on; with
    /// length 0, none are wanted.
    pub certificates: Location,
}

/// What a guest wants of one service [SVSM 58019 §7.2, table 13]: 88 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SingleServiceRequest {
    /// The buffers.
    pub buffers: ServicesRequest,
    /// The service's GUID, in the byte order of UEFI.
    pub service: [u8; 16],
    /// Which version of its manifest.
    pub version: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<Location>() == 16);
    assert!(size_of::<ServicesRequest>() == 0x40);
    assert!(size_of::<SingleServiceRequest>() == 0x58);
};

/// A buffer that begins with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Its first page.
    pub page: GuestPage,
    /// Bytes.
    pub length: u32,
}

/// Bytes of one page, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce {
    /// The page.
    pub page: GuestPage,
    /// Where in the page they begin.
    pub offset: usize,
    /// Bytes; with the offset, 4096 at most.
    pub length: usize,
}

/// What a guest wants, with addresses that are aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportRequest {
    /// Where the report goes.
    pub report: Buffer,
    /// What it is bound to.
    pub nonce: Nonce,
    /// Where the manifest goes.
    pub manifest: Buffer,
    /// Where certificates go, if they are wanted.
    pub certificates: Option<Buffer>,
}

/// Which service, and which version of its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceChoice {
    /// The service.
    pub service: Uuid,
    /// The version.
    pub version: u32,
}

impl Location {
    /// `length` bytes from the start of a page on.
    #[must_use]
    pub const fn at(page: GuestPage, length: u32) -> Self {
        Self { address: page.address(), length, reserved: 0 }
    }

    fn buffer(self) -> Result<Buffer, ResultCode> {
        match GuestPage::at(self.address) {
            Some(page) if self.reserved == 0 => Ok(Buffer { page, length: self.length }),
            _ => Err(ResultCode::INVALID_PARAMETER),
        }
    }

    fn nonce(self) -> Result<Nonce, ResultCode> {
        let page = GuestPage::containing(self.address);
        let offset = (self.address - page.address()) as usize;
        let length = self.length as usize;
        let room = SIZE_4K as usize - offset;
        if self.reserved == 0 && (1..=room).contains(&length) {
            Ok(Nonce { page, offset, length })
        } else {
            Err(ResultCode::INVALID_PARAMETER)
        }
    }
}

impl ServicesRequest {
    /// The request, with addresses that are aligned.
    ///
    /// # Errors
    ///
    /// [`ResultCode::INVALID_PARAMETER`]: they are not, the nonce is empty or
    /// does not end with its page, or reserved bytes are not zero.
    pub fn decode(&self) -> Result<ReportRequest, ResultCode> {
        let certificates = match self.certificates {
            Location { length: 0, reserved: 0, .. } => None,
            location => Some(location.buffer()?),
        };
        Ok(ReportRequest {
            report: self.report.buffer()?,
            nonce: self.nonce.nonce()?,
            manifest: self.manifest.buffer()?,
            certificates,
        })
    }
}

impl SingleServiceRequest {
    /// The request, with addresses that are aligned, and the service.
    ///
    /// # Errors
    ///
    /// As [`ServicesRequest::decode`].
    pub fn decode(&self) -> Result<(ReportRequest, ServiceChoice), ResultCode> {
        if self.reserved != 0 {
            return Err(ResultCode::INVALID_PARAMETER);
        }
        let service = Uuid::from_bytes_le(self.service);
        Ok((self.buffers.decode()?, ServiceChoice { service, version: self.version }))
    }
}
