//! Creating objects [Part 3 §12.1, §24.1].

use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::hash::HashAlgorithm;
use tpm_crypto::random::RandomStream;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::object_creation;
use crate::object_rules::{check_origin, check_public};
use crate::protection::wrap;
use crate::response_code::ResponseCode;
use crate::state::object::{Object, hierarchy_name, qualified_name};
use crate::wire::codec::Wire;
use crate::wire::containers::{List, Optional16, Sized16};
use crate::wire::handle::{ENDORSEMENT, OWNER, PLATFORM};
use crate::wire::pcr::PcrSelection;
use crate::wire::public::Public;
use crate::wire::sensitive::{CreationData, SensitiveCreate};
use crate::wire::structure::{Data, Digest, Name};
use crate::wire::ticket::CREATION;

type Parameters = (Sized16<SensitiveCreate>, Sized16<Public>, Data, List<PcrSelection, 16>);

/// TPM2_CreatePrimary [Part 3 §24.1]: seed and template make the same object
/// every time.
pub(crate) fn create_primary(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (Sized16(given), Sized16(mut public), outside, pcrs): Parameters = call.parameters()?;
    machine.free_object_handle()?;
    check_origin(&public, None, given.data.len()).map_err(|error| error.parameter(2))?;
    check_public(&public, None).map_err(|error| error.parameter(2))?;
    check_auth(&public, &given)?;
    let hierarchy = call.handle(0);
    let mut stream = primary_stream(machine, hierarchy, &public, &given);
    let sensitive =
        object_creation::create(machine.platform.provider, &mut public, &given, &mut stream)
            .map_err(|error| error.parameter(2))?;
    let hierarchy_name = hierarchy_name(hierarchy);
    let creation = creation_data(
        machine,
        call,
        &public,
        (None, &hierarchy_name, &hierarchy_name),
        outside,
        pcrs,
    );
    let object = Object {
        qualified_name: qualified_name(&hierarchy_name, &public),
        public,
        sensitive: Optional16(Some(sensitive)),
        hierarchy,
        external: false,
    };
    let (public, name) = (object.public.clone(), object.name());
    let (digest, ticket) = vouch(machine, hierarchy, &name, &public, &creation);
    let handle = machine.add_object(object)?;
    Ok(Reply::handle(handle)
        .with(&Sized16(public))
        .with(&Sized16(creation))
        .with(&digest)
        .with(&ticket)
        .with(&name))
}

/// TPM2_Create [Part 3 §12.1].
pub(crate) fn create(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (Sized16(given), Sized16(mut public), outside, pcrs): Parameters = call.parameters()?;
    let parent = machine.object(call.handle(0), 1)?.clone();
    if !parent.public.is_storage_parent() {
        return Err(ResponseCode::TYPE.handle(1));
    }
    check_origin(&public, Some(&parent), given.data.len()).map_err(|error| error.parameter(2))?;
    check_public(&public, Some(&parent)).map_err(|error| error.parameter(2))?;
    check_auth(&public, &given)?;
    let sensitive = object_creation::create(
        machine.platform.provider,
        &mut public,
        &given,
        &mut machine.state.random,
    )
    .map_err(|error| error.parameter(2))?;
    let name = public.name();
    let mut vector = [0; 16];
    machine.state.random.fill(&mut vector).map_err(|_| ResponseCode::FAILURE)?;
    let private = wrap(&parent, &name, &sensitive, vector)?;
    let names = (parent.public.name_hash, &parent.name(), &parent.qualified_name);
    let creation = creation_data(machine, call, &public, names, outside, pcrs);
    let (digest, ticket) = vouch(machine, parent.hierarchy, &name, &public, &creation);
    Ok(Reply::EMPTY
        .with(&private)
        .with(&Sized16(public))
        .with(&Sized16(creation))
        .with(&digest)
        .with(&ticket))
}

/// The authorization value is no longer than the name's digest.
fn check_auth(public: &Public, given: &SensitiveCreate) -> Result<(), ResponseCode> {
    let longest = public.name_hash.map_or(0, crate::wire::algorithm::Hash::size);
    if given.auth.without_trailing_zeros().len() > longest {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    Ok(())
}

/// The stream from which a primary object is made: hierarchy, template and
/// given data decide it [Part 1 §26, *from memory*].
fn primary_stream(
    machine: &Machine<'_, '_>,
    hierarchy: u32,
    public: &Public,
    given: &SensitiveCreate,
) -> HmacDrbg {
    let hierarchies = &machine.state.hierarchies;
    let seed = match hierarchy {
        OWNER => &hierarchies.persistent.owner_seed,
        ENDORSEMENT => &hierarchies.persistent.endorsement_seed,
        PLATFORM => &hierarchies.persistent.platform_seed,
        _ => &hierarchies.null_seed,
    };
    let template = public.name();
    HmacDrbg::new(
        HashAlgorithm::Sha256,
        &[seed, b"Primary Object Creation", &template, &given.data.to_bytes()],
    )
}

fn creation_data(
    machine: &Machine<'_, '_>,
    call: &Call<'_>,
    public: &Public,
    parent: (Option<crate::wire::algorithm::Hash>, &Name, &Name),
    outside_info: Data,
    pcrs: List<PcrSelection, 16>,
) -> CreationData {
    let hash = public.name_hash.unwrap_or(crate::machine::CONTEXT_HASH);
    let (existing, digest) = machine.state.pcrs.digest_of(&pcrs.0, hash);
    let (parent_name_hash, parent_name, parent_qualified_name) = parent;
    CreationData {
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
    }
}

/// The digest of the creation data, and the ticket that this device made the
/// object so [Part 2 §10.7.3].
fn vouch(
    machine: &Machine<'_, '_>,
    hierarchy: u32,
    name: &Name,
    public: &Public,
    creation: &CreationData,
) -> (Digest, crate::wire::ticket::Ticket) {
    let hash = public.name_hash.unwrap_or(crate::machine::CONTEXT_HASH);
    let digest = Digest::new(hash.algorithm().digest(&[&creation.to_bytes()]).as_bytes());
    let ticket = machine.ticket(CREATION, hierarchy, &[name, &digest]);
    (digest, ticket)
}
