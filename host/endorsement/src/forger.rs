//! Certificates for tests that are signed but wrong.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rsa::RsaPrivateKey;
use rsa::pss::{Signature, SigningKey};
use sha2::Sha384;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{self, Builder, CertificateBuilder};
use x509_cert::der::asn1::OctetString;
use x509_cert::der::{DateTime, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::name::Name;
use x509_cert::spki::{EncodePublicKey, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, SubjectPublicKeyInfo, TbsCertificate};

/// Somebody with an RSA key who certifies whatever is asked for.
pub(crate) struct Forger {
    rng: ChaCha20Rng,
    key: RsaPrivateKey,
}

impl Forger {
    /// One whose key has so many bits.
    pub(crate) fn new(bits: usize) -> Self {
        let mut rng = ChaCha20Rng::from_seed([77; 32]);
        let key = RsaPrivateKey::new(&mut rng, bits).expect("a key is found");
        Self { rng, key }
    }

    /// A certificate of the key for itself, which lets it sign others, signed
    /// with so many bytes of salt.
    pub(crate) fn root(&mut self, name: &'static str, salt: usize) -> Certificate {
        let constraints = BasicConstraints { ca: true, path_len_constraint: None };
        let content = constraints.to_der().expect("encodes");
        let extension = Extension {
            extn_id: "2.5.29.19".parse().expect("an identifier"),
            critical: true,
            extn_value: OctetString::new(content).expect("encodes"),
        };
        let profile = Profile { subject: name, issuer: name, extensions: vec![extension] };
        let key = self.key.to_public_key();
        self.certify(profile, &key, salt)
    }

    /// A certificate for a VCEK below a root of this name.
    pub(crate) fn vcek(&mut self, root: &'static str, extensions: Vec<Extension>) -> Certificate {
        let profile = Profile { subject: "CN=SEV-VCEK", issuer: root, extensions };
        let key = p384::SecretKey::from_slice(&[1; 48]).expect("a scalar").public_key();
        self.certify(profile, &key, 48)
    }

    fn certify(
        &mut self,
        profile: Profile,
        key: &impl EncodePublicKey,
        salt: usize,
    ) -> Certificate {
        let time = |year| Time::from(DateTime::new(year, 1, 1, 0, 0, 0).expect("a date"));
        let key = SubjectPublicKeyInfo::from_key(key).expect("encodes");
        let validity = Validity::new(time(2020), time(2030));
        let signer = SigningKey::<Sha384>::new_with_salt_len(self.key.clone(), salt);
        CertificateBuilder::new(profile, 1u32.into(), validity, key)
            .and_then(|builder| builder.build_with_rng::<_, Signature, _>(&signer, &mut self.rng))
            .expect("is issued")
    }
}

/// A certificate with everything as given.
struct Profile {
    subject: &'static str,
    issuer: &'static str,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.parse().expect("a name")
    }

    fn get_subject(&self) -> Name {
        self.subject.parse().expect("a name")
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
