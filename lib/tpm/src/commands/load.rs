//! Loading objects [Part 3 §12.2, §12.3].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::object_creation::{check_binding, ecc_public, rsa_public};
use crate::object_rules::{check_public, check_schemes, check_use};
use crate::protection::unwrap;
use crate::response_code::ResponseCode;
use crate::state::object::{Object, Provenance, qualified_name};
use crate::wire::algorithm::Hierarchy;
use crate::wire::bits::ObjectAttributes;
use crate::wire::containers::{Optional16, Sized16};
use crate::wire::handle::NULL;
use crate::wire::public::{Details, Public};
use crate::wire::sensitive::{Private, Sensitive};

/// TPM2_Load [Part 3 §12.2].
pub(crate) fn load(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (private, Sized16(public)): (Private, Sized16<Public>) = call.parameters()?;
    machine.free_object_handle()?;
    if private.is_empty() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let parent = machine.object(call.handle(0), 1)?;
    if !parent.public.is_storage_parent() {
        return Err(ResponseCode::TYPE.handle(1));
    }
    if public.name_hash.is_none() {
        return Err(ResponseCode::HASH.parameter(2));
    }
    let name = public.name();
    let sensitive = unwrap(parent, &name, &private).map_err(|error| error.parameter(1))?;
    check_public(&public, Some(parent)).map_err(|error| error.parameter(2))?;
    check_binding(machine.platform.provider, &public, &sensitive, 1)?;
    let object = Object {
        qualified_name: qualified_name(&parent.qualified_name, &public),
        hierarchy: parent.hierarchy,
        public,
        sensitive: Optional16(Some(sensitive)),
        provenance: parent.provenance_below(),
    };
    let handle = machine.add_object(object)?;
    Ok(Reply::handle(handle).with(&name))
}

/// TPM2_LoadExternal [Part 3 §12.3].
pub(crate) fn load_external(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (Optional16(sensitive), Sized16(public), hierarchy): (
        Optional16<Sensitive>,
        Sized16<Public>,
        Hierarchy,
    ) = call.parameters()?;
    let hierarchy = hierarchy.number();
    machine.free_object_handle()?;

    if !machine.state.hierarchies.is_enabled(hierarchy) {
        return Err(ResponseCode::HIERARCHY.parameter(3));
    }
    let fixed =
        ObjectAttributes::FIXED_TPM | ObjectAttributes::FIXED_PARENT | ObjectAttributes::RESTRICTED;
    if sensitive.is_some() {
        // A secret that others know proves nothing of a hierarchy here.
        if hierarchy != NULL {
            return Err(ResponseCode::HIERARCHY.parameter(3));
        }
        if public.attributes.intersects(fixed) {
            return Err(ResponseCode::ATTRIBUTES.parameter(2));
        }
    }
    if !public.policy.is_empty()
        && public.name_hash.is_some_and(|hash| hash.size() != public.policy.len())
    {
        return Err(ResponseCode::SIZE.parameter(2));
    }
    let checked = if sensitive.is_some() { check_use(&public) } else { check_schemes(&public) };
    checked.map_err(|error| error.parameter(2))?;
    // With a secret, the point is the one that belongs to it or none.
    if sensitive.is_none() || !matches!(public.details, Details::Ecc { .. }) {
        check_key(&public).map_err(|error| error.parameter(2))?;
    }
    if let Some(sensitive) = &sensitive {
        check_binding(machine.platform.provider, &public, sensitive, 1)?;
    }
    let sensitive = sensitive.map(Sensitive::trimmed);
    let name = public.name();
    let object = Object {
        // Nothing here vouches for it [Part 1 §16].
        qualified_name: name.clone(),
        public,
        sensitive: Optional16(sensitive),
        hierarchy,
        provenance: Provenance::Outside,
    };
    let handle = machine.add_object(object)?;
    Ok(Reply::handle(handle).with(&name))
}

/// Checks that a public area holds a key, and not anything else.
fn check_key(public: &Public) -> Result<(), ResponseCode> {
    match &public.details {
        Details::Rsa { .. } => rsa_public(public).map(|_| ()),
        Details::Ecc { curve, x, y, .. } => {
            let size = curve.curve().coordinate_size();
            if x.len() != size || y.len() != size {
                return Err(ResponseCode::KEY);
            }
            ecc_public(public).map(|_| ())
        }
        Details::KeyedHash { unique, .. } | Details::Cipher { unique, .. } => {
            let size = public.name_hash.map_or(0, crate::wire::algorithm::Hash::size);
            if unique.len() == size { Ok(()) } else { Err(ResponseCode::KEY) }
        }
    }
}
