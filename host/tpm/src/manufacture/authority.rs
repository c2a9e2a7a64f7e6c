//! Who signs certificates of endorsement keys: a test authority made here, or
//! one that was given as PEM.

use std::str::FromStr;

use p256::pkcs8::DecodePrivateKey;
use p384::pkcs8::EncodePrivateKey;
use x509_cert::Certificate;
use x509_cert::TbsCertificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{self, Builder, CertificateBuilder};
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{self, DateTime, DecodePem, Encode, EncodePem};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{self, SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};
use zeroize::Zeroizing;

/// Who answers for certificates of the test authority: nobody.
const ORGANISATION: &str = "SVSM TPM test authority (no security)";

/// Years in which the test authority's certificate is valid, from the start of
/// the first to the start of the last: a clock that is off must not matter.
const VALID_YEARS: (u16, u16) = (2020, 2049);

/// Bytes of a serial number: as many as may be, less the sign [RFC 5280
/// §4.1.2.2].
const SERIAL: usize = 16;

/// Why there is no authority, or no certificate of it.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The certificate is none.
    #[error("the authority's certificate is not one in PEM: {0}")]
    Certificate(der::Error),
    /// The private key is none that can sign here.
    #[error(
        "the authority's key is none that can be used: it has to be a block `PRIVATE KEY` in PEM, \
         not encrypted, of P-256, P-384 or RSA"
    )]
    Key,
    /// They do not belong together.
    #[error("the authority's key is not the one that its certificate is for")]
    Mismatch,
    /// The operating system has no random numbers.
    #[error("the operating system has no random numbers: {0}")]
    Random(getrandom::Error),
    /// Something could not be encoded.
    #[error("cannot encode a certificate: {0}")]
    Encoding(#[from] der::Error),
    /// A public key could not be encoded.
    #[error("cannot encode a public key: {0}")]
    PublicKey(#[from] spki::Error),
    /// A certificate could not be put together or signed.
    #[error("cannot issue a certificate: {0}")]
    Builder(#[from] builder::Error),
}

/// An authority.
pub struct Authority {
    certificate: Certificate,
    key: Key,
}

enum Key {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa(Box<rsa::pkcs1v15::SigningKey<sha2::Sha256>>),
}

impl Authority {
    /// A new authority with a key on P-384, for tests: nobody trusts it.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Random`], or the certificate cannot be made.
    pub fn test() -> Result<Self, AuthorityError> {
        let secret = random_p384()?;
        let public = SubjectPublicKeyInfoOwned::from_key(&secret.public_key())?;
        let key = Key::P384(secret.into());
        let start_of = |year| DateTime::new(year, 1, 1, 0, 0, 0).map(Time::from);
        let validity = Validity::new(start_of(VALID_YEARS.0)?, start_of(VALID_YEARS.1)?);
        let certificate = key.sign(Root, validity, public)?;
        Ok(Self { certificate, key })
    }

    /// The authority with this certificate and private key, both PEM.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`]: which of the two is of no use, or that they do not
    /// belong together.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let certificate =
            Certificate::from_pem(certificate).map_err(AuthorityError::Certificate)?;
        let key = Key::from_pem(key).ok_or(AuthorityError::Key)?;
        let certified = certificate.tbs_certificate().subject_public_key_info().to_der()?;
        if certified != key.public()?.to_der()? {
            return Err(AuthorityError::Mismatch);
        }
        Ok(Self { certificate, key })
    }

    /// Its certificate, PEM.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Encoding`].
    pub fn certificate_pem(&self) -> Result<String, AuthorityError> {
        Ok(self.certificate.to_pem(LineEnding::LF)?)
    }

    /// Its certificate, DER.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Encoding`].
    pub fn certificate_der(&self) -> Result<Vec<u8>, AuthorityError> {
        Ok(self.certificate.to_der()?)
    }

    /// Its private key, PEM; none if it was given from outside and is RSA,
    /// which is never written.
    ///
    /// # Errors
    ///
    /// [`AuthorityError::Key`].
    pub fn key_pem(&self) -> Result<Option<Zeroizing<String>>, AuthorityError> {
        let pem = match &self.key {
            Key::P256(key) => key.to_pkcs8_pem(LineEnding::LF),
            Key::P384(key) => key.to_pkcs8_pem(LineEnding::LF),
            Key::Rsa(_) => return Ok(None),
        };
        pem.map(Some).map_err(|_| AuthorityError::Key)
    }

    /// Its name.
    pub(super) fn name(&self) -> &Name {
        self.certificate.tbs_certificate().subject()
    }

    /// What certificates of it name its key by: as its own certificate does,
    /// else by the key's hash.
    pub(super) fn key_identifier(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
    ) -> der::Result<AuthorityKeyIdentifier> {
        let own = self.certificate.tbs_certificate().get_extension::<SubjectKeyIdentifier>()?;
        match own {
            Some((_, SubjectKeyIdentifier(identifier))) => Ok(AuthorityKeyIdentifier {
                key_identifier: Some(identifier),
                ..AuthorityKeyIdentifier::default()
            }),
            None => AuthorityKeyIdentifier::try_from(key),
        }
    }

    /// Signs the certificate for a key.
    pub(super) fn sign(
        &self,
        profile: impl BuilderProfile,
        validity: Validity,
        public: SubjectPublicKeyInfoOwned,
    ) -> Result<Certificate, AuthorityError> {
        self.key.sign(profile, validity, public)
    }
}

impl Key {
    fn from_pem(pem: &str) -> Option<Self> {
        if let Ok(key) = p256::SecretKey::from_pkcs8_pem(pem) {
            return Some(Self::P256(key.into()));
        }
        if let Ok(key) = p384::SecretKey::from_pkcs8_pem(pem) {
            return Some(Self::P384(key.into()));
        }
        let key = rsa::RsaPrivateKey::from_pkcs8_pem(pem).ok()?;
        Some(Self::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(key))))
    }

    fn public(&self) -> Result<SubjectPublicKeyInfoOwned, AuthorityError> {
        Ok(match self {
            Self::P256(key) => SubjectPublicKeyInfoOwned::from_key(key.verifying_key())?,
            Self::P384(key) => SubjectPublicKeyInfoOwned::from_key(key.verifying_key())?,
            Self::Rsa(key) => {
                let key: &rsa::RsaPrivateKey = key.as_ref().as_ref();
                SubjectPublicKeyInfoOwned::from_key(key.as_public_key())?
            }
        })
    }

    fn sign(
        &self,
        profile: impl BuilderProfile,
        validity: Validity,
        public: SubjectPublicKeyInfoOwned,
    ) -> Result<Certificate, AuthorityError> {
        let mut serial = [0; SERIAL];
        getrandom::fill(&mut serial).map_err(AuthorityError::Random)?;
        // Positive, and as long as it says.
        serial[0] = serial[0] & 0x7F | 0x40;
        let serial = SerialNumber::new(&serial)?;
        let builder = CertificateBuilder::new(profile, serial, validity, public)?;
        Ok(match self {
            Self::P256(key) => builder.build::<_, p256::ecdsa::DerSignature>(key)?,
            Self::P384(key) => builder.build::<_, p384::ecdsa::DerSignature>(key)?,
            Self::Rsa(key) => builder.build::<_, rsa::pkcs1v15::Signature>(key.as_ref())?,
        })
    }
}

fn random_p384() -> Result<p384::SecretKey, AuthorityError> {
    let mut bytes = Zeroizing::new([0; 48]);
    loop {
        getrandom::fill(bytes.as_mut()).map_err(AuthorityError::Random)?;
        // Almost all numbers are keys.
        if let Ok(key) = p384::SecretKey::from_slice(bytes.as_ref()) {
            return Ok(key);
        }
    }
}

/// The test authority's own certificate.
struct Root;

impl BuilderProfile for Root {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        Name::from_str(&format!("CN=SVSM TPM test CA,O={ORGANISATION}"))
            .expect("the text is a name, as the tests show")
    }

    fn build_extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        certificate: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let subject = certificate.subject();
        let constraints = BasicConstraints { ca: true, path_len_constraint: Some(0) };
        let usage = KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign);
        Ok(vec![
            SubjectKeyIdentifier::try_from(key)?.to_extension(subject, &[])?,
            constraints.to_extension(subject, &[])?,
            usage.to_extension(subject, &[])?,
        ])
    }
}
