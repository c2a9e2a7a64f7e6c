//! Loaded and persistent objects [Part 1 §27].

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::wire::bits::ObjectAttributes;
use crate::wire::containers::Optional16;
use crate::wire::macros::{enumerations, structures};
use crate::wire::public::{Public, named};
use crate::wire::sensitive::Sensitive;
use crate::wire::structure::{Name, handle_name};

/// Objects and sequences that can be loaded at a time.
pub(crate) const MAX_LOADED_OBJECTS: u32 = 3;

/// Persistent objects that can exist.
pub(crate) const MAX_PERSISTENT: usize = 32;

structures! {
    /// One object.
    Object {
        public: Public,
        /// None if only the public area is known.
        sensitive: Optional16<Sensitive>,
        qualified_name: Name,
        hierarchy: u32,
        provenance: Provenance,
    }
}

enumerations! {
    /// How an object came to be loaded.
    Provenance(u8) else VALUE, none 0xFF {
        /// It was made by this device or loaded under its keys.
        Device = 0,
        /// It was loaded from outside.
        Outside = 1,
        /// It was loaded under a key that ends with a restart, and ends with it,
        /// whether it has `stClear` itself or not [Part 2 §8.3.3.3].
        UnderCleared = 2,
    }
}

impl Object {
    /// The name.
    pub(crate) fn name(&self) -> Name {
        self.public.name()
    }

    /// Whether its contexts end with a restart.
    pub(crate) const fn is_cleared(&self) -> bool {
        matches!(self.provenance, Provenance::UnderCleared)
            || self.public.attributes.contains(ObjectAttributes::ST_CLEAR)
    }

    /// What is loaded under it is.
    pub(crate) const fn provenance_below(&self) -> Provenance {
        if self.is_cleared() { Provenance::UnderCleared } else { Provenance::Device }
    }
}

/// The qualified name of a child: of its parent's and its own name
/// [Part 1 §16, *from memory*].
pub(crate) fn qualified_name(parent: &Name, public: &Public) -> Name {
    match public.name_hash {
        Some(hash) => named(hash, &[parent, &public.name()]),
        None => Name::EMPTY,
    }
}

/// The qualified name of a hierarchy.
pub(crate) fn hierarchy_name(hierarchy: u32) -> Name {
    handle_name(hierarchy)
}

/// All objects by handle.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    pub(crate) transient: BTreeMap<u32, Object>,
    persistent: BTreeMap<u32, Object>,
    changed: BTreeSet<u32>,
}

impl Objects {
    /// With what was persistent.
    pub(crate) fn new(persistent: BTreeMap<u32, Object>) -> Self {
        Self { persistent, ..Self::default() }
    }

    /// The object with this handle.
    pub(crate) fn get(&self, handle: u32) -> Option<&Object> {
        self.transient.get(&handle).or_else(|| self.persistent.get(&handle))
    }

    /// All persistent objects.
    pub(crate) const fn persistent(&self) -> &BTreeMap<u32, Object> {
        &self.persistent
    }

    /// Makes an object persistent.
    pub(crate) fn keep(&mut self, handle: u32, object: Object) {
        self.changed.insert(handle);
        self.persistent.insert(handle, object);
    }

    /// Removes a persistent object.
    pub(crate) fn evict(&mut self, handle: u32) {
        self.changed.insert(handle);
        self.persistent.remove(&handle);
    }

    /// Removes the transient objects of some hierarchies.
    pub(crate) fn flush_hierarchy(&mut self, hierarchy: u32) {
        self.transient.retain(|_, object| object.hierarchy != hierarchy);
    }

    /// Removes all objects of a hierarchy for good: its seed is gone.
    pub(crate) fn forget_hierarchy(&mut self, hierarchy: u32) {
        self.flush_hierarchy(hierarchy);
        let gone: Vec<u32> = self
            .persistent
            .iter()
            .filter(|(_, object)| object.hierarchy == hierarchy)
            .map(|(handle, _)| *handle)
            .collect();
        for handle in gone {
            self.evict(handle);
        }
    }

    /// The persistent objects that changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> Vec<(u32, Option<&Object>)> {
        core::mem::take(&mut self.changed)
            .into_iter()
            .map(|handle| (handle, self.persistent.get(&handle)))
            .collect()
    }
}
