//! Creating objects [Part 3 §12.1, §24.1].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::new_object::{child, primary};
use crate::protection::wrap;
use crate::response_code::ResponseCode;
use crate::state::object::{Object, hierarchy_name};
use crate::wire::algorithm::Hash;
use crate::wire::codec::Wire;
use crate::wire::containers::{List, Sized16};
use crate::wire::pcr::PcrSelections;
use crate::wire::public::Public;
use crate::wire::sensitive::{CreationData, SensitiveCreate};
use crate::wire::structure::{Data, Digest, Name};
use crate::wire::ticket::{CREATION, Ticket};

type Parameters = (Sized16<SensitiveCreate>, Sized16<Public>, Data, PcrSelections);

/// TPM2_CreatePrimary [Part 3 §24.1]: seed and template make the same object
/// every time.
pub(crate) fn create_primary(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (Sized16(given), Sized16(public), outside, pcrs): Parameters = call.parameters()?;
    machine.free_object_handle()?;
    let hierarchy = call.handle(0);
    let object = primary(machine, hierarchy, public, &given)?;
    let name = hierarchy_name(hierarchy);
    let created = describe(machine, call, &object, (None, &name, &name), outside, pcrs);
    let (public, name) = (object.public.clone(), object.name());
    let handle = machine.add_object(object)?;
    Ok(created.reply(Reply::handle(handle).with(&Sized16(public))).with(&name))
}

/// TPM2_Create [Part 3 §12.1].
pub(crate) fn create(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (Sized16(given), Sized16(public), outside, pcrs): Parameters = call.parameters()?;
    let parent = machine.object(call.handle(0), 1)?.clone();
    if !parent.public.is_storage_parent() {
        return Err(ResponseCode::TYPE.handle(1));
    }
    let object = child(machine, &parent, public, &given)?;
    let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::FAILURE)?;
    let private = wrap(&parent, &object.name(), sensitive, machine.random_block()?)?;
    let names = (parent.public.name_hash, &parent.name(), &parent.qualified_name);
    let created = describe(machine, call, &object, names, outside, pcrs);
    Ok(created.reply(Reply::EMPTY.with(&private).with(&Sized16(object.public))))
}

/// What is told of a creation [Part 2 §15.1, §10.7.3].
struct Created {
    data: CreationData,
    digest: Digest,
    /// The device's word that it made the object so.
    ticket: Ticket,
}

impl Created {
    fn reply(self, reply: Reply) -> Reply {
        reply.with(&Sized16(self.data)).with(&self.digest).with(&self.ticket)
    }
}

/// Describes the creation of `object` under a parent with these names.
fn describe(
    machine: &Machine<'_, '_>,
    call: &Call<'_>,
    object: &Object,
    parent: (Option<Hash>, &Name, &Name),
    outside_info: Data,
    pcrs: PcrSelections,
) -> Created {
    let hash = object.public.name_hash.unwrap_or(crate::machine::CONTEXT_HASH);
    let (existing, digest) = machine.state.pcrs.digest_of(&pcrs.0, hash);
    let (parent_name_hash, parent_name, parent_qualified_name) = parent;
    let data = CreationData {
        pcr_digest: if pcrs.0.is_empty() { Digest::EMPTY } else { Digest::new(digest) },
        pcrs: List(existing),
        locality: match call.locality {
            bit @ 0..=4 => 1 << bit,
            extended => extended,
        },
        parent_name_hash,
        parent_name: parent_name.clone(),
        parent_qualified_name: parent_qualified_name.clone(),
        outside_info,
    };
    let digest = Digest::new(hash.algorithm().digest(&[&data.to_bytes()]).as_bytes());
    let ticket = machine.ticket(CREATION, object.hierarchy, &[&object.name(), &digest]);
    Created { data, digest, ticket }
}
