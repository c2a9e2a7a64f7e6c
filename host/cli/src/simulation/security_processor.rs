//! Whom the simulated security processor plays: the processor that the
//! certificates of set-up are for.

use abi_simulator::launch::SecurityProcessor;
use abi_snp::{FirmwareVersion, ProcessorModel};
use sha2::{Digest, Sha256};
use svsm_endorsement::{Endorsement, Product};

/// Version of the firmware that it seems to run; a figure without a meaning.
const FIRMWARE: FirmwareVersion = FirmwareVersion::new(1, 58, 1);

/// The processor whose key and certificates `endorsement` holds, writing
/// attestation reports of `report_version`.
pub(super) fn security_processor(
    endorsement: &Endorsement,
    report_version: u8,
) -> SecurityProcessor {
    let chip = endorsement.chain().chip();
    let tcb = chip.reported_tcb();
    let vcek = endorsement.vcek_scalar();
    SecurityProcessor {
        report_version,
        processor: model(chip.product()),
        firmware: FIRMWARE,
        current_tcb: tcb,
        committed_tcb: tcb,
        reported_tcb: tcb,
        chip_id: *chip.chip_id(),
        vcek: *vcek,
        vlek_or_zero: [0; 48],
        // Fixed for this processor, so that two runs are the same.
        seed: Sha256::new().chain_update(b"svsm simulator").chain_update(*vcek).finalize().into(),
    }
}

/// A model of the line: the ones whose CPUID signatures are 0x00a0_0f11,
/// 0x00a1_0f11 and 0x00b0_0f21.
const fn model(product: Product) -> ProcessorModel {
    let (family, model, stepping) = match product {
        Product::Milan => (0x19, 0x01, 1),
        Product::Genoa => (0x19, 0x11, 1),
        Product::Turin => (0x1a, 0x02, 1),
    };
    ProcessorModel { family, model, stepping }
}

#[cfg(test)]
mod tests {
    use abi_snp::TcbComponents;
    use chacha20::ChaCha20Rng;
    use chacha20::rand_core::SeedableRng;
    use svsm_endorsement::{ChipIdentity, Endorsement, Product};

    use super::security_processor;

    fn endorsement(seed: u8) -> anyhow::Result<Endorsement> {
        let tcb = TcbComponents { fmc: None, boot_loader: 3, tee: 1, snp: 22, microcode: 213 };
        let chip = ChipIdentity::new(Product::Milan, [seed; 64], tcb)?;
        Ok(Endorsement::generate(&mut ChaCha20Rng::from_seed([seed; 32]), &chip)?)
    }

    #[test]
    fn it_is_the_processor_of_the_certificates() -> anyhow::Result<()> {
        let (one, other) = (endorsement(1)?, endorsement(2)?);
        let processor = security_processor(&one, 5);
        assert_eq!(processor.report_version, 5);
        assert_eq!(processor.chip_id, [1; 64]);
        assert_eq!(processor.vcek, *one.vcek_scalar());
        assert_eq!(processor.reported_tcb, one.chain().chip().reported_tcb());
        assert_eq!((processor.processor.family, processor.processor.model), (0x19, 1));
        assert!(processor.vlek().is_none());
        // The same processor has the same secrets each time, others have
        // others, and none can be seen from the key.
        assert_eq!(processor, security_processor(&one, 5));
        assert_ne!(processor.seed, security_processor(&other, 5).seed);
        assert_ne!(processor.seed[..], processor.vcek[..32]);
        Ok(())
    }
}
