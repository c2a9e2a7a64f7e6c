//! The making of a device: seeds, endorsement keys, certificates.
//!
//! Everything is made in memory and stored at once: there is a whole device
//! afterwards, or none.

use std::time::Instant;

use sha2::{Digest, Sha512};
use tpm::{
    Change, Device, ENDORSEMENT_TEMPLATES, MemoryStore, PhysicalPresence, Platform, PowerOnError,
    ProvisionError, ResponseCode, Store, StoreError,
};
use x509_cert::der::Encode;
use zeroize::Zeroizing;

use super::authority::{Authority, AuthorityError};
use super::certificate;
use super::public::{PublicError, certified};
use crate::surroundings::{SystemEntropy, Uptime, provider};

/// The NV index of the certificate of the authority that signed the others
/// [TCG EK Credential Profile 2.5 §2.2.1.5.2, *from memory*].
const CHAIN_INDEX: u32 = 0x01C0_0100;

/// Where the seed of the endorsement keys comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The operating system's random numbers.
    Random,
    /// These bytes: the same bytes make the same endorsement keys. For tests.
    Seed(&'a [u8]),
}

/// Why no device was made.
#[derive(Debug, thiserror::Error)]
pub enum ManufactureError {
    /// There is one already, or there is no entropy.
    #[error(transparent)]
    Device(#[from] PowerOnError),
    /// The new device did not make an endorsement key.
    #[error("the new device made no endorsement key {template}: {code}")]
    Key {
        /// The name of its template.
        template: &'static str,
        /// What the device said.
        code: ResponseCode,
    },
    /// See there.
    #[error(transparent)]
    Public(#[from] PublicError),
    /// See there.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The new device did not take a certificate.
    #[error("the new device takes no certificate: {0}")]
    Provision(#[from] ProvisionError),
    /// See there.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a device and stores it in `store`, which has to be empty. `authority`
/// certifies its endorsement keys.
///
/// # Errors
///
/// [`ManufactureError`]; nothing is stored then.
pub fn manufacture(
    store: &mut dyn Store,
    origin: Origin<'_>,
    authority: &Authority,
) -> Result<(), ManufactureError> {
    if !store.load()?.is_empty() {
        return Err(PowerOnError::Occupied.into());
    }
    let mut memory = MemoryStore::default();
    let mut platform = Platform {
        entropy: &mut SystemEntropy,
        provider: &*provider(),
        clock: &Uptime(Instant::now()),
        store: &mut memory,
        presence: PhysicalPresence::Absent,
    };
    match origin {
        Origin::Random => Device::manufacture(&mut platform)?,
        Origin::Seed(bytes) => {
            let seed = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(bytes)));
            Device::manufacture_with_seed(&mut platform, &seed)?;
        }
    }
    let mut device = Device::power_on(&mut platform)?;
    for template in &ENDORSEMENT_TEMPLATES {
        let key = device
            .endorsement_key(&mut platform, template)
            .map_err(|code| ManufactureError::Key { template: template.name, code })?;
        let (key, used) = certified(&key)?;
        let certificate = certificate::issue(authority, key, used)?;
        let content = certificate.to_der().map_err(AuthorityError::from)?;
        device.provision(&mut platform, template.certificate_index, &content)?;
    }
    device.provision(&mut platform, CHAIN_INDEX, &authority.certificate_der()?)?;
    let records = memory.load()?.into_iter();
    let changes: Vec<Change> =
        records.map(|(key, content)| Change { key, content: Some(content) }).collect();
    Ok(store.commit(&changes)?)
}

#[cfg(test)]
mod tests;
