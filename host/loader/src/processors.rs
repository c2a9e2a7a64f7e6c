//! Which processors the file starts.

use std::collections::BTreeSet;

use svsm_image::file::Page;

use crate::error::Error;

/// Refuses VP contexts that a machine with `vcpus` processors cannot start
/// with.
pub(crate) fn check(pages: &[Page<'_>], vcpus: u32) -> Result<(), Error> {
    let mut started = BTreeSet::new();
    for (vp_index, _) in pages.iter().filter_map(|page| page.vmsa) {
        if u32::from(vp_index) >= vcpus {
            return Err(Error::NoSuchProcessor { vp_index, vcpus });
        }
        if !started.insert(vp_index) {
            return Err(Error::TwoContexts { vp_index });
        }
    }
    if started.contains(&0) { Ok(()) } else { Err(Error::NoBootProcessor) }
}
