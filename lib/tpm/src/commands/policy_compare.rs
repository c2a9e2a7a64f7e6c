//! Policies that compare: NV contents, clock and counters [Part 3 §23.9, §23.10, §23.22].

use core::cmp::Ordering;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::nv_access::check_read;
use crate::policy_update::{extend, restart};
use crate::response_code::ResponseCode;
use crate::state::session::Session;
use crate::wire::algorithm::{Comparison, Hash, SessionType};
use crate::wire::codec::{Reader, Wire};
use crate::wire::structure::Digest;

/// TPM2_PolicyNV [Part 3 §23.9].
pub(crate) fn nv(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (operand, offset, operation): (Digest, u16, Comparison) = call.parameters()?;
    let trial = machine.session(call.handle(2)).kind == SessionType::Trial;
    let index = machine.state.nv.get(call.handle(1)).ok_or(ResponseCode::HANDLE.handle(2))?;
    if !trial {
        check_read(index, call.handle(0))?;
        let rest = index.data.get(usize::from(offset)..).ok_or(ResponseCode::VALUE.parameter(2))?;
        let data = rest.get(..operand.len()).ok_or(ResponseCode::SIZE.parameter(1))?;
        if !holds(operation, data, &operand) {
            return Err(ResponseCode::POLICY);
        }
    }
    let name = index.public.name();
    let session = machine.session(call.handle(2));
    let arguments = arguments(session, &operand, offset, operation);
    extend(session, 0x149, &[&arguments, &name]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyCounterTimer [Part 3 §23.10].
pub(crate) fn counter_timer(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (operand, offset, operation): (Digest, u16, Comparison) = call.parameters()?;
    let info = machine.state.time.info().to_bytes();
    let session = machine.session(call.handle(0));
    let rest = info.get(usize::from(offset)..).ok_or(ResponseCode::VALUE.parameter(2))?;
    let data = rest.get(..operand.len()).ok_or(ResponseCode::RANGE)?;
    if session.kind != SessionType::Trial && !holds(operation, data, &operand) {
        return Err(ResponseCode::POLICY);
    }
    let arguments = arguments(session, &operand, offset, operation);
    extend(session, 0x16D, &[&arguments]);
    Ok(Reply::EMPTY)
}

/// TPM2_PolicyAuthorizeNV [Part 3 §23.22]: the policy in an NV index replaces
/// this one.
pub(crate) fn authorize_nv(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let session = machine.session(call.handle(2));
    let (trial, hash, current) =
        (session.kind == SessionType::Trial, session.hash, session.policy.digest.clone());
    let index = machine.state.nv.get(call.handle(1)).ok_or(ResponseCode::HANDLE.handle(2))?;
    if !trial {
        check_read(index, call.handle(0))?;
        let mut reader = Reader::new(&index.data);
        if Hash::read(&mut reader).map_err(|_| ResponseCode::HASH)? != hash {
            return Err(ResponseCode::HASH);
        }
        let approved = reader.bytes(hash.size())?;
        if approved != &current[..] {
            return Err(ResponseCode::VALUE);
        }
    }
    let name = index.public.name();
    let session = machine.session(call.handle(2));
    restart(session);
    extend(session, 0x192, &[&name]);
    Ok(Reply::EMPTY)
}

/// The digest of a comparison's arguments.
fn arguments(
    session: &Session,
    operand: &Digest,
    offset: u16,
    operation: Comparison,
) -> alloc::vec::Vec<u8> {
    session
        .hash
        .algorithm()
        .digest(&[operand, &offset.to_be_bytes(), &operation.number().to_be_bytes()])
        .as_bytes()
        .to_vec()
}

/// Compares big-endian numbers of equal length.
fn holds(operation: Comparison, a: &[u8], b: &[u8]) -> bool {
    let unsigned = a.cmp(b);
    let negative = |number: &[u8]| number.first().is_some_and(|byte| byte & 0x80 != 0);
    let signed = match (negative(a), negative(b)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ => unsigned,
    };
    let mut pairs = a.iter().zip(b);
    match operation {
        Comparison::Equal => unsigned.is_eq(),
        Comparison::NotEqual => unsigned.is_ne(),
        Comparison::SignedGreater => signed.is_gt(),
        Comparison::UnsignedGreater => unsigned.is_gt(),
        Comparison::SignedLess => signed.is_lt(),
        Comparison::UnsignedLess => unsigned.is_lt(),
        Comparison::SignedGreaterOrEqual => signed.is_ge(),
        Comparison::UnsignedGreaterOrEqual => unsigned.is_ge(),
        Comparison::SignedLessOrEqual => signed.is_le(),
        Comparison::UnsignedLessOrEqual => unsigned.is_le(),
        Comparison::BitsSet => pairs.all(|(a, b)| a & b == *b),
        Comparison::BitsClear => pairs.all(|(a, b)| a & b == 0),
    }
}
