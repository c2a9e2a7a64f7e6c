//! Contexts: what is loaded, kept outside [Part 3 §28.2–28.4].

use alloc::vec::Vec;

use tpm_crypto::secret::Secret;

use crate::call::{Call, Reply};
use crate::context_wrap::{CLEARED_OBJECT, OBJECT, SEQUENCE, open, seal};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::object::Object;
use crate::state::sequence::Sequence;
use crate::state::session::Session;
use crate::table::HandleKind;
use crate::wire::algorithm::{Hierarchy, SessionType};
use crate::wire::codec::{Reader, Wire};
use crate::wire::handle::HandleType;
use crate::wire::structure::Context;

/// TPM2_ContextSave [Part 3 §28.2]. Objects and sequences stay loaded, sessions
/// do not.
pub(crate) fn save(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let handle = call.handle(0);
    let context = if HandleType::of(handle) == Some(HandleType::Transient) {
        save_object(machine, handle)?
    } else {
        let (session, sequence) =
            machine.state.sessions.save(handle).ok_or(ResponseCode::HANDLE.handle(1))?;
        let content = Secret::new(session.to_bytes());
        seal(machine, sequence, handle, Hierarchy::Null, content)?
    };
    Ok(Reply::EMPTY.with(&context))
}

fn save_object(machine: &mut Machine<'_, '_>, handle: u32) -> Result<Context, ResponseCode> {
    let state = &mut *machine.state;
    let (kind, hierarchy, content) = if let Some(sequence) = state.sequences.get(&handle) {
        (SEQUENCE, Hierarchy::Null, sequence.to_bytes())
    } else {
        let object = state.objects.get(handle).ok_or(ResponseCode::HANDLE.handle(1))?;
        let cleared = object.is_cleared();
        let hierarchy = Hierarchy::from_number(object.hierarchy).unwrap_or(Hierarchy::Null);
        (if cleared { CLEARED_OBJECT } else { OBJECT }, hierarchy, object.to_bytes())
    };
    state.object_contexts += 1;
    let sequence = state.object_contexts;
    seal(machine, sequence, kind, hierarchy, Secret::new(content))
}

/// TPM2_ContextLoad [Part 3 §28.3].
pub(crate) fn load(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (context,): (Context,) = call.parameters()?;
    let handle = context.saved_handle;
    let session = match (handle, HandleType::of(handle)) {
        (OBJECT | SEQUENCE | CLEARED_OBJECT, _) => false,
        (_, Some(HandleType::HmacSession | HandleType::PolicySession)) => true,
        _ => return Err(ResponseCode::VALUE.parameter(1)),
    };
    let content = open(machine, &context).map_err(|error| error.parameter(1))?;
    if !machine.state.hierarchies.is_enabled(context.hierarchy.number()) {
        return Err(ResponseCode::HIERARCHY.parameter(1));
    }
    // What this device sealed it can read.
    let unreadable = |_| ResponseCode::INTEGRITY.parameter(1);
    if session {
        let session = Session::from_bytes(content.as_bytes()).map_err(unreadable)?;
        let sessions = &mut machine.state.sessions;
        sessions.can_restore(handle, context.sequence).map_err(|error| error.parameter(1))?;
        let policy = HandleType::of(handle) == Some(HandleType::PolicySession);
        if policy == (session.kind == SessionType::Hmac) {
            return Err(ResponseCode::HANDLE.parameter(1));
        }
        sessions.restore(handle, session);
        return Ok(Reply::handle(handle));
    }
    let handle = machine.free_object_handle()?;
    if context.saved_handle == SEQUENCE {
        let sequence = Sequence::from_bytes(content.as_bytes()).map_err(unreadable)?;
        machine.state.sequences.insert(handle, sequence);
    } else {
        let object = Object::from_bytes(content.as_bytes()).map_err(unreadable)?;
        machine.state.objects.transient.insert(handle, object);
    }
    Ok(Reply::handle(handle))
}

/// TPMI_DH_CONTEXT, as a parameter.
struct ContextHandle(u32);

impl Wire for ContextHandle {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let handle = u32::read(from)?;
        HandleKind::Context.check(handle)?;
        Ok(Self(handle))
    }
}

/// TPM2_FlushContext [Part 3 §28.4].
pub(crate) fn flush(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (ContextHandle(handle),) = call.parameters()?;
    let state = &mut *machine.state;
    let found = match HandleType::of(handle) {
        Some(HandleType::HmacSession | HandleType::PolicySession) => {
            let found = state.sessions.exists(handle);
            state.sessions.remove(handle);
            found
        }
        _ => {
            state.sequences.remove(&handle).is_some()
                || state.objects.transient.remove(&handle).is_some()
        }
    };
    if found { Ok(Reply::EMPTY) } else { Err(ResponseCode::HANDLE.parameter(1)) }
}
