//! What a file says about its measurement on Hyper-V's VBS platform.
//!
//! The digest and the signature are shown, not checked: the algorithms are
//! Hyper-V's own.

use igvm::IgvmDirectiveHeader as Directive;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::number::{Hex, hex};
use super::platform::names;
use crate::file::Igvm;

/// A VBS measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VbsMeasurement {
    /// Names of the platforms.
    pub platforms: Vec<String>,
    /// Version of the structure.
    pub version: u32,
    /// The product.
    pub product_id: u32,
    /// The module within it.
    pub module_id: u32,
    /// Security version number.
    pub security_version: u32,
    /// Policy bits.
    pub policy_flags: Hex,
    /// Number of the digest algorithm.
    pub digest_algorithm: u32,
    /// Number of the signature algorithm.
    pub signing_algorithm: u32,
    /// The digest that the boot is to have.
    pub digest: String,
    /// SHA-256 over signature and public key, to tell them apart.
    pub signature_sha256: String,
}

pub(super) fn vbs_measurements(igvm: &Igvm) -> Vec<VbsMeasurement> {
    igvm.file().directives().iter().filter_map(|directive| measurement(igvm, directive)).collect()
}

fn measurement(igvm: &Igvm, directive: &Directive) -> Option<VbsMeasurement> {
    let Directive::VbsMeasurement {
        compatibility_mask,
        version,
        product_id,
        module_id,
        security_version,
        policy_flags,
        boot_digest_algo,
        signing_algo,
        boot_measurement_digest,
        signature,
        public_key,
    } = directive
    else {
        return None;
    };
    let signature = Sha256::new().chain_update(signature.as_slice());
    Some(VbsMeasurement {
        platforms: names(igvm, *compatibility_mask),
        version: *version,
        product_id: *product_id,
        module_id: *module_id,
        security_version: *security_version,
        policy_flags: Hex((*policy_flags).into()),
        digest_algorithm: *boot_digest_algo,
        signing_algorithm: *signing_algo,
        digest: hex(boot_measurement_digest.as_slice()),
        signature_sha256: hex(&signature.chain_update(public_key.as_slice()).finalize()),
    })
}
