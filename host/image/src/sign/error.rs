//! Why an image cannot be signed.

use std::path::PathBuf;

use thiserror::Error as ThisError;

/// What went wrong.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The key file cannot be read.
    #[error("cannot read key file {}: {cause}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },
    /// The key file is too large to be one.
    #[error("key file {} has more than {max} bytes, it cannot be a PEM key", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Most bytes that are read.
        max: u64,
    },
    /// The text holds no private key.
    #[error("there is no PEM block \"PRIVATE KEY\" or \"EC PRIVATE KEY\"")]
    NoKey,
    /// The private key is encrypted.
    #[error(
        "the private key is encrypted, which is not supported: decrypt it with \
         `openssl pkcs8 -in KEY -out PLAIN_KEY`"
    )]
    Encrypted,
    /// The PEM block is damaged, or the key is for another curve.
    #[error(
        "the private key is not one for the curve P-384: make one with \
         `openssl ecparam -name secp384r1 -genkey -noout -out KEY`"
    )]
    NotP384,
    /// A fault in a key file.
    #[error("key file {}: {cause}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with the key.
        cause: Box<Error>,
    },
    /// The image is not for SEV-SNP.
    #[error("the image is not for SEV-SNP: it has no platform header of that type")]
    NotSnp,
    /// The image states no guest policy, which an ID block must repeat.
    #[error("the image has no guest policy for SEV-SNP, which the ID block must repeat")]
    NoPolicy,
    /// The signature algorithm failed; no key and message are known to do so.
    #[error("the signature could not be computed")]
    Signature,
    /// Writing the file anew would lose headers that this program passes over.
    #[error(
        "the image has {count} headers that this program does not know, the first one of type \
         {header_type:#x}; they would be lost: give the ID block to the loader beside the image"
    )]
    WouldLoseHeaders {
        /// How many.
        count: usize,
        /// Type of the first one.
        header_type: u32,
    },
    /// The file might become larger than the format allows.
    #[error("the image has more than {0} directives and might become too large for IGVM")]
    TooManyDirectives(usize),
    /// The `igvm` crate refuses to write the file.
    #[error("the signed image cannot be written: {0}")]
    Write(#[source] igvm::Error),
}
