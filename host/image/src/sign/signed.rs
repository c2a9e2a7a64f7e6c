//! ID blocks: made, and brought to the loader.

use abi_snp::{Digest, IdAuthentication, IdBlock, KeyAlgorithm, Policy};
use base64ct::{Base64, Encoding};
use igvm_defs::IgvmPlatformType;
use zerocopy::IntoBytes;

use super::error::Error;
use super::igvm_format;
use super::key::SigningKey;
use crate::file::Igvm;

/// What the owner calls the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Family, free to choose.
    pub family_id: [u8; 16],
    /// Image within the family, free to choose.
    pub image_id: [u8; 16],
    /// Security version number: keys that the guest derives can be bound to
    /// it, so that older images do not get those of newer ones.
    pub guest_svn: u32,
}

/// An ID block with its signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What the guest must be.
    pub id_block: IdBlock,
    /// Who says so.
    pub authentication: IdAuthentication,
}

/// Makes the ID block for an image whose launch digest is `digest`.
///
/// The digest must be the one that the loader's launch will have: see
/// [`crate::measure`]. The policy is that of the image.
///
/// # Errors
///
/// The image is not for SEV-SNP or states no policy.
pub fn sign(
    igvm: &Igvm,
    digest: Digest,
    identity: &Identity,
    id_key: &SigningKey,
    author_key: Option<&SigningKey>,
) -> Result<Signed, Error> {
    let mask = igvm.mask_of(IgvmPlatformType::SEV_SNP).ok_or(Error::NotSnp)?;
    let policy = igvm.policy(mask).ok_or(Error::NoPolicy)?;
    let id_block = IdBlock {
        launch_digest: digest,
        family_id: identity.family_id,
        image_id: identity.image_id,
        version: IdBlock::VERSION,
        guest_svn: identity.guest_svn,
        policy: Policy::from_bits(policy),
    };
    let public_key = id_key.public_key();
    let mut authentication =
        IdAuthentication::by_id_key(public_key, id_key.sign(id_block.as_bytes())?);
    if let Some(author) = author_key {
        let signature = author.sign(public_key.as_bytes())?;
        authentication = authentication.certified_by(author.public_key(), signature);
    }
    Ok(Signed { id_block, authentication })
}

impl Signed {
    /// The image with this ID block in it, as the bytes of a file. ID blocks
    /// that it had are left out: loaders take one only.
    ///
    /// # Errors
    ///
    /// The image has headers that would be lost, or becomes too large.
    pub fn add_to(&self, igvm: &Igvm) -> Result<Vec<u8>, Error> {
        let mask = igvm.mask_of(IgvmPlatformType::SEV_SNP).ok_or(Error::NotSnp)?;
        let directive = igvm_format::directive(&self.id_block, &self.authentication, mask);
        igvm_format::with_directive(igvm, directive)
    }

    /// Properties of QEMU's object `sev-snp-guest` for a launch that is not
    /// from an IGVM file: both structures in Base64.
    #[must_use]
    pub fn qemu_options(&self) -> String {
        let mut options = format!(
            "id-block={},id-auth={}",
            Base64::encode_string(self.id_block.as_bytes()),
            Base64::encode_string(self.authentication.as_bytes()),
        );
        if self.authentication.author_key_algorithm != KeyAlgorithm::NONE {
            options.push_str(",author-key-enabled=on");
        }
        options
    }
}
