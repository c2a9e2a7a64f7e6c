//! The certificates that a host hands out with an attestation report.
//!
//! An extended guest request brings, besides the report, what a verifier needs
//! to check its signature. The pages start with a table of entries that say
//! where each certificate lies; an entry of zeros ends it [GHCB 56421 2.04,
//! "SNP Extended Guest Request"]. All of it is the host's word and proves
//! nothing until somebody verifies the certificates, so it is read here as
//! such: nothing outside the given bytes is ever looked at.
//!
//! What the specification does not forbid is taken: certificates may overlap
//! each other and the table, repeat, be empty, and have identifiers that nobody
//! knows. Nor is anything known about their content.

use core::fmt;

use uuid::{Uuid, uuid};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Open enumeration of what a certificate in the table is.
///
/// The identifier stands in the table in the order in which it is written as
/// text, unlike those of UEFI, whose first three parts are little-endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CertificateKind(pub Uuid);

impl CertificateKind {
    /// AMD's root key (ARK).
    pub const ARK: Self = Self(uuid!("c0b406a4-a803-4952-9743-3fb6014cd0ae"));
    /// The intermediate key of a product line (ASK).
    pub const ASK: Self = Self(uuid!("4ab7b379-bbac-4fe4-a02f-05aef327c782"));
    /// The key of one processor (VCEK).
    pub const VCEK: Self = Self(uuid!("63da758d-e664-4564-adc5-f4b93be8accd"));
    /// A key that AMD gave the owner of many processors (VLEK).
    pub const VLEK: Self = Self(uuid!("a8074bc2-a25a-483e-aae6-39c045a0b8a1"));
    /// A list of certificates that are no longer valid (CRL).
    pub const CRL: Self = Self(uuid!("92f81bc3-5811-4d3d-97ff-d19f88dc67ea"));

    /// The kind's short name, if it is one that this version knows.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::ARK => "ARK",
            Self::ASK => "ASK",
            Self::VCEK => "VCEK",
            Self::VLEK => "VLEK",
            Self::CRL => "CRL",
            _ => return None,
        })
    }
}

impl fmt::Display for CertificateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl fmt::Debug for CertificateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A certificate and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// What the certificate is. Not [`Uuid::nil`], which ends the table.
    pub kind: CertificateKind,
    /// The certificate: DER, or PEM from some hosts.
    pub bytes: &'a [u8],
}

/// An entry of the table: 0x18 bytes.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Entry {
    kind: [u8; 16],
    offset: [u8; 4],
    length: [u8; 4],
}

const _: () = assert!(size_of::<Entry>() == 0x18);

impl Entry {
    /// The entry behind the last one.
    const END: Self = Self { kind: [0; 16], offset: [0; 4], length: [0; 4] };

    /// Whether the table ends here.
    fn is_end(&self) -> bool {
        self.kind().0.is_nil()
    }

    fn kind(&self) -> CertificateKind {
        CertificateKind(Uuid::from_bytes(self.kind))
    }

    /// Where the certificate starts that the entry leads to.
    fn start(&self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.offset)).ok()
    }

    /// Where it ends, `None` if no memory reaches so far.
    fn end(&self) -> Option<usize> {
        self.start()?.checked_add(usize::try_from(u32::from_le_bytes(self.length)).ok()?)
    }

    /// The certificate that the entry leads to, `None` if it is not within
    /// `bytes`.
    fn certificate<'a>(&self, bytes: &'a [u8]) -> Option<Certificate<'a>> {
        let bytes = bytes.get(self.start()?..self.end()?)?;
        Some(Certificate { kind: self.kind(), bytes })
    }
}

/// Why bytes are no certificate table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateTableError {
    /// No entry of zeros follows the last one.
    #[error("the certificate table does not end within its {size:#x} bytes")]
    Unterminated {
        /// How many bytes there are.
        size: usize,
    },
    /// A certificate does not lie within the bytes.
    #[error(
        "the {kind} certificate at offset {offset:#x} with {length:#x} bytes does not lie \
        within the {size:#x} bytes that came with the table"
    )]
    OutOfBounds {
        /// What the certificate is.
        kind: CertificateKind,
        /// Where it starts, from the first byte of the table.
        offset: u32,
        /// How long it is.
        length: u32,
        /// How many bytes there are.
        size: usize,
    },
}

/// Why a certificate table cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateTableWriteError {
    /// The place is too small.
    #[error("the certificate table needs {needed:#x} bytes, and there are {size:#x}")]
    NoRoom {
        /// How many bytes the table and the certificates take.
        needed: usize,
        /// How many bytes there are.
        size: usize,
    },
    /// An offset or length does not fit into 32 bits.
    #[error("the certificates have more than 4 GiB in all")]
    TooLarge,
    /// A certificate's identifier is all zeros.
    #[error("a certificate has the identifier that ends the table")]
    NilKind,
}

