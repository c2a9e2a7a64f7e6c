//! The ID block of a file, and whether it can be believed.

use abi_snp::{EcdsaSignature, P384Integer};
use serde::Serialize;

use super::number::hex;
use crate::file::Igvm;
use crate::sign::{self, SignatureState};

/// What an ID block says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Launch digest that the guest must have.
    pub launch_digest: String,
    /// Family, free to choose.
    pub family_id: String,
    /// Image within the family, free to choose.
    pub image_id: String,
    /// Security version number.
    pub guest_svn: u32,
    /// What attestation reports name the ID key by.
    pub id_key_digest: String,
    /// Whether the ID key signed the block.
    pub id_block_signature: SignatureState,
    /// The signature of the block: both numbers, 48 bytes each, big-endian.
    pub signature: String,
    /// What attestation reports name the author key by, if there is one.
    pub author_key_digest: Option<String>,
    /// Whether the author key signed the ID key.
    pub id_key_signature: Option<SignatureState>,
    /// The signature of the ID key, in the same form.
    pub author_signature: Option<String>,
}

pub(super) fn identity(igvm: &Igvm) -> Option<Identity> {
    let verification = sign::verify(igvm)?;
    let block = verification.id_block;
    Some(Identity {
        launch_digest: block.launch_digest.to_string(),
        family_id: hex(&block.family_id),
        image_id: hex(&block.image_id),
        guest_svn: block.guest_svn,
        id_key_digest: verification.id_key_digest.to_string(),
        id_block_signature: verification.id_block_signature,
        signature: signature(&verification.authentication.id_block_signature),
        author_key_digest: verification.author.map(|(digest, _)| digest.to_string()),
        id_key_signature: verification.author.map(|(_, state)| state),
        author_signature: verification
            .author
            .map(|_| signature(&verification.authentication.id_key_signature)),
    })
}

fn signature(signature: &EcdsaSignature) -> String {
    let number = |number: &P384Integer| {
        let mut bytes = number.0;
        bytes.reverse();
        hex(bytes.get(bytes.len() - 48..).unwrap_or_default())
    };
    number(&signature.r) + &number(&signature.s)
}
