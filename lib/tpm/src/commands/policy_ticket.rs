//! Policies by the device's own word: tickets, and approved policies
//! [Part 3 §23.5, §23.16].

use crate::call::{Call, Reply};
use crate::commands::policy_authority::{POLICY_SECRET, POLICY_SIGNED};
use crate::machine::Machine;
use crate::policy_limits::{Timeout, check_command_hash, check_ticket, check_timeout, narrow};
use crate::policy_update::{extend_with_reference, restart};
use crate::response_code::ResponseCode;
use crate::wire::algorithm::{Hash, SessionType};
use crate::wire::codec::{Reader, Wire};
use crate::wire::structure::{Digest, Name};
use crate::wire::ticket::{AUTH_SECRET, AuthorizationTicket, VERIFIED, VerifiedTicket};

/// TPM2_PolicyTicket [Part 3 §23.5].
pub(crate) fn ticket(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (timeout, command_hash, reference, name, AuthorizationTicket(ticket)): (
        Timeout,
        Digest,
        Digest,
        Name,
        AuthorizationTicket,
    ) = call.parameters()?;
    let handle = call.handle(0);
    if machine.session(handle).kind == SessionType::Trial {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    let expires = check_timeout(machine, &timeout)?;
    check_command_hash(machine, handle, &command_hash)?;
    check_ticket(machine, &timeout, &command_hash, &reference, &name, &ticket)?;
    let code = if ticket.tag == AUTH_SECRET { POLICY_SECRET } else { POLICY_SIGNED };
    extend_with_reference(machine.session(handle), code, &name, &reference);
    narrow(machine, handle, &command_hash, Some(expires));
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyAuthorize [Part 3 §23.16].
pub(crate) fn authorize(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (approved, reference, key, VerifiedTicket(ticket)): (Digest, Digest, Name, VerifiedTicket) =
        call.parameters()?;
    let handle = call.handle(0);
    let session = machine.session(handle);
    let current = session.policy.digest.clone();
    let trial = session.kind == SessionType::Trial;
    let hash = Hash::read(&mut Reader::new(&key)).map_err(|_| ResponseCode::HASH.parameter(3))?;
    if key.len() != 2 + hash.size() {
        return Err(ResponseCode::SIZE.parameter(3));
    }
    if !trial {
        if approved != current {
            return Err(ResponseCode::VALUE.parameter(1));
        }
        let digest = hash.algorithm().digest(&[&approved, &reference]);
        let expected = machine.ticket(VERIFIED, ticket.hierarchy, &[digest.as_bytes(), &key]);
        if !tpm_crypto::secret::equal(&expected.digest, &ticket.digest) {
            return Err(ResponseCode::VALUE.parameter(4));
        }
    }
    let session = machine.session(handle);
    restart(session);
    extend_with_reference(session, 0x16A, &key, &reference);
    Ok(Reply::EMPTY)
}
