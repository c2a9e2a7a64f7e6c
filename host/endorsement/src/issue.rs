//! Making the keys of ARK and ASK, and certificates as AMD issues them.
//!
//! ARK and ASK are RSA keys of 4096 bits that sign with RSASSA-PSS, SHA-384,
//! MGF1 with SHA-384 and 48 bytes of salt; the VCEK is an ECDSA key on P-384
//! [KDS 57230 ch. 3]. Extensions, serial numbers and their like follow
//! the certificates that AMD has issued. What differs on purpose: the
//! organisation, the time of validity, and that no list of revoked
//! certificates is pointed to.

use std::str::FromStr;

use p384::elliptic_curve::Generate;
use rsa::pss::{Signature, SigningKey};
use rsa::rand_core::CryptoRng;
use rsa::{RsaPrivateKey, RsaPublicKey};
use sha2::Sha384;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::der::DateTime;
use x509_cert::der::flagset::FlagSet;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, TbsCertificate, builder, der, spki};

use crate::chip_extensions;
use crate::identity::{ChipIdentity, Product};

/// Length of the RSA keys of ARK and ASK.
pub(crate) const RSA_BITS: usize = 4096;

/// Who answers for these certificates: nobody.
const ORGANISATION: &str = "SVSM platform simulator (no security)";

/// Years in which the certificates are valid, from the start of the first to
/// the start of the last. A clock that is off must not matter, and a kept key
/// must not expire.
const VALID_YEARS: (u16, u16) = (2020, 2049);

/// Why keys and certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// No RSA key was found.
    #[error("cannot make an RSA key: {0}")]
    Rsa(#[from] rsa::Error),
    /// A certificate's content could not be encoded.
    #[error("cannot encode a certificate: {0}")]
    Encoding(#[from] der::Error),
    /// A public key could not be encoded.
    #[error("cannot encode a public key: {0}")]
    PublicKey(#[from] spki::Error),
    /// A certificate could not be put together or signed.
    #[error("cannot issue a certificate: {0}")]
    Builder(#[from] builder::Error),
}

/// Certificates that have just been issued, and the one private key that is
/// still needed.
pub(crate) struct Issued {
    pub(crate) ark: Certificate,
    pub(crate) ask: Certificate,
    pub(crate) vcek: Certificate,
    pub(crate) vcek_key: p384::SecretKey,
}

/// Draws an ARK, an ASK and a VCEK for `chip`, and issues their certificates.
/// The private keys of ARK and ASK are wiped: they have signed all that they
/// ever shall.
pub(crate) fn issue<R: CryptoRng + ?Sized>(
    rng: &mut R,
    chip: &ChipIdentity,
) -> Result<Issued, IssueError> {
    let product = chip.product();
    let ark_name = common_name(&format!("ARK-{product}"))?;
    let ask_name = common_name(&format!("SEV-{product}"))?;
    let ark_key = RsaPrivateKey::new(rng, RSA_BITS)?;
    let ask_key = RsaPrivateKey::new(rng, RSA_BITS)?;
    let vcek_key = p384::SecretKey::generate_from_rng(rng);

    let ark_profile = Authority {
        subject: ark_name.clone(),
        issuer: ark_name.clone(),
        path_length: None,
        usages: KeyUsages::KeyCertSign | KeyUsages::CRLSign,
    };
    let ark_public = SubjectPublicKeyInfoOwned::from_key(&RsaPublicKey::from(&ark_key))?;
    let ask_profile = Authority {
        subject: ask_name.clone(),
        issuer: ark_name,
        path_length: Some(0),
        usages: KeyUsages::KeyCertSign.into(),
    };
    let ask_public = SubjectPublicKeyInfoOwned::from_key(&RsaPublicKey::from(&ask_key))?;
    let vcek_profile = ChipKey {
        subject: common_name("SEV-VCEK")?,
        issuer: ask_name,
        extensions: chip_extensions::write(chip)?,
    };
    let vcek_public = SubjectPublicKeyInfoOwned::from_key(&vcek_key.public_key())?;

    let (ark_serial, ask_serial) = serial_numbers(product);
    let ark_key = SigningKey::<Sha384>::new(ark_key);
    let ask_key = SigningKey::<Sha384>::new(ask_key);
    Ok(Issued {
        ark: certify(rng, ark_profile, ark_serial, ark_public, &ark_key)?,
        ask: certify(rng, ask_profile, ask_serial, ask_public, &ark_key)?,
        vcek: certify(rng, vcek_profile, 0, vcek_public, &ask_key)?,
        vcek_key,
    })
}

/// Serial numbers of ARK and ASK, those of AMD's certificates. Genoa's are
/// *from memory*.
const fn serial_numbers(product: Product) -> (u32, u32) {
    match product {
        Product::Milan => (0x1_0000, 0x1_0001),
        Product::Genoa => (0x2_0000, 0x2_0001),
        Product::Turin => (0x3_0000, 0x3_0001),
    }
}

fn common_name(name: &str) -> der::Result<Name> {
    // Written from the last part to the first [RFC 4514 §2.1].
    Name::from_str(&format!("CN={name},O={ORGANISATION}"))
}

/// The certificate for `key`, signed by `signer`.
fn certify<R: CryptoRng + ?Sized>(
    rng: &mut R,
    profile: impl BuilderProfile,
    serial_number: u32,
    key: SubjectPublicKeyInfoOwned,
    signer: &SigningKey<Sha384>,
) -> Result<Certificate, IssueError> {
    let start_of = |year| DateTime::new(year, 1, 1, 0, 0, 0).map(Time::from);
    let (first, last) = VALID_YEARS;
    let validity = Validity::new(start_of(first)?, start_of(last)?);
    let serial_number = SerialNumber::from(serial_number);
    let builder = CertificateBuilder::new(profile, serial_number, validity, key)?;
    Ok(builder.build_with_rng::<_, Signature, _>(signer, rng)?)
}

/// A certificate for a key that signs certificates: ARK and ASK.
struct Authority {
    subject: Name,
    issuer: Name,
    /// How many authorities may follow; any number if `None`.
    path_length: Option<u8>,
    usages: FlagSet<KeyUsages>,
}

impl BuilderProfile for Authority {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        key: SubjectPublicKeyInfoRef<'_>,
        issuer_key: SubjectPublicKeyInfoRef<'_>,
        certificate: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let constraints = BasicConstraints { ca: true, path_len_constraint: self.path_length };
        let mut extensions = Vec::new();
        let subject = certificate.subject();
        extensions.push(SubjectKeyIdentifier::try_from(key)?.to_extension(subject, &[])?);
        if self.issuer != self.subject {
            let identifier = AuthorityKeyIdentifier::try_from(issuer_key)?;
            extensions.push(identifier.to_extension(subject, &[])?);
        }
        extensions.push(constraints.to_extension(subject, &[])?);
        extensions.push(KeyUsage(self.usages).to_extension(subject, &[])?);
        Ok(extensions)
    }
}

/// A certificate for a VCEK.
struct ChipKey {
    subject: Name,
    issuer: Name,
    extensions: Vec<Extension>,
}

impl BuilderProfile for ChipKey {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        _certificate: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}
