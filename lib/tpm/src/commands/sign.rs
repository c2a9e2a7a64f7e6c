//! Signing and checking of signatures [Part 3 §20].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::signing::{Signature, check_signs, select_scheme};
use crate::wire::bits::ObjectAttributes;
use crate::wire::handle::NULL;
use crate::wire::scheme::SignatureScheme;
use crate::wire::structure::Digest;
use crate::wire::ticket::{HASH_CHECK, HashTicket, Ticket, VERIFIED};

/// TPM2_Sign [Part 3 §20.2]. A restricted key signs only digests that this
/// device made; of other keys a ticket is checked if there is one.
pub(crate) fn sign(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (digest, scheme, HashTicket(ticket)): (Digest, SignatureScheme, HashTicket) =
        call.parameters()?;
    let handle = call.handle(0);
    let object = machine.object(handle, 1)?;
    check_signs(object, 1)?;
    if object.public.attributes.contains(ObjectAttributes::X509_SIGN) {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    let scheme = select_scheme(object, scheme).map_err(|error| error.parameter(2))?;
    let hash = scheme.hash.ok_or(ResponseCode::SCHEME.parameter(2))?;
    let restricted = object.public.attributes.contains(ObjectAttributes::RESTRICTED);
    if restricted || !ticket.digest.is_empty() {
        let expected =
            machine.ticket(HASH_CHECK, ticket.hierarchy, &[&hash.number().to_be_bytes(), &digest]);
        if !tpm_crypto::secret::equal(&expected.digest, &ticket.digest) {
            return Err(ResponseCode::TICKET.parameter(3));
        }
    }
    if digest.len() != hash.size() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let signature = crate::signing::sign(machine, handle, scheme, &digest)?;
    Ok(Reply::EMPTY.with(&signature))
}

/// TPM2_VerifySignature [Part 3 §20.1].
pub(crate) fn verify(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (digest, signature): (Digest, Signature) = call.parameters()?;
    let object =
        machine.object(call.handle(0), 1).map_err(|_| ResponseCode::ATTRIBUTES.handle(1))?;
    if !object.public.attributes.contains(ObjectAttributes::SIGN) {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    crate::signing::verify(machine, object, &digest, &signature)
        .map_err(|error| error.parameter(2))?;
    let ticket = if object.hierarchy == NULL || object.public.name_hash.is_none() {
        Ticket::null(VERIFIED)
    } else {
        machine.ticket(VERIFIED, object.hierarchy, &[&digest, &object.name()])
    };
    Ok(Reply::EMPTY.with(&ticket))
}
