//! Certificates of endorsement keys [TCG EK Credential Profile 2.5 §3.1].
//!
//! The subject is empty; who made the device stands in the alternative name,
//! which is critical for that reason [RFC 5280 §4.2.1.6]. A verifier that knows
//! the authority learns from it that the key is in a TPM, and of what make.

use tpm::identity::{
    FIRMWARE_VERSION, MANUFACTURER, MODEL, SPECIFICATION_LEVEL, SPECIFICATION_REVISION,
};
use x509_cert::attr::{Attribute, AttributeTypeAndValue};
use x509_cert::builder::{self, profile::BuilderProfile};
use x509_cert::der::asn1::{Any, ObjectIdentifier, SetOfVec, Utf8StringRef};
use x509_cert::der::{self, DateTime, Decode, Encode, Tag};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectDirectoryAttributes,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, TbsCertificate};

use super::authority::{Authority, AuthorityError};
use super::public::Use;

/// tcg-at-tpmManufacturer, -tpmModel, -tpmVersion and -tpmSpecification.
const TPM_MANUFACTURER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.2.1");
const TPM_MODEL: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.2.2");
const TPM_VERSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.2.3");
const TPM_SPECIFICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.2.16");
/// tcg-kp-EKCertificate.
const EK_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.8.1");

/// The first year of validity. There is no last: a device does not expire
/// [§3.1.6, RFC 5280 §4.1.2.5].
const FIRST_YEAR: u16 = 2020;

/// Issues the certificate for an endorsement key.
pub(super) fn issue(
    authority: &Authority,
    key: SubjectPublicKeyInfoOwned,
    used: Use,
) -> Result<Certificate, AuthorityError> {
    let first = Time::from(DateTime::new(FIRST_YEAR, 1, 1, 0, 0, 0)?);
    let validity = Validity::new(first, Time::INFINITY);
    authority.sign(EndorsementKey { authority, used }, validity, key)
}

struct EndorsementKey<'a> {
    authority: &'a Authority,
    used: Use,
}

impl BuilderProfile for EndorsementKey<'_> {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.authority.name().clone()
    }

    fn get_subject(&self) -> Name {
        Name::default()
    }

    fn build_extensions(
        &self,
        _key: SubjectPublicKeyInfoRef<'_>,
        issuer_key: SubjectPublicKeyInfoRef<'_>,
        certificate: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let subject = certificate.subject();
        let usage = KeyUsage(match self.used {
            Use::Encipherment => KeyUsages::KeyEncipherment.into(),
            Use::Agreement => KeyUsages::KeyAgreement.into(),
        });
        let constraints = BasicConstraints { ca: false, path_len_constraint: None };
        let maker = SubjectAltName(vec![GeneralName::DirectoryName(maker()?)]);
        let attributes = SubjectDirectoryAttributes(vec![specification()?]);
        Ok(vec![
            self.authority.key_identifier(issuer_key)?.to_extension(subject, &[])?,
            (true, &maker).to_extension(subject, &[])?,
            attributes.to_extension(subject, &[])?,
            constraints.to_extension(subject, &[])?,
            ExtendedKeyUsage(vec![EK_CERTIFICATE]).to_extension(subject, &[])?,
            usage.to_extension(subject, &[])?,
        ])
    }
}

/// Manufacturer, model and version of the device, as the device itself tells
/// them.
fn maker() -> der::Result<Name> {
    let manufacturer: String = MANUFACTURER.iter().map(|byte| format!("{byte:02X}")).collect();
    let model = String::from_utf8_lossy(&MODEL);
    let [version, _] = FIRMWARE_VERSION;
    let mut names = RdnSequence::default();
    for (kind, value) in [
        (TPM_MANUFACTURER, format!("id:{manufacturer}")),
        (TPM_MODEL, model.trim_end_matches('\0').to_owned()),
        (TPM_VERSION, format!("id:{version:08X}")),
    ] {
        let value = Any::encode_from(&Utf8StringRef::new(&value)?)?;
        let pair = AttributeTypeAndValue { oid: kind, value };
        names.push(RelativeDistinguishedName::try_from(vec![pair])?);
    }
    Name::from_der(&names.to_der()?)
}

/// Family, level and revision of the specification.
fn specification() -> der::Result<Attribute> {
    let mut content = Utf8StringRef::new("2.0")?.to_der()?;
    content.extend(SPECIFICATION_LEVEL.to_der()?);
    content.extend(SPECIFICATION_REVISION.to_der()?);
    let values = SetOfVec::try_from(vec![Any::new(Tag::Sequence, content)?])?;
    Ok(Attribute { oid: TPM_SPECIFICATION, values })
}
