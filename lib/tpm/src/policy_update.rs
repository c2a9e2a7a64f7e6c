//! How a policy digest takes in what was shown [Part 1 §19.7, *from memory*].

use crate::state::session::Session;
use crate::wire::structure::Digest;

/// The digest becomes the hash of itself, the command's code and `parts`.
pub(crate) fn extend(session: &mut Session, code: u32, parts: &[&[u8]]) {
    let code = code.to_be_bytes();
    let mut all: alloc::vec::Vec<&[u8]> = alloc::vec![&session.policy.digest, &code];
    all.extend(parts);
    let digest = session.hash.algorithm().digest(&all);
    session.policy.digest = Digest::new(digest.as_bytes());
}

/// As [`extend`] with an entity's name, then again with `reference`: the form
/// of commands that name an authority.
pub(crate) fn extend_with_reference(
    session: &mut Session,
    code: u32,
    name: &[u8],
    reference: &[u8],
) {
    extend(session, code, &[name]);
    let digest = session.hash.algorithm().digest(&[&session.policy.digest, reference]);
    session.policy.digest = Digest::new(digest.as_bytes());
}

/// The digest starts again from zeros: what is approved replaces what was said.
pub(crate) fn restart(session: &mut Session) {
    session.policy.digest = Digest::new(alloc::vec![0; session.hash.size()]);
}
