//! AMD's extensions of a VCEK certificate: which chip, which firmware.
//!
//! All are below 1.3.6.1.4.1.3704.1 and not critical. Versions are INTEGERs,
//! the product name is an IA5String, and the chip identifier stands as it is,
//! without any encoding [KDS 57230 ch. 3, "VCEK Certificate Extensions"]. Order
//! and structure version follow certificates that AMD has issued for Milan and
//! Turin; Genoa is taken to be like Milan.

use x509_cert::TbsCertificate;
use x509_cert::der::asn1::{Ia5String, Ia5StringRef, ObjectIdentifier, OctetString};
use x509_cert::der::{self, Decode, Encode};
use x509_cert::ext::Extension;

use abi_snp::{TcbComponents, TcbLayout};

use crate::identity::{ChipIdentity, IdentityError, Product};

const STRUCTURE_VERSION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.1");
const PRODUCT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.2");
const BOOT_LOADER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.1");
const TEE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.2");
const SNP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.3");
/// Parts of the firmware that have no meaning yet; always version 0.
const RESERVED_4: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.4");
const RESERVED_5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.5");
const RESERVED_6: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.6");
const RESERVED_7: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.7");
const MICROCODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.8");
const FMC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.3.9");
const HARDWARE_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.3704.1.4");

/// Why a certificate's extensions do not describe a chip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionError {
    /// One of AMD's extensions is missing.
    #[error("there is no extension {0}")]
    Missing(ObjectIdentifier),
    /// One of AMD's extensions is there more than once.
    #[error("there is more than one extension {0}")]
    Repeated(ObjectIdentifier),
    /// An extension's content is not of its type or too large for it.
    #[error("the extension {oid} is malformed: {cause}")]
    Malformed {
        /// Which extension.
        oid: ObjectIdentifier,
        /// What is wrong with it.
        cause: der::Error,
    },
    /// The product is none that this version knows.
    #[error("the product `{0}` is unknown")]
    UnknownProduct(String),
    /// The chip identifier has not the size that the product's have.
    #[error(
        "the chip identifier has {found} bytes, those of {product} have {}",
        product.chip_id_size()
    )]
    HardwareId {
        /// The line of processors.
        product: Product,
        /// How many bytes there are.
        found: usize,
    },
    /// The values do not fit together.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// The extensions of a certificate for the VCEK of `chip`.
///
/// # Errors
///
/// A value cannot be encoded; no [`ChipIdentity`] is known to have such.
pub(crate) fn write(chip: &ChipIdentity) -> der::Result<Vec<Extension>> {
    let TcbComponents { fmc, boot_loader, tee, snp, microcode } = chip.tcb();
    let product_name = Ia5StringRef::new(chip.product().name_in_vcek())?.to_der()?;
    let versions: &[(ObjectIdentifier, u8)] = match fmc {
        None => &[
            (BOOT_LOADER, boot_loader),
            (TEE, tee),
            (RESERVED_4, 0),
            (RESERVED_5, 0),
            (RESERVED_6, 0),
            (RESERVED_7, 0),
            (SNP, snp),
            (MICROCODE, microcode),
        ],
        Some(fmc) => &[
            (FMC, fmc),
            (BOOT_LOADER, boot_loader),
            (TEE, tee),
            (SNP, snp),
            (RESERVED_5, 0),
            (RESERVED_6, 0),
            (RESERVED_7, 0),
            (MICROCODE, microcode),
        ],
    };
    let structure_version: u8 = if fmc.is_some() { 1 } else { 0 };
    let mut extensions = vec![
        extension(STRUCTURE_VERSION, structure_version.to_der()?)?,
        extension(PRODUCT_NAME, product_name)?,
    ];
    for (oid, version) in versions {
        extensions.push(extension(*oid, version.to_der()?)?);
    }
    extensions.push(extension(HARDWARE_ID, chip.hardware_id().to_vec())?);
    Ok(extensions)
}

fn extension(oid: ObjectIdentifier, content: Vec<u8>) -> der::Result<Extension> {
    Ok(Extension { extn_id: oid, critical: false, extn_value: OctetString::new(content)? })
}

/// The chip that the VCEK in `certificate` is for.
///
/// # Errors
///
/// An extension is missing, repeated or malformed, or they do not describe a
/// chip.
pub(crate) fn read(certificate: &TbsCertificate) -> Result<ChipIdentity, ExtensionError> {
    let name: Ia5String = decode(certificate, PRODUCT_NAME)?;
    let product = Product::from_name_in_vcek(name.as_str())
        .ok_or_else(|| ExtensionError::UnknownProduct(name.as_str().to_owned()))?;
    let version = |oid| decode::<u8>(certificate, oid);
    let fmc = match product.tcb_layout() {
        TcbLayout::Milan => None,
        TcbLayout::Turin => Some(version(FMC)?),
    };
    let tcb = TcbComponents {
        fmc,
        boot_loader: version(BOOT_LOADER)?,
        tee: version(TEE)?,
        snp: version(SNP)?,
        microcode: version(MICROCODE)?,
    };
    let hardware_id = content(certificate, HARDWARE_ID)?;
    let found = hardware_id.len();
    if found != product.chip_id_size() {
        return Err(ExtensionError::HardwareId { product, found });
    }
    let mut chip_id = [0; 64];
    for (to, from) in chip_id.iter_mut().zip(hardware_id) {
        *to = *from;
    }
    Ok(ChipIdentity::new(product, chip_id, tcb)?)
}

fn decode<'a, T: Decode<'a, Error = der::Error>>(
    certificate: &'a TbsCertificate,
    oid: ObjectIdentifier,
) -> Result<T, ExtensionError> {
    let content = content(certificate, oid)?;
    T::from_der(content).map_err(|cause| ExtensionError::Malformed { oid, cause })
}

/// The bytes inside the one extension `oid`.
fn content(certificate: &TbsCertificate, oid: ObjectIdentifier) -> Result<&[u8], ExtensionError> {
    let all = certificate.extensions().map(Vec::as_slice).unwrap_or_default();
    let mut fitting = all.iter().filter(|extension| extension.extn_id == oid);
    let first = fitting.next().ok_or(ExtensionError::Missing(oid))?;
    match fitting.next() {
        None => Ok(first.extn_value.as_bytes()),
        Some(_) => Err(ExtensionError::Repeated(oid)),
    }
}
