//! Policies about the command and the device's state [Part 3 §23].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::policy_update::{extend, restart};
use crate::response_code::ResponseCode;
use crate::state::session::{BoundTo, Session, ValueNeeded};
use crate::wire::algorithm::SessionType;
use crate::wire::codec::Wire;
use crate::wire::containers::List;
use crate::wire::pcr::PcrSelections;
use crate::wire::structure::{Branches, Digest, Name};

/// TPM_CC_Duplicate, to which a choice of duplication limits a policy.
const DUPLICATE: u32 = 0x14B;
const CC_PCR: u32 = 0x17F;

type Result = core::result::Result<Reply, ResponseCode>;

/// TPM2_PolicyPCR [Part 3 §23.7].
pub(crate) fn pcr(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (given, selection): (Digest, PcrSelections) = call.parameters()?;
    let counter = machine.state.pcrs.counter;
    let session = machine.session(call.handle(0));
    let (hash, trial) = (session.hash, session.kind == SessionType::Trial);
    let (existing, current) = machine.state.pcrs.digest_of(&selection.0, hash);
    let session = machine.session(call.handle(0));
    let digest = if trial && !given.is_empty() {
        given.to_vec()
    } else {
        if !trial {
            if session.policy.pcr_counter.is_some_and(|seen| seen != counter) {
                return Err(ResponseCode::PCR_CHANGED);
            }
            if !given.is_empty() && given[..] != current[..] {
                return Err(ResponseCode::VALUE.parameter(1));
            }
            session.policy.pcr_counter = Some(counter);
        }
        current
    };
    let selected: PcrSelections = List(existing);
    extend(session, CC_PCR, &[&selected.to_bytes(), &digest]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyLocality [Part 3 §23.8].
pub(crate) fn locality(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (wanted,): (u8,) = call.parameters()?;
    let policy = &mut machine.session(call.handle(0)).policy;
    let refused = Err(ResponseCode::RANGE.parameter(1));
    policy.locality = match (policy.locality, wanted) {
        (_, 0) => return refused,
        (0, wanted) => wanted,
        // Localities from 32 on exclude all others.
        (before @ 32.., wanted) if before != wanted => return refused,
        (1..=31, 32..) => return refused,
        (before, wanted) if before & wanted == 0 => return refused,
        (before, wanted) => before & wanted,
    };
    extend(machine.session(call.handle(0)), 0x16F, &[&[wanted]]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyOR [Part 3 §23.6].
pub(crate) fn or(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (Branches(branches),): (Branches,) = call.parameters()?;
    let session = machine.session(call.handle(0));
    let taken = branches.0.contains(&session.policy.digest);
    if !taken && session.kind != SessionType::Trial {
        return Err(ResponseCode::VALUE.parameter(1));
    }
    restart(session);
    let parts: alloc::vec::Vec<&[u8]> = branches.0.iter().map(|branch| &branch[..]).collect();
    extend(session, 0x171, &parts);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyCommandCode [Part 3 §23.11].
pub(crate) fn command_code(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (code,): (u32,) = call.parameters()?;

    let session = machine.session(call.handle(0));
    if session.policy.command.is_some_and(|before| before != code) {
        return Err(ResponseCode::VALUE.parameter(1));
    }
    if crate::table::Command::find(code).is_none() {
        return Err(ResponseCode::POLICY_CC.parameter(1));
    }
    session.policy.command = Some(code);
    extend(session, 0x16C, &[&code.to_be_bytes()]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyPhysicalPresence [Part 3 §23.12].
pub(crate) fn physical_presence(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let () = call.parameters()?;
    let session = machine.session(call.handle(0));
    session.policy.presence_needed = true;
    extend(session, 0x187, &[]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyCpHash [Part 3 §23.13].
pub(crate) fn command_hash(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (digest,): (Digest,) = call.parameters()?;
    bind(machine.session(call.handle(0)), BoundTo::Parameters(digest.clone()), &digest)?;
    extend(machine.session(call.handle(0)), 0x16E, &[&digest]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyNameHash [Part 3 §23.14].
pub(crate) fn name_hash(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (digest,): (Digest,) = call.parameters()?;
    let session = machine.session(call.handle(0));
    // Names are said once, unlike parameters.
    if session.policy.bound_to.is_some() && digest.len() == session.hash.size() {
        return Err(ResponseCode::CPHASH);
    }
    bind(session, BoundTo::Names(digest.clone()), &digest)?;
    extend(machine.session(call.handle(0)), 0x170, &[&digest]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyTemplate [Part 3 §23.21].
pub(crate) fn template(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (digest,): (Digest,) = call.parameters()?;
    let session = machine.session(call.handle(0));
    let template = BoundTo::Template(digest.clone());
    match &session.policy.bound_to {
        Some(before @ BoundTo::Template(_)) if *before != template => {
            return Err(ResponseCode::VALUE.parameter(1));
        }
        Some(BoundTo::Parameters(_) | BoundTo::Names(_)) => return Err(ResponseCode::CPHASH),
        _ => bind(session, template, &digest)?,
    }
    extend(machine.session(call.handle(0)), 0x190, &[&digest]);
    Ok(Reply::EMPTY)
}

/// Limits a policy to one thing; saying the same again is no error.
fn bind(
    session: &mut Session,
    to: BoundTo,
    digest: &Digest,
) -> core::result::Result<(), ResponseCode> {
    if digest.len() != session.hash.size() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    if session.policy.bound_to.as_ref().is_some_and(|before| *before != to) {
        return Err(ResponseCode::CPHASH);
    }
    session.policy.bound_to = Some(to);
    Ok(())
}

/// TPM_CC_AC_Send, which no device here has.
const SEND: u32 = 0x195;

/// TPM2_PolicyDuplicationSelect [Part 3 §23.15].
pub(crate) fn duplication_select(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (object, new_parent, include_object): (Name, Name, bool) = call.parameters()?;
    let session = machine.session(call.handle(0));
    if session.policy.bound_to.is_some() {
        return Err(ResponseCode::CPHASH);
    }
    if session.policy.command.is_some() {
        return Err(ResponseCode::COMMAND_CODE);
    }
    let names = session.hash.algorithm().digest(&[&object, &new_parent]);
    let object: &[u8] = if include_object { &object } else { &[] };
    extend(session, 0x188, &[object, &new_parent, &[u8::from(include_object)]]);
    session.policy.bound_to = Some(BoundTo::Names(Digest::new(names.as_bytes())));
    session.policy.command = Some(DUPLICATE);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyAuthValue [Part 3 §23.17].
pub(crate) fn auth_value(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let () = call.parameters()?;
    let session = machine.session(call.handle(0));
    session.policy.value = ValueNeeded::InHmac;
    extend(session, 0x16B, &[]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyPassword [Part 3 §23.18]: the same policy as an authorization
/// value, shown in another way.
pub(crate) fn password(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let () = call.parameters()?;
    let session = machine.session(call.handle(0));
    session.policy.value = ValueNeeded::Password;
    extend(session, 0x16B, &[]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyGetDigest [Part 3 §23.19].
pub(crate) fn get_digest(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let () = call.parameters()?;
    Ok(Reply::EMPTY.with(&machine.session(call.handle(0)).policy.digest))
}

/// TPM2_PolicyNvWritten [Part 3 §23.20].
pub(crate) fn nv_written(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (written,): (bool,) = call.parameters()?;
    let session = machine.session(call.handle(0));
    if session.policy.nv_written.is_some_and(|before| before != written) {
        return Err(ResponseCode::VALUE.parameter(1));
    }
    session.policy.nv_written = Some(written);
    extend(session, 0x18F, &[&[u8::from(written)]]);
    Ok(Reply::EMPTY)
}

/// TPM2_Policy_AC_SendSelect [Part 3 §32.4]. There is nothing that
/// sends, so such a policy allows nothing here; its digest can be computed.
pub(crate) fn component_send_select(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result {
    let (object, authorized, component, include_object): (Name, Name, Name, bool) =
        call.parameters()?;
    let session = machine.session(call.handle(0));
    if session.policy.bound_to.is_some() {
        return Err(ResponseCode::CPHASH);
    }
    if session.policy.command.is_some() {
        return Err(ResponseCode::COMMAND_CODE);
    }
    let names = session.hash.algorithm().digest(&[&object, &authorized, &component]);
    let object: &[u8] = if include_object { &object } else { &[] };
    extend(session, 0x196, &[object, &authorized, &component, &[u8::from(include_object)]]);
    session.policy.bound_to = Some(BoundTo::Names(Digest::new(names.as_bytes())));
    session.policy.command = Some(SEND);
    Ok(Reply::EMPTY)
}
