//! NV indices [Part 1 §37].

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::bits::NvAttributes;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::nv::{NvPublic, NvType};
use crate::wire::structure::Digest;

/// The data of all indices together, in bytes.
const CAPACITY: usize = 64 * 1024;
/// Indices that can exist.
const MAX_INDICES: usize = 256;

/// One index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NvIndex {
    pub(crate) public: NvPublic,
    pub(crate) auth: Digest,
    /// As long as `public.size`.
    pub(crate) data: Buffer<2048>,
}

impl Wire for NvIndex {
    fn write(&self, out: &mut Vec<u8>) {
        self.public.write(out);
        self.auth.write(out);
        self.data.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let index =
            Self { public: Wire::read(from)?, auth: Wire::read(from)?, data: Wire::read(from)? };
        if index.data.len() != usize::from(index.public.size) || index.public.nv_type().is_none() {
            return Err(ResponseCode::SIZE);
        }
        Ok(index)
    }
}

impl NvIndex {
    /// The value of a counter, bit field or pair of PIN counters.
    pub(crate) fn number(&self) -> u64 {
        u64::read(&mut Reader::new(&self.data)).unwrap_or(0)
    }

    /// Attempts and their limit, for the two kinds of PIN index.
    pub(crate) fn pin(&self) -> Option<(u32, u32)> {
        matches!(self.public.nv_type()?, NvType::PinFail | NvType::PinPass).then(|| {
            let number = self.number();
            ((number >> 32) as u32, number as u32)
        })
    }

    /// Changes data and notes that the index is written.
    pub(crate) fn set(&mut self, data: Vec<u8>) {
        assert_eq!(data.len(), usize::from(self.public.size), "callers keep the size");
        self.data = Buffer::new(data);
        self.public.attributes.insert(NvAttributes::WRITTEN);
    }
}

/// All indices.
#[derive(Clone, Debug, Default)]
pub(crate) struct NvStore {
    indices: BTreeMap<u32, NvIndex>,
    /// What has to be stored before the response leaves.
    changed: BTreeSet<u32>,
    /// The highest value that a counter deleted so far had.
    pub(crate) highest_counter: u64,
}

impl NvStore {
    /// A store with what was persistent.
    pub(crate) fn new(indices: BTreeMap<u32, NvIndex>, highest_counter: u64) -> Self {
        Self { indices, changed: BTreeSet::new(), highest_counter }
    }

    pub(crate) fn get(&self, handle: u32) -> Option<&NvIndex> {
        self.indices.get(&handle)
    }

    /// The index, to be changed; stored at the end of the command.
    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut NvIndex> {
        let index = self.indices.get_mut(&handle)?;
        self.changed.insert(handle);
        Some(index)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&u32, &NvIndex)> {
        self.indices.iter()
    }

    /// Adds an index.
    pub(crate) fn define(&mut self, index: NvIndex) -> Result<(), ResponseCode> {
        let handle = index.public.index;
        if self.indices.contains_key(&handle) {
            return Err(ResponseCode::NV_DEFINED);
        }
        let used: usize = self.indices.values().map(|index| index.data.len()).sum();
        if self.indices.len() >= MAX_INDICES || used + index.data.len() > CAPACITY {
            return Err(ResponseCode::NV_SPACE);
        }
        self.changed.insert(handle);
        self.indices.insert(handle, index);
        Ok(())
    }

    /// Removes an index. A counter that is made later starts above it.
    pub(crate) fn undefine(&mut self, handle: u32) {
        if let Some(index) = self.indices.remove(&handle) {
            self.changed.insert(handle);
            if index.public.nv_type() == Some(NvType::Counter) {
                self.highest_counter = self.highest_counter.max(index.number());
            }
        }
    }

    /// The value that a new counter takes first: above all there were.
    pub(crate) fn next_counter(&self) -> u64 {
        self.indices
            .values()
            .filter(|index| index.public.nv_type() == Some(NvType::Counter))
            .map(NvIndex::number)
            .fold(self.highest_counter, u64::max)
            .saturating_add(1)
    }

    /// Applies `change` to every index.
    pub(crate) fn for_each(&mut self, mut change: impl FnMut(&mut NvIndex)) {
        for (handle, index) in &mut self.indices {
            let before = index.clone();
            change(index);
            if *index != before {
                self.changed.insert(*handle);
            }
        }
    }

    /// The indices that changed since this was last asked; none: removed.
    pub(crate) fn take_changed(&mut self) -> Vec<(u32, Option<&NvIndex>)> {
        core::mem::take(&mut self.changed)
            .into_iter()
            .map(|handle| (handle, self.indices.get(&handle)))
            .collect()
    }
}
