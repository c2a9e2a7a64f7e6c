//! Hashing in one go and in sequences [Part 3 §15.4, §17].

use alloc::boxed::Box;
use alloc::vec::Vec;

use tpm_crypto::hash::Hasher;

use crate::call::{Call, Reply};
use crate::commands::pcr::extend_all;
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::pcr::BANKS;
use crate::state::sequence::{GENERATED, Sequence, Work};
use crate::wire::algorithm::{Hash, Hierarchy};
use crate::wire::containers::List;
use crate::wire::handle::NULL;

use crate::wire::pcr::TaggedDigest;
use crate::wire::structure::{Digest, MaxBuffer};
use crate::wire::ticket::{HASH_CHECK, Ticket};

/// TPM2_Hash [Part 3 §15.4].
pub(crate) fn hash(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (data, hash, hierarchy): (MaxBuffer, Hash, Hierarchy) = call.parameters()?;
    let hierarchy = hierarchy.number();
    let digest = hash.algorithm().digest(&[&data]);
    let ticket = if data.starts_with(&GENERATED) {
        Ticket::null(HASH_CHECK)
    } else {
        hash_ticket(machine, hierarchy, hash, digest.as_bytes())
    };
    Ok(Reply::EMPTY.with(&Digest::new(digest.as_bytes())).with(&ticket))
}

/// TPM2_HashSequenceStart [Part 3 §17.4]: without an algorithm, for an event.
pub(crate) fn start(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (auth, hash): (Digest, Option<Hash>) = call.parameters()?;
    let handle = machine.free_object_handle()?;
    let work = match hash {
        Some(hash) => {
            Work::Hash { hash, hasher: Box::new(Hasher::new(hash.algorithm())), start: Vec::new() }
        }
        None => Work::Event(
            BANKS.into_iter().map(|hash| (hash, Hasher::new(hash.algorithm()))).collect(),
        ),
    };
    let sequence = Sequence { auth: auth.without_trailing_zeros(), work };
    machine.state.sequences.insert(handle, sequence);
    Ok(Reply::handle(handle))
}

/// TPM2_SequenceUpdate [Part 3 §17.5].
pub(crate) fn update(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data,): (MaxBuffer,) = call.parameters()?;
    machine
        .state
        .sequences
        .get_mut(&call.handle(0))
        .ok_or(ResponseCode::MODE.handle(1))?
        .update(&data);
    Ok(Reply::EMPTY)
}

/// TPM2_SequenceComplete [Part 3 §17.6].
pub(crate) fn complete(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data, hierarchy): (MaxBuffer, Hierarchy) = call.parameters()?;
    let hierarchy = hierarchy.number();
    let handle = call.handle(0);
    let sequence = machine.state.sequences.get(&handle).ok_or(ResponseCode::MODE.handle(1))?;
    let mut sequence = sequence.clone();
    sequence.update(&data);
    let (result, ticket) = match sequence.work {
        Work::Hash { hash, hasher, start } => {
            let digest = hasher.finish();
            let ticket = if start == GENERATED {
                Ticket::null(HASH_CHECK)
            } else {
                hash_ticket(machine, hierarchy, hash, digest.as_bytes())
            };
            (Digest::new(digest.as_bytes()), ticket)
        }
        Work::Hmac(_, hmac) => (Digest::new(hmac.finish().as_bytes()), Ticket::null(HASH_CHECK)),
        Work::Cmac(cmac) => (Digest::new(cmac.finish()), Ticket::null(HASH_CHECK)),
        Work::Event(_) => return Err(ResponseCode::MODE.handle(1)),
    };
    Ok(Reply::EMPTY.with(&result).with(&ticket).ending(handle))
}

/// TPM2_EventSequenceComplete [Part 3 §17.7].
pub(crate) fn event_complete(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data,): (MaxBuffer,) = call.parameters()?;
    let handle = call.handle(1);
    let sequence = machine.state.sequences.get(&handle).ok_or(ResponseCode::MODE.handle(2))?;
    let mut sequence = sequence.clone();
    sequence.update(&data);
    let Work::Event(hashers) = sequence.work else {
        return Err(ResponseCode::MODE.handle(2));
    };
    let digests: Vec<TaggedDigest> = hashers
        .into_iter()
        .map(|(hash, hasher)| TaggedDigest { hash, digest: hasher.finish().as_bytes().to_vec() })
        .collect();
    extend_all(machine, call, &digests)?;
    Ok(Reply::EMPTY.with(&List::<_, 7>(digests)).ending(handle))
}

/// Says that the device made this digest [Part 2 §10.7.6].
fn hash_ticket(machine: &Machine<'_, '_>, hierarchy: u32, hash: Hash, digest: &[u8]) -> Ticket {
    if hierarchy == NULL {
        return Ticket::null(HASH_CHECK);
    }
    machine.ticket(HASH_CHECK, hierarchy, &[&hash.number().to_be_bytes(), digest])
}
