//! The list of a guest's processors.

/// A list of APIC IDs, as `ExitCode::GET_APIC_IDS` returns it [GHCB 56421 2.04
/// §4.1, "Get APIC IDs"; layout as KVM writes it]: a count, then so many IDs,
/// each a 32-bit number.
///
/// Borrows a private copy of the shared pages. The list is an allegation: IDs
/// can be missing, invented or listed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApicIdList<'a> {
    ids: &'a [[u8; 4]],
}

/// What can be wrong with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApicIdListError {
    /// Too short for a count.
    #[error("APIC ID list is shorter than its count")]
    NoCount,
    /// Too short for its IDs.
    #[error("APIC ID list says it has {count} IDs, there is room for {room}")]
    Count {
        /// IDs that the list claims to have.
        count: u32,
        /// IDs that the memory has room for.
        room: usize,
    },
}

impl<'a> ApicIdList<'a> {
    /// Bytes of a list of `count` IDs.
    #[must_use]
    pub const fn size(count: u32) -> u64 {
        4 * (1 + count as u64)
    }

    /// The list at the start of `bytes`.
    ///
    /// # Errors
    ///
    /// The list is longer than `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ApicIdListError> {
        let (count, ids) = bytes.split_first_chunk().ok_or(ApicIdListError::NoCount)?;
        let count = u32::from_le_bytes(*count);
        let (ids, _) = ids.as_chunks();
        let error = ApicIdListError::Count { count, room: ids.len() };
        let length = usize::try_from(count).map_err(|_| error)?;
        Ok(Self { ids: ids.get(..length).ok_or(error)? })
    }

    /// The IDs, in the order in which the hypervisor lists them.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.ids.iter().map(|id| u32::from_le_bytes(*id))
    }

    /// Writes a list of `ids` to the start of `bytes`; `None`, and nothing
    /// written, if there is no room for it.
    #[must_use]
    pub fn write(ids: &[u32], bytes: &mut [u8]) -> Option<()> {
        let count = u32::try_from(ids.len()).ok()?;
        let size = usize::try_from(Self::size(count)).ok()?;
        let (words, _) = bytes.get_mut(..size)?.as_chunks_mut();
        for (to, word) in words.iter_mut().zip(core::iter::once(&count).chain(ids)) {
            *to = word.to_le_bytes();
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_is_these_bytes() {
        let mut bytes = [0xff; 13];
        assert_eq!(ApicIdList::write(&[0, 0x0102_0304], &mut bytes), Some(()));
        assert_eq!(bytes, [2, 0, 0, 0, 0, 0, 0, 0, 4, 3, 2, 1, 0xff]);
        assert_eq!(ApicIdList::size(2), 12);
        let list = ApicIdList::parse(&bytes).unwrap();
        assert_eq!(list.ids().collect::<Vec<_>>(), [0, 0x0102_0304]);
    }

    #[test]
    fn too_long_lists_are_refused() {
        assert_eq!(ApicIdList::parse(&[1, 0, 0]), Err(ApicIdListError::NoCount));
        let error = ApicIdListError::Count { count: 2, room: 1 };
        assert_eq!(ApicIdList::parse(&[2, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0]), Err(error));
        let error = ApicIdListError::Count { count: u32::MAX, room: 0 };
        assert_eq!(ApicIdList::parse(&[0xff; 7]), Err(error));
        let mut bytes = [7; 11];
        assert_eq!(ApicIdList::write(&[0, 1], &mut bytes), None);
        assert_eq!(bytes, [7; 11]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ids in proptest::collection::vec(any::<u32>(), 0..40)) {
            let mut bytes = [0; 200];
            prop_assert_eq!(ApicIdList::write(&ids, &mut bytes), Some(()));
            let list = ApicIdList::parse(&bytes).unwrap();
            prop_assert_eq!(list.ids().len(), ids.len());
            prop_assert_eq!(list.ids().collect::<Vec<_>>(), ids);
        }

        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(0..4_u8, 0..60)) {
            if let Ok(list) = ApicIdList::parse(&bytes) {
                prop_assert!(ApicIdList::size(list.ids().len() as u32) <= bytes.len() as u64);
            }
        }
    }
}
