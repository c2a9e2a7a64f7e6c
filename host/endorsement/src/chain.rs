//! Three certificates, from the root to a processor's key, read and checked.

use std::path::Path;

use abi_snp::{Certificate as TableEntry, CertificateKind, write_certificate_table};
use p384::ecdsa::VerifyingKey;
use rsa::RsaPublicKey;
use rsa::pkcs1::{RsaPssParamsOwned, RsaPssParamsRef};
use rsa::pss;
use rsa::signature::Verifier;
use rsa::traits::PublicKeyParts;
use sha2::Sha384;
use x509_cert::Certificate;
use x509_cert::der::pem::{LineEnding, PemLabel};
use x509_cert::der::referenced::OwnedToRef;
use x509_cert::der::{self, Decode, Document, Encode, EncodePem};
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::spki::{AlgorithmIdentifierOwned, ObjectIdentifier};

use crate::chip_extensions::{self, ExtensionError};
use crate::folder::{self, FileError, Secrecy};
use crate::identity::ChipIdentity;
use crate::issue::RSA_BITS;

/// RSASSA-PSS [RFC 8017 appendix A.2.3].
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

/// `commonName` [RFC 5280 appendix A.1].
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Bytes of salt in a signature.
const SALT_SIZE: u8 = 48;

/// Names of the certificates' files.
const ARK_FILE: &str = "ark.pem";
const ASK_FILE: &str = "ask.pem";
const VCEK_FILE: &str = "vcek.pem";

/// Why three certificates are no chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// A file with a certificate cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A certificate cannot be decoded.
    #[error("the {which} certificate is malformed: {cause}")]
    Malformed {
        /// Which certificate.
        which: CertificateKind,
        /// What is wrong with it.
        cause: der::Error,
    },
    /// A file holds something else than a certificate.
    #[error("there is a `{found}` where the {which} certificate should be")]
    OtherPem {
        /// Which certificate.
        which: CertificateKind,
        /// The label of the PEM block.
        found: String,
    },
    /// A certificate is encoded in a way that DER does not allow.
    #[error("the {which} certificate is not in DER, the one encoding that can be signed")]
    NotDer {
        /// Which certificate.
        which: CertificateKind,
    },
    /// A certificate is for something else.
    #[error("the {which} certificate is for `{found}`, not for `{expected}`")]
    Subject {
        /// Which certificate.
        which: CertificateKind,
        /// The common name in it.
        found: String,
        /// The common name that it must have.
        expected: String,
    },
    /// A certificate names another issuer than the one above it.
    #[error("the {which} certificate names another issuer than the subject of the {issuer} one")]
    Issuer {
        /// Which certificate.
        which: CertificateKind,
        /// The one above it.
        issuer: CertificateKind,
    },
    /// A certificate is for a key that must not sign certificates.
    #[error("the {which} certificate does not allow its key to sign certificates")]
    NotAuthority {
        /// Which certificate.
        which: CertificateKind,
    },
    /// A certificate is for a key of another kind or length.
    #[error("the key in the {which} certificate is not {}", expected_key(*which))]
    Key {
        /// Which certificate.
        which: CertificateKind,
    },
    /// A certificate is signed with another algorithm.
    #[error(
        "the {which} certificate is not signed with RSASSA-PSS with SHA-384, MGF1 with SHA-384 \
         and {SALT_SIZE} bytes of salt"
    )]
    Algorithm {
        /// Which certificate.
        which: CertificateKind,
    },
    /// A certificate's signature is not from the key above it.
    #[error("the {issuer} has not signed the {which} certificate, or it was changed since")]
    Signature {
        /// Which certificate.
        which: CertificateKind,
        /// The one above it.
        issuer: CertificateKind,
    },
    /// The VCEK certificate does not describe a processor.
    #[error("the VCEK certificate does not describe a processor: {0}")]
    Extension(#[from] ExtensionError),
}

fn expected_key(which: CertificateKind) -> &'static str {
    if which == CertificateKind::VCEK { "an ECDSA key on P-384" } else { "an RSA key of 4096 bits" }
}

/// A file that anybody may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicFile {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub content: Vec<u8>,
}

/// ARK, ASK and VCEK certificates of which each is signed by the one before,
/// the first one by itself.
///
/// Whether the root can be trusted is another question, which nothing here
/// answers: it is whatever the caller has given. Nor are the times of validity
/// and lists of revoked certificates looked at.
#[derive(Clone, Debug)]
pub struct Chain {
    ark: Encoded,
    ask: Encoded,
    vcek: Encoded,
    chip: ChipIdentity,
    key: VerifyingKey,
}

/// A certificate as text and as bytes.
#[derive(Clone, Debug)]
struct Encoded {
    pem: String,
    der: Vec<u8>,
}

