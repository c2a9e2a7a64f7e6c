//! Keys and certificates of the platform simulator's security processor.
//!
//! They are drawn at random, once, and kept, so that verifiers that were given
//! the certificates go on accepting reports. They certify nothing: see
//! `svsm-endorsement`.

use std::path::PathBuf;

use abi_snp::TcbComponents;
use anyhow::{Context, Result, anyhow};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use svsm_endorsement::{ChipIdentity, Endorsement, Product};
use zeroize::Zeroizing;

use super::machine::Machine;
use super::step::{Found, Remedy, Step, Way};
use crate::log::Log;

/// The step.
pub(crate) struct ChipKeys;

/// The processor that the simulator's is most like: the first with five levels
/// of page tables and the encryption bit at 51.
const PRODUCT: Product = Product::Genoa;

/// Versions of its firmware: figures without a meaning, all different, so that
/// none can be taken for another.
const TCB: TcbComponents =
    TcbComponents { fmc: None, boot_loader: 10, tee: 1, snp: 24, microcode: 85 };

impl Step for ChipKeys {
    fn name(&self) -> String {
        "chip-keys".to_owned()
    }

    fn purpose(&self) -> String {
        "keys of the simulated processor, which certify nothing".to_owned()
    }

    fn find(&self, machine: &Machine) -> Result<Option<Found>> {
        let path = place(machine);
        if !path.exists() {
            return Ok(None);
        }
        let endorsement = Endorsement::load(&path).with_context(|| {
            format!(
                "{} holds no usable keys; once it is deleted, `cargo svsm setup chip-keys` makes \
                 new ones",
                path.display()
            )
        })?;
        let chip = endorsement.chain().chip();
        let detail = format!("VCEK of {} chip {}", chip.product(), short(chip.chip_id()));
        // Keys are bound to firmware: a simulator of other firmware has others.
        let current = (chip.product(), chip.tcb()) == (PRODUCT, TCB);
        Ok(current.then_some(Found { path, detail }))
    }

    fn ways<'a>(&'a self, machine: &'a Machine) -> Result<Vec<Way<'a>>, Remedy> {
        let how = "draw an ARK, an ASK and a VCEK and issue their certificates";
        Ok(vec![Way::without_network(how, |log| make(machine, log))])
    }
}

fn place(machine: &Machine) -> PathBuf {
    machine.cache.join("chip-keys")
}

fn make(machine: &Machine, log: &mut Log) -> Result<()> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut())
        .map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
    let mut rng = ChaCha20Rng::from_seed(*seed);
    let mut chip_id = [0; 64];
    rng.fill_bytes(&mut chip_id);
    let endorsement = Endorsement::generate(&mut rng, &ChipIdentity::new(PRODUCT, chip_id, TCB)?)?;
    let staging = machine.cache.staging()?;
    let made = staging.path().join("chip-keys");
    endorsement.save(&made)?;
    machine.cache.put(&made, &place(machine))?;
    log.say(&format!("made keys for {PRODUCT} chip {}", short(&chip_id)))
}

/// Enough of a chip's identifier to tell it from others.
fn short(chip_id: &[u8; 64]) -> String {
    chip_id.iter().take(8).map(|byte| format!("{byte:02x}")).chain(["…".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    use anyhow::Result;
    use svsm_endorsement::Endorsement;

    use super::{ChipKeys, PRODUCT, TCB, place};
    use crate::session::Network;
    use crate::setup::machine::{Machine, fake};
    use crate::setup::provide::need;
    use crate::setup::step::Step;
    use crate::terminal::Terminal;

    /// A machine without network, whose cache is in `folder`.
    fn offline(folder: &std::path::Path) -> Machine {
        Machine { network: Network::Forbidden, ..fake::debian(&folder.join("cache")) }
    }

    #[test]
    fn keys_are_made_once_and_kept() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let machine = offline(folder.path());
        assert_eq!(ChipKeys.find(&machine)?, None);
        let first = need(&ChipKeys, &machine, Terminal::plain())?;
        let endorsement = Endorsement::load(&first.path)?;
        let chip = endorsement.chain().chip();
        assert_eq!((chip.product(), chip.tcb()), (PRODUCT, TCB));
        assert_ne!(*chip.chip_id(), [0; 64]);
        assert_eq!(need(&ChipKeys, &machine, Terminal::plain())?, first);
        let again = Endorsement::load(&place(&machine))?;
        assert_eq!(again.vcek_scalar(), endorsement.vcek_scalar());
        Ok(())
    }

    #[test]
    fn damaged_keys_are_not_replaced_in_silence() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let machine = offline(folder.path());
        need(&ChipKeys, &machine, Terminal::plain())?;
        let key = place(&machine).join("vcek-key.pem");
        let refusal = || {
            let error = need(&ChipKeys, &machine, Terminal::plain()).err();
            error.map(|error| format!("{error:#}")).unwrap_or_default()
        };
        set_permissions(&key, Permissions::from_mode(0o644))?;
        assert!(refusal().contains("gives others access"), "{}", refusal());
        set_permissions(&key, Permissions::from_mode(0o600))?;
        assert_eq!(refusal(), "");
        write(&key, "")?;
        assert!(refusal().contains("no private key"), "{}", refusal());
        assert!(refusal().contains("cargo svsm setup chip-keys"), "{}", refusal());
        Ok(())
    }
}
