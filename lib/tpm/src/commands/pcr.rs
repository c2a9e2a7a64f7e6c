//! PCRs [Part 3 §22].

use alloc::vec::Vec;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::pcr::{BANKS, is_guarded, rules};
use crate::wire::algorithm::Hash;
use crate::wire::containers::List;
use crate::wire::handle::NULL;
use crate::wire::pcr::{PCR_COUNT, PcrSelection, PcrSelections, TaggedDigest};
use crate::wire::structure::{Digest, MaxBuffer};

/// Digests that one answer holds.
const MAX_DIGESTS: usize = 8;

/// TPM2_PCR_Extend [Part 3 §22.2]. Banks that have not this PCR are passed over.
pub(crate) fn extend(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (digests,): (List<TaggedDigest, 7>,) = call.parameters()?;
    extend_all(machine, call, &digests.0)?;
    Ok(Reply::EMPTY)
}

/// TPM2_PCR_Event [Part 3 §22.3].
pub(crate) fn event(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (data,): (MaxBuffer,) = call.parameters()?;
    let digests: Vec<TaggedDigest> = BANKS
        .into_iter()
        .map(|hash| TaggedDigest {
            hash,
            digest: hash.algorithm().digest(&[&data]).as_bytes().to_vec(),
        })
        .collect();
    extend_all(machine, call, &digests)?;
    Ok(Reply::EMPTY.with(&List::<_, 7>(digests)))
}

/// Extends the PCR of the first handle, if it names one.
pub(crate) fn extend_all(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
    digests: &[TaggedDigest],
) -> Result<(), ResponseCode> {
    let pcr = call.handle(0);
    if pcr == NULL {
        return Ok(());
    }
    check_locality(rules(pcr).extend, call.locality)?;
    for digest in digests {
        machine.state.pcrs.extend(digest.hash, pcr, &digest.digest);
    }
    Ok(())
}

/// TPM2_PCR_Read [Part 3 §22.4].
pub(crate) fn read(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (wanted,): (PcrSelections,) = call.parameters()?;
    let mut digests = Vec::new();
    let mut read = Vec::new();
    for selection in wanted.0 {
        let mut pcrs = 0;
        for number in selection.numbers() {
            if digests.len() == MAX_DIGESTS {
                break;
            }
            if let Some(digest) = machine.state.pcrs.digest(selection.bank, number) {
                digests.push(Digest::new(digest));
                pcrs |= 1 << number;
            }
        }
        read.push(PcrSelection { bank: selection.bank, pcrs });
    }
    let (read, digests): (PcrSelections, List<_, MAX_DIGESTS>) = (List(read), List(digests));
    Ok(Reply::EMPTY.with(&machine.state.pcrs.counter).with(&read).with(&digests))
}

/// TPM2_PCR_Allocate [Part 3 §22.5]; it takes effect with the next reset.
pub(crate) fn allocate(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (wanted,): (PcrSelections,) = call.parameters()?;
    let mut allocation = machine.state.allocation.0.clone();
    for selection in &wanted.0 {
        let bank = allocation
            .iter_mut()
            .find(|bank| bank.bank == selection.bank)
            .ok_or(ResponseCode::HASH.parameter(1))?;
        bank.pcrs = selection.pcrs;
    }
    // PCR 0 and 17 hold what starts the machine, statically and dynamically.
    for needed in [0, 17] {
        if !allocation.iter().any(|bank| bank.pcrs & (1 << needed) != 0) {
            return Err(ResponseCode::PCR);
        }
    }
    let size = |banks: &[PcrSelection]| -> u32 {
        banks
            .iter()
            .map(|bank| bank.pcrs.count_ones() * u32::try_from(bank.bank.size()).unwrap_or(0))
            .sum()
    };
    let available: Vec<PcrSelection> =
        BANKS.into_iter().map(|bank| PcrSelection { bank, pcrs: (1 << PCR_COUNT) - 1 }).collect();
    let reply =
        Reply::EMPTY.with(&true).with(&PCR_COUNT).with(&size(&allocation)).with(&size(&available));
    machine.state.allocation = List(allocation);
    Ok(reply)
}

/// TPM2_PCR_Reset [Part 3 §22.8].
pub(crate) fn reset(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let pcr = call.handle(0);
    check_locality(rules(pcr).reset, call.locality)?;
    machine.state.pcrs.clear(pcr);
    machine.state.pcrs.changed(pcr);
    Ok(Reply::EMPTY)
}

/// TPM2_PCR_SetAuthPolicy [Part 3 §22.6]: one policy for all PCRs that can have
/// one.
pub(crate) fn set_auth_policy(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (policy, hash, pcr): (Digest, Option<Hash>, u32) = call.parameters()?;
    if policy.len() != hash.map_or(0, Hash::size) {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    if !is_guarded(pcr) {
        return Err(ResponseCode::VALUE.parameter(3));
    }
    machine.state.pcr_guard.policy_hash = hash;
    machine.state.pcr_guard.policy = policy;
    Ok(Reply::EMPTY)
}

/// TPM2_PCR_SetAuthValue [Part 3 §22.7].
pub(crate) fn set_auth_value(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (auth,): (Digest,) = call.parameters()?;
    if !is_guarded(call.handle(0)) {
        return Err(ResponseCode::VALUE);
    }
    machine.state.pcr_guard.auth = auth.without_trailing_zeros();
    Ok(Reply::EMPTY)
}

fn check_locality(allowed: u8, locality: u8) -> Result<(), ResponseCode> {
    if locality <= 4 && allowed & (1 << locality) != 0 {
        Ok(())
    } else {
        Err(ResponseCode::LOCALITY)
    }
}
