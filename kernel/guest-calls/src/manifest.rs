//! The manifest that a report is bound to, piece by piece: it is digested and
//! written without ever being in one place.

use abi_svsm::attestation::{ManifestEntry, ManifestHeader, ServiceChoice};
use zerocopy::IntoBytes;

use crate::reports::ServiceManifest;

/// The version of a manifest that stands in the table of all services.
const TABLE_VERSION: u32 = 0;

/// What the guest gets to know about services.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manifest<'a> {
    /// The table of all services, of these manifests.
    Table(&'a [ServiceManifest<'a>]),
    /// What one service says.
    Single(&'a [u8]),
}

impl<'a> Manifest<'a> {
    /// The manifest of one service, `None` if there is no such service or
    /// version.
    pub(crate) fn of(manifests: &'a [ServiceManifest<'a>], choice: ServiceChoice) -> Option<Self> {
        manifests
            .iter()
            .find(|manifest| {
                (manifest.service, manifest.version) == (choice.service, choice.version)
            })
            .map(|manifest| Self::Single(manifest.bytes))
    }

    /// Bytes of the whole, `None` if a table is too long to say so.
    pub(crate) fn size(self) -> Option<u32> {
        let size = match self {
            Self::Single(bytes) => bytes.len(),
            Self::Table(manifests) => {
                let head = size_of::<ManifestHeader>();
                in_table(manifests).try_fold(head, |size, manifest| {
                    size.checked_add(size_of::<ManifestEntry>())?.checked_add(manifest.bytes.len())
                })?
            }
        };
        u32::try_from(size).ok()
    }

    /// Gives all pieces in order, until one fails. The size is known, see
    /// [`Self::size`].
    pub(crate) fn pieces<E>(
        self,
        size: u32,
        mut give: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let manifests = match self {
            Self::Single(bytes) => return give(bytes),
            Self::Table(manifests) => manifests,
        };
        // Whatever is counted or added here is at most `size`.
        let count = in_table(manifests).count() as u32;
        give(ManifestHeader::new(size, count).as_bytes())?;
        let head = size_of::<ManifestHeader>() + size_of::<ManifestEntry>() * count as usize;
        let mut offset = head as u32;
        for manifest in in_table(manifests) {
            let length = manifest.bytes.len() as u32;
            give(ManifestEntry::new(manifest.service, offset, length).as_bytes())?;
            offset += length;
        }
        in_table(manifests).try_for_each(|manifest| give(manifest.bytes))
    }
}

fn in_table<'a>(
    manifests: &'a [ServiceManifest<'a>],
) -> impl Iterator<Item = &'a ServiceManifest<'a>> {
    manifests.iter().filter(|manifest| manifest.version == TABLE_VERSION)
}