impl Chain {
    /// Reads `ark.pem`, `ask.pem` and `vcek.pem` in `folder`, as
    /// [`Self::public_files`] gives them; others are not needed.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or the certificates are no chain.
    pub fn load(folder: &Path) -> Result<Self, ChainError> {
        let read = |name| folder::read(&folder.join(name), Secrecy::Public);
        Self::from_pem(&read(ARK_FILE)?, &read(ASK_FILE)?, &read(VCEK_FILE)?)
    }

    /// The chain of these certificates, which are in PEM.
    ///
    /// # Errors
    ///
    /// See [`ChainError`]. Signatures are checked from the root on.
    pub fn from_pem(ark: &[u8], ask: &[u8], vcek: &[u8]) -> Result<Self, ChainError> {
        let der = |pem: &[u8], which| {
            let (label, document) = std::str::from_utf8(pem)
                .map_err(der::Error::from)
                .and_then(Document::from_pem)
                .map_err(|cause| ChainError::Malformed { which, cause })?;
            if label == Certificate::PEM_LABEL {
                Ok(document)
            } else {
                Err(ChainError::OtherPem { which, found: label.to_owned() })
            }
        };
        Self::from_der(
            der(ark, CertificateKind::ARK)?.as_bytes(),
            der(ask, CertificateKind::ASK)?.as_bytes(),
            der(vcek, CertificateKind::VCEK)?.as_bytes(),
        )
    }

    fn from_der(ark: &[u8], ask: &[u8], vcek: &[u8]) -> Result<Self, ChainError> {
        let read = |der: &[u8], which| {
            let certificate = Certificate::from_der(der)
                .map_err(|cause| ChainError::Malformed { which, cause })?;
            // What is signed is encoded anew, so it must not make a difference.
            let same = certificate.to_der().is_ok_and(|again| again == der);
            if same { Ok(certificate) } else { Err(ChainError::NotDer { which }) }
        };
        Self::new(
            &read(ark, CertificateKind::ARK)?,
            &read(ask, CertificateKind::ASK)?,
            &read(vcek, CertificateKind::VCEK)?,
        )
    }

    pub(crate) fn new(
        ark: &Certificate,
        ask: &Certificate,
        vcek: &Certificate,
    ) -> Result<Self, ChainError> {
        use CertificateKind as Kind;

        let ark_key = authority_key(ark, Kind::ARK)?;
        check_signature((ark, Kind::ARK), (ark, Kind::ARK), &ark_key)?;
        let ask_key = authority_key(ask, Kind::ASK)?;
        check_signature((ask, Kind::ASK), (ark, Kind::ARK), &ark_key)?;
        check_signature((vcek, Kind::VCEK), (ask, Kind::ASK), &ask_key)?;
        let key = chip_key(vcek)?;
        let chip = chip_extensions::read(vcek.tbs_certificate())?;
        check_subject(ark, Kind::ARK, &format!("ARK-{}", chip.product()))?;
        check_subject(ask, Kind::ASK, &format!("SEV-{}", chip.product()))?;
        check_subject(vcek, Kind::VCEK, "SEV-VCEK")?;
        Ok(Self {
            ark: Encoded::new(ark, Kind::ARK)?,
            ask: Encoded::new(ask, Kind::ASK)?,
            vcek: Encoded::new(vcek, Kind::VCEK)?,
            chip,
            key,
        })
    }

    /// The processor that the VCEK is for.
    #[must_use]
    pub const fn chip(&self) -> &ChipIdentity {
        &self.chip
    }

    /// The public key of the VCEK.
    #[must_use]
    pub const fn vcek(&self) -> &VerifyingKey {
        &self.key
    }

    /// What a host hands to a guest with a report: a certificate table with
    /// VCEK, ASK and ARK in DER [GHCB 56421 2.04, "SNP Extended Guest
    /// Request"]. Whole pages are up to the caller.
    #[must_use]
    pub fn certificate_table(&self) -> Vec<u8> {
        let entry = |kind, encoded| {
            let Encoded { der, .. }: &Encoded = encoded;
            TableEntry { kind, bytes: der }
        };
        let entries = [
            entry(CertificateKind::VCEK, &self.vcek),
            entry(CertificateKind::ASK, &self.ask),
            entry(CertificateKind::ARK, &self.ark),
        ];
        let content: usize = entries.iter().map(|entry| entry.bytes.len()).sum();
        // An entry for each and one at the end.
        let mut table = vec![0; 4 * 0x18 + content];
        let written = write_certificate_table(&entries, &mut table);
        assert_eq!(written, Ok(table.len()), "the table has room for just these certificates");
        table
    }

