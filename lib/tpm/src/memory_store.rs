//! A store that is gone with the program.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::platform::{Change, Store, StoreError};

/// Records by key. They hold secrets and are wiped when dropped.
pub type Records = BTreeMap<u32, Zeroizing<Vec<u8>>>;

/// A store in memory: for a device that nobody keeps, and on the way to a store
/// that lasts. It never fails.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct MemoryStore {
    /// What is in it.
    pub records: Records,
}

impl MemoryStore {
    /// Makes all `changes`.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match &change.content {
                Some(content) => self.records.insert(change.key, content.clone().into()),
                None => self.records.remove(&change.key),
            };
        }
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        Ok(self.records.iter().map(|(key, content)| (*key, content.to_vec())).collect())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.apply(changes);
        Ok(())
    }
}

/// Keys and sizes, for contents are secrets.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.records.iter().map(|(key, content)| (key, content.len())))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::vec;

    use super::MemoryStore;
    use crate::platform::{Change, Store};

    #[test]
    fn what_was_stored_last_is_there_and_not_shown() {
        let mut store = MemoryStore::default();
        let change = |key, content| Change { key, content };
        store
            .commit(&[change(7, Some(vec![0xAA; 3])), change(2, Some(vec![1])), change(9, None)])
            .expect("it never fails");
        store
            .commit(&[change(2, None), change(7, Some(vec![0xBB; 4])), change(1, Some(vec![]))])
            .expect("it never fails");
        let records = store.load().expect("it never fails");
        assert_eq!(records, [(1, vec![]), (7, vec![0xBB; 4])]);
        assert_eq!(format!("{store:?}"), "{1: 0, 7: 4}");
    }
}
