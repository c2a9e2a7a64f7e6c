//! What the module says about its services: a table by GUID.

use uuid::{Uuid, uuid};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// The GUID that a table of all services begins with [SVSM 58019 §7].
pub const SERVICES_MANIFEST: Uuid = uuid!("63849ebb-3d92-4670-a1ff-58f9c94b87bb");

/// The TPM [SVSM 58019 §8.3].
pub const VTPM_SERVICE: Uuid = uuid!("c476f1eb-0123-45a5-9641-b4e7dde5bfe3");

/// The beginning of the table: 24 bytes. The [entries](ManifestEntry) follow,
/// then the data that they name. GUIDs are in the byte order of UEFI: the first
/// three parts little-endian.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct ManifestHeader {
    guid: [u8; 16],
    size: [u8; 4],
    entries: [u8; 4],
}

/// Where a service's manifest lies: 24 bytes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned,
)]
#[repr(C)]
pub struct ManifestEntry {
    guid: [u8; 16],
    offset: [u8; 4],
    size: [u8; 4],
}

const _: () = assert!(size_of::<ManifestHeader>() == 24 && size_of::<ManifestEntry>() == 24);

impl ManifestHeader {
    /// The beginning of a table of `size` bytes in all.
    #[must_use]
    pub fn new(size: u32, entries: u32) -> Self {
        Self {
            guid: SERVICES_MANIFEST.to_bytes_le(),
            size: size.to_le_bytes(),
            entries: entries.to_le_bytes(),
        }
    }
}

impl ManifestEntry {
    /// The entry of a service whose manifest lies `offset` bytes from the
    /// beginning of the table.
    #[must_use]
    pub fn new(service: Uuid, offset: u32, size: u32) -> Self {
        Self { guid: service.to_bytes_le(), offset: offset.to_le_bytes(), size: size.to_le_bytes() }
    }
}

/// What is wrong with a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It does not begin like one.
    #[error("this is no table of services: it begins with another GUID, or is too short")]
    NoTable,
    /// Its size or number of entries is more than there is.
    #[error("the table of services says that it is longer than it is")]
    TooLong,
    /// An entry names bytes outside of the table.
    #[error("manifest {0} of the table of services lies outside of it")]
    Outside(u32),
}

/// A table, for those who read it: guests and verifiers.
#[derive(Clone, Copy, Debug)]
pub struct ManifestTable<'a> {
    bytes: &'a [u8],
    entries: &'a [ManifestEntry],
}

impl<'a> ManifestTable<'a> {
    /// The table at the beginning of these bytes.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ManifestError> {
        let (header, _) =
            ManifestHeader::ref_from_prefix(bytes).map_err(|_| ManifestError::NoTable)?;
        if Uuid::from_bytes_le(header.guid) != SERVICES_MANIFEST {
            return Err(ManifestError::NoTable);
        }
        let word = |bytes| u32::from_le_bytes(bytes) as usize;
        let bytes = bytes.get(..word(header.size)).ok_or(ManifestError::TooLong)?;
        let behind = bytes.get(size_of::<ManifestHeader>()..).ok_or(ManifestError::TooLong)?;
        let (entries, _) =
            <[ManifestEntry]>::ref_from_prefix_with_elems(behind, word(header.entries))
                .map_err(|_| ManifestError::TooLong)?;
        let table = Self { bytes, entries };
        match (0..).zip(entries).find(|(_, entry)| table.data(entry).is_none()) {
            Some((number, _)) => Err(ManifestError::Outside(number)),
            None => Ok(table),
        }
    }

    /// The services with their manifests, in order.
    pub fn services(&self) -> impl Iterator<Item = (Uuid, &'a [u8])> {
        self.entries
            .iter()
            .filter_map(|entry| Some((Uuid::from_bytes_le(entry.guid), self.data(entry)?)))
    }

    fn data(&self, entry: &ManifestEntry) -> Option<&'a [u8]> {
        let start = u32::from_le_bytes(entry.offset) as usize;
        let end = start.checked_add(u32::from_le_bytes(entry.size) as usize)?;
        self.bytes.get(start..end)
    }
}
