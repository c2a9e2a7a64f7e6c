//! Attestation: what the device states about itself [Part 3 §18, §31.16].

use alloc::vec::Vec;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::nv_access::check_read;
use crate::response_code::ResponseCode;
use crate::statement::{FIRMWARE, Signer, attest};
use crate::wire::codec::Wire;
use crate::wire::containers::List;
use crate::wire::pcr::PcrSelections;
use crate::wire::scheme::SignatureScheme;
use crate::wire::structure::{Data, Digest, MAX_NV_BUFFER, NvBuffer};
use crate::wire::ticket::{CREATION, CreationTicket};

/// TPM_ST_ATTEST_CERTIFY.
const CERTIFY: u16 = 0x8017;
/// TPM_ST_ATTEST_QUOTE.
const QUOTE: u16 = 0x8018;
/// TPM_ST_ATTEST_TIME.
const TIME: u16 = 0x8019;
/// TPM_ST_ATTEST_NV.
const NV: u16 = 0x8014;
/// TPM_ST_ATTEST_COMMAND_AUDIT.
const COMMAND_AUDIT: u16 = 0x8015;
/// TPM_ST_ATTEST_SESSION_AUDIT.
const SESSION_AUDIT: u16 = 0x8016;
/// TPM_ST_ATTEST_NV_DIGEST.
const NV_DIGEST: u16 = 0x801C;
/// TPM_ST_ATTEST_CREATION.
const CREATED: u16 = 0x801A;

/// TPM2_Quote [Part 3 §18.4].
pub(crate) fn quote(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (data, scheme, pcrs): (Data, SignatureScheme, PcrSelections) = call.parameters()?;
    let signer = Signer::new(machine, call.handle(0), 1, scheme, 2)?;
    // The digest of PCRs is made with the signature's hash.
    if !signer.is_some() {
        return Err(ResponseCode::SCHEME.parameter(2));
    }
    let hash = signer.hash();
    let (existing, digest) = machine.state.pcrs.digest_of(&pcrs.0, hash);
    let selected: PcrSelections = List(existing);
    let mut statement = selected.to_bytes();
    Digest::new(digest).write(&mut statement);
    attest(machine, &signer, QUOTE, &data, &statement)
}

/// TPM2_Certify [Part 3 §18.2].
pub(crate) fn certify(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data, scheme): (Data, SignatureScheme) = call.parameters()?;
    let object = machine.object(call.handle(0), 1)?;
    let mut statement = object.name().to_bytes();
    object.qualified_name.write(&mut statement);
    let signer = Signer::new(machine, call.handle(1), 2, scheme, 2)?;
    attest(machine, &signer, CERTIFY, &data, &statement)
}

/// TPM2_CertifyCreation [Part 3 §18.3].
pub(crate) fn certify_creation(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data, creation, scheme, CreationTicket(ticket)): (
        Data,
        Digest,
        SignatureScheme,
        CreationTicket,
    ) = call.parameters()?;
    let signer = Signer::new(machine, call.handle(0), 1, scheme, 3)?;
    // A sequence has no name, and no ticket was ever given for one.
    let name = machine.name(call.handle(1));
    let expected = machine.ticket(CREATION, ticket.hierarchy, &[&name, &creation]);
    if !tpm_crypto::secret::equal(&expected.digest, &ticket.digest) {
        return Err(ResponseCode::TICKET.parameter(4));
    }
    let mut statement = name.to_bytes();
    creation.write(&mut statement);
    attest(machine, &signer, CREATED, &data, &statement)
}

/// TPM2_GetTime [Part 3 §18.7].
pub(crate) fn get_time(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data, scheme): (Data, SignatureScheme) = call.parameters()?;
    let signer = Signer::new(machine, call.handle(1), 2, scheme, 2)?;
    let mut statement = machine.state.time.info().to_bytes();
    FIRMWARE.write(&mut statement);
    attest(machine, &signer, TIME, &data, &statement)
}

/// TPM2_GetSessionAuditDigest [Part 3 §18.5].
pub(crate) fn session_audit(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data, scheme): (Data, SignatureScheme) = call.parameters()?;
    let session = call.handle(2);
    let signer = Signer::new(machine, call.handle(1), 2, scheme, 2)?;
    let exclusive = machine.state.sessions.exclusive == Some(session);
    let digest = machine.session(session).audit.clone().ok_or(ResponseCode::TYPE.handle(3))?;
    let mut statement = exclusive.to_bytes();
    digest.write(&mut statement);
    attest(machine, &signer, SESSION_AUDIT, &data, &statement)
}

/// TPM2_GetCommandAuditDigest [Part 3 §18.6]: the digest starts anew once it was
/// signed.
pub(crate) fn command_audit(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data, scheme): (Data, SignatureScheme) = call.parameters()?;
    let signer = Signer::new(machine, call.handle(1), 2, scheme, 2)?;
    let audit = &machine.state.audit;
    let mut statement = audit.counter.to_bytes();
    audit.hash.write(&mut statement);
    Digest::new(audit.digest.as_slice()).write(&mut statement);
    let codes: Vec<u8> = audit.commands.iter().flat_map(|code| code.to_be_bytes()).collect();
    Digest::new(audit.hash.algorithm().digest(&[&codes]).as_bytes()).write(&mut statement);
    let signed = signer.is_some();
    let reply = attest(machine, &signer, COMMAND_AUDIT, &data, &statement)?;
    if signed {
        machine.state.audit.digest.clear();
    }
    Ok(reply)
}

/// TPM2_NV_Certify [Part 3 §31.16]: part of an index, or with neither size nor
/// offset the digest of all of it.
pub(crate) fn nv(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (data, scheme, size, offset): (Data, SignatureScheme, u16, u16) = call.parameters()?;
    let signer = Signer::new(machine, call.handle(0), 1, scheme, 2)?;
    let index = machine.state.nv.get(call.handle(2)).ok_or(ResponseCode::HANDLE.handle(3))?;
    check_read(index, call.handle(1))?;
    let start = usize::from(offset);
    let part = index.data.get(start..start + usize::from(size)).ok_or(ResponseCode::NV_RANGE)?;
    if size > MAX_NV_BUFFER {
        return Err(ResponseCode::VALUE.parameter(3));
    }
    let (name, part, whole) = (index.public.name(), NvBuffer::new(part), index.data.clone());
    let mut statement = name.to_bytes();
    if size == 0 && offset == 0 {
        let hash = signer.hash();
        Digest::new(hash.algorithm().digest(&[&whole]).as_bytes()).write(&mut statement);
        return attest(machine, &signer, NV_DIGEST, &data, &statement);
    }
    offset.write(&mut statement);
    part.write(&mut statement);
    attest(machine, &signer, NV, &data, &statement)
}
