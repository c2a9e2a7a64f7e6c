//! A command as the checks of authorization see it.

use alloc::vec::Vec;

use crate::table::Command;
use crate::wire::algorithm::Hash;
use crate::wire::structure::Name;

/// Code, handles and parameters, before decryption.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) command: &'static Command,
    /// Names of the handles, in order.
    pub(crate) names: &'a [Name],
    /// The parameter area as it came.
    pub(crate) parameters: &'a [u8],
    pub(crate) locality: u8,
}

impl Request<'_> {
    /// cpHash: the digest of what is asked [Part 1 §16.7].
    pub(crate) fn hash(&self, hash: Hash) -> Vec<u8> {
        let code = self.command.code.to_be_bytes();
        let mut parts: Vec<&[u8]> = alloc::vec![&code];
        parts.extend(self.names.iter().map(|name| &name[..]));
        parts.push(self.parameters);
        hash.algorithm().digest(&parts).as_bytes().to_vec()
    }

    /// The digest of the handles' names alone.
    pub(crate) fn name_hash(&self, hash: Hash) -> Vec<u8> {
        let names: Vec<&[u8]> = self.names.iter().map(|name| &name[..]).collect();
        hash.algorithm().digest(&names).as_bytes().to_vec()
    }
}
