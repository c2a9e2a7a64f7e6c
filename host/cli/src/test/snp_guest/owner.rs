//! The owner of test images: measures them, and signs which one is to run.

use abi_snp::Digest;
use anyhow::Result;
use svsm_image::file::Igvm;
use svsm_image::measure::{Options, snp_launch_digest};
use svsm_image::sign::{Identity, SigningKey, sign};

/// What the owner calls every image.
pub(super) const IDENTITY: Identity =
    Identity { family_id: *b"svsm test guests", image_id: *b"stock Linux here", guest_svn: 7 };

/// The owner's key.
pub(super) fn key() -> Result<SigningKey> {
    Ok(SigningKey::from_pem(include_str!("owner_key.pem"))?)
}

/// The launch digest that the IGVM file `image` is foretold.
///
/// # Errors
///
/// It is no image for SEV-SNP.
pub(super) fn digest(image: &[u8]) -> Result<Digest> {
    Ok(snp_launch_digest(&Igvm::parse(image)?, &Options::default())?.digest)
}

/// The IGVM file `image` with an ID block that demands its digest.
///
/// # Errors
///
/// It is no image for SEV-SNP.
pub(super) fn signed(image: &[u8]) -> Result<Vec<u8>> {
    let igvm = Igvm::parse(image)?;
    Ok(sign(&igvm, digest(image)?, &IDENTITY, &key()?, None)?.add_to(&igvm)?)
}