/// A certificate table whose entries have all been checked.
#[derive(Clone, Copy)]
pub struct CertificateTable<'a> {
    /// All that came with the table, the table included.
    bytes: &'a [u8],
    /// The table without the entry that ends it.
    entries: &'a [Entry],
}

impl<'a> CertificateTable<'a> {
    /// The table at the start of `bytes`, which are all that the host handed
    /// out: copied to where the host cannot change them any more. A host that
    /// has no certificates leaves zeros, which are an empty table.
    ///
    /// # Errors
    /// The table does not end, or a certificate lies outside of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CertificateTableError> {
        let size = bytes.len();
        let unterminated = CertificateTableError::Unterminated { size };
        let entries_that_fit = size / size_of::<Entry>();
        let (entries, _) = <[Entry]>::ref_from_prefix_with_elems(bytes, entries_that_fit)
            .map_err(|_| unterminated)?;
        let end = entries.iter().position(Entry::is_end).ok_or(unterminated)?;
        let (entries, _) = entries.split_at(end);
        match entries.iter().find(|entry| entry.certificate(bytes).is_none()) {
            None => Ok(Self { bytes, entries }),
            Some(entry) => Err(CertificateTableError::OutOfBounds {
                kind: entry.kind(),
                offset: u32::from_le_bytes(entry.offset),
                length: u32::from_le_bytes(entry.length),
                size,
            }),
        }
    }

    /// The certificates, in the table's order.
    pub fn certificates(self) -> impl Iterator<Item = Certificate<'a>> {
        // Every entry leads to a certificate: that was checked.
        self.entries.iter().filter_map(move |entry| entry.certificate(self.bytes))
    }

    /// Bytes up to the end of what reaches farthest, the table's own end or that
    /// of a certificate: what is behind them belongs to nobody.
    #[must_use]
    pub fn size(self) -> usize {
        let table_end = (self.entries.len() + 1) * size_of::<Entry>();
        self.entries.iter().filter_map(Entry::end).fold(table_end, usize::max)
    }

    /// The first certificate of this kind.
    #[must_use]
    pub fn find(self, kind: CertificateKind) -> Option<&'a [u8]> {
        self.certificates().find(|certificate| certificate.kind == kind).map(|found| found.bytes)
    }
}

impl fmt::Debug for CertificateTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.certificates().map(|Certificate { kind, bytes }| (kind, bytes.len()));
        f.debug_map().entries(sizes).finish()
    }
}

/// Writes a table with `certificates`, in their order and right behind the
/// table, to the start of `place`, and returns how many bytes that took. The
/// bytes behind them stay as they are.
///
/// # Errors
/// There is not enough room, and nothing was written; a certificate cannot be
/// described in the table, and `place` holds nothing of use.
pub fn write_certificate_table(
    certificates: &[Certificate<'_>],
    place: &mut [u8],
) -> Result<usize, CertificateTableWriteError> {
    use CertificateTableWriteError::{NilKind, NoRoom, TooLarge};

    let count = certificates.len().checked_add(1).ok_or(TooLarge)?;
    let table_size = count.checked_mul(size_of::<Entry>()).ok_or(TooLarge)?;
    let needed = certificates
        .iter()
        .try_fold(table_size, |sum, certificate| sum.checked_add(certificate.bytes.len()))
        .ok_or(TooLarge)?;
    let size = place.len();
    let place = place.get_mut(..needed).ok_or(NoRoom { needed, size })?;
    let (mut table, mut content) = place.split_at_mut(table_size);
    let mut offset = table_size;
    for &Certificate { kind, bytes } in certificates {
        if kind.0.is_nil() {
            return Err(NilKind);
        }
        let entry = Entry {
            kind: kind.0.into_bytes(),
            offset: u32::try_from(offset).map_err(|_| TooLarge)?.to_le_bytes(),
            length: u32::try_from(bytes.len()).map_err(|_| TooLarge)?.to_le_bytes(),
        };
        table = append(table, entry.as_bytes());
        content = append(content, bytes);
        // At most `needed`, which is a `usize`.
        offset += bytes.len();
    }
    append(table, Entry::END.as_bytes());
    Ok(needed)
}

/// Copies `bytes` to the start of `place`, which is large enough, and returns
/// what is behind them.
fn append<'p>(place: &'p mut [u8], bytes: &[u8]) -> &'p mut [u8] {
    let (start, behind) = place.split_at_mut(bytes.len());
    start.copy_from_slice(bytes);
    behind
}

#[cfg(test)]
mod tests;