    /// Files for verifiers: `ark.pem`, `ask.pem` and `vcek.pem`; `vcek.der` and
    /// `cert_chain.pem`, which has ASK and ARK in this order, as AMD's key
    /// distribution service hands them out [KDS 57230 ch. 4].
    #[must_use]
    pub fn public_files(&self) -> Vec<PublicFile> {
        let file = |name, content: &[u8]| PublicFile { name, content: content.to_owned() };
        vec![
            file(ARK_FILE, self.ark.pem.as_bytes()),
            file(ASK_FILE, self.ask.pem.as_bytes()),
            file(VCEK_FILE, self.vcek.pem.as_bytes()),
            file("vcek.der", &self.vcek.der),
            file("cert_chain.pem", [&*self.ask.pem, &*self.ark.pem].concat().as_bytes()),
        ]
    }
}

impl Encoded {
    fn new(certificate: &Certificate, which: CertificateKind) -> Result<Self, ChainError> {
        let malformed = |cause| ChainError::Malformed { which, cause };
        let pem = certificate.to_pem(LineEnding::LF).map_err(malformed)?;
        Ok(Self { pem, der: certificate.to_der().map_err(malformed)? })
    }
}

/// The key in a certificate whose key may sign certificates.
fn authority_key(
    certificate: &Certificate,
    which: CertificateKind,
) -> Result<RsaPublicKey, ChainError> {
    let certificate = certificate.tbs_certificate();
    let constraints = certificate
        .get_extension::<BasicConstraints>()
        .map_err(|cause| ChainError::Malformed { which, cause })?;
    if !constraints.is_some_and(|(_critical, constraints)| constraints.ca) {
        return Err(ChainError::NotAuthority { which });
    }
    let key = RsaPublicKey::try_from(certificate.subject_public_key_info().owned_to_ref());
    let key = key.map_err(|_| ChainError::Key { which })?;
    // A key's length in bits is that of its modulus.
    if key.n().bits() as usize == RSA_BITS { Ok(key) } else { Err(ChainError::Key { which }) }
}

/// The key in a VCEK certificate.
fn chip_key(certificate: &Certificate) -> Result<VerifyingKey, ChainError> {
    let info = certificate.tbs_certificate().subject_public_key_info().owned_to_ref();
    let key = p384::PublicKey::try_from(info);
    Ok(key.map_err(|_| ChainError::Key { which: CertificateKind::VCEK })?.into())
}

/// Whether `key`, which is that of the issuer, signed the certificate.
fn check_signature(
    (certificate, which): (&Certificate, CertificateKind),
    (issuer_certificate, issuer): (&Certificate, CertificateKind),
    key: &RsaPublicKey,
) -> Result<(), ChainError> {
    let content = certificate.tbs_certificate();
    if content.issuer() != issuer_certificate.tbs_certificate().subject() {
        return Err(ChainError::Issuer { which, issuer });
    }
    let algorithm = certificate.signature_algorithm();
    if content.signature() != algorithm || !is_expected(algorithm) {
        return Err(ChainError::Algorithm { which });
    }
    let message = content.to_der().map_err(|cause| ChainError::Malformed { which, cause })?;
    let signature = certificate.signature().as_bytes();
    let signature = signature.and_then(|bytes| pss::Signature::try_from(bytes).ok());
    let key = pss::VerifyingKey::<Sha384>::new_with_salt_len(key.clone(), SALT_SIZE.into());
    match signature.map(|signature| key.verify(&message, &signature)) {
        Some(Ok(())) => Ok(()),
        _ => Err(ChainError::Signature { which, issuer }),
    }
}

/// Whether this is RSASSA-PSS with the parameters that AMD uses. Older
/// certificates spell a default out, so that bytes cannot be compared.
fn is_expected(algorithm: &AlgorithmIdentifierOwned) -> bool {
    let parameters = algorithm.parameters.as_ref();
    let parameters = parameters.and_then(|any| any.decode_as::<RsaPssParamsOwned>().ok());
    let found = parameters.map(|parameters| parameters.to_der());
    let expected = RsaPssParamsRef::new::<Sha384>(SALT_SIZE).to_der();
    algorithm.oid == RSASSA_PSS && expected.is_ok() && found == Some(expected)
}

/// Whether the certificate is for the one that has this common name.
fn check_subject(
    certificate: &Certificate,
    which: CertificateKind,
    expected: &str,
) -> Result<(), ChainError> {
    let names = certificate.tbs_certificate().subject().iter();
    let mut common = names.filter(|part| part.oid == COMMON_NAME).map(|part| part.value.value());
    let first = common.next().unwrap_or_default();
    if first == expected.as_bytes() && common.next().is_none() {
        return Ok(());
    }
    let found = String::from_utf8_lossy(first).into_owned();
    Err(ChainError::Subject { which, found, expected: expected.to_owned() })
}

#[cfg(test)]
mod tests;
