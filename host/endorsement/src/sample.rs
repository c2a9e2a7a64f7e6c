//! Endorsements for tests: drawn once from fixed seeds.

use std::sync::LazyLock;

use abi_snp::{
    AttestationReport, EcdsaSignature, KeyAlgorithm, KeyInfo, KeyInfoFlags, P384Integer,
    SigningKey, TcbComponents,
};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use p384::ecdsa::Signature;
use p384::ecdsa::signature::Signer;

use crate::{ChipIdentity, Endorsement, Product};

pub(crate) static MILAN: LazyLock<Endorsement> = LazyLock::new(|| draw(1, Product::Milan));
pub(crate) static OTHER_MILAN: LazyLock<Endorsement> = LazyLock::new(|| draw(2, Product::Milan));
pub(crate) static TURIN: LazyLock<Endorsement> = LazyLock::new(|| draw(3, Product::Turin));

/// The processor that [`draw`] makes an endorsement for.
pub(crate) fn chip(seed: u8, product: Product) -> ChipIdentity {
    let mut chip_id = [0; 64];
    let fmc = if product == Product::Turin {
        chip_id[..8].fill(seed);
        Some(1)
    } else {
        chip_id.fill(seed);
        None
    };
    let tcb = TcbComponents { fmc, boot_loader: 4, tee: 0, snp: 22, microcode: 213 };
    ChipIdentity::new(product, chip_id, tcb).expect("fits the product")
}

fn draw(seed: u8, product: Product) -> Endorsement {
    let mut rng = ChaCha20Rng::from_seed([seed; 32]);
    Endorsement::generate(&mut rng, &chip(seed, product)).expect("keys are found")
}

/// Fills in what [`crate::Chain::verify`] looks at.
pub(crate) fn complete(mut report: AttestationReport, by: &Endorsement) -> AttestationReport {
    report.signature_algorithm = KeyAlgorithm::ECDSA_P384_SHA384;
    report.key_info = KeyInfo::new(SigningKey::VCEK, KeyInfoFlags::empty());
    report.chip_id = *by.chain().chip().chip_id();
    report.reported_tcb = by.chain().chip().reported_tcb();
    report.measurement.0 = [7; 48];
    report
}

/// Signs as the security processor does.
pub(crate) fn sign(mut report: AttestationReport, by: &Endorsement) -> AttestationReport {
    let key = p384::ecdsa::SigningKey::from_slice(by.vcek_scalar().as_slice()).expect("a scalar");
    let signature: Signature = key.sign(report.signed_bytes());
    let (r, s) = signature.split_bytes();
    let number = |bytes: p384::FieldBytes| P384Integer::from_big_endian(&bytes.into());
    report.signature = EcdsaSignature::new(number(r), number(s));
    report
}
