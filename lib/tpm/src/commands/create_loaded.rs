//! Creating an object that is loaded at once [Part 3 §12.9].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::new_object::{check_auth, child, derived, primary};
use crate::protection::wrap;
use crate::response_code::ResponseCode;
use crate::wire::codec::Wire;
use crate::wire::containers::{Buffer, Sized16};
use crate::wire::handle::HandleType;
use crate::wire::public::{Derive, Public};
use crate::wire::sensitive::{Private, SensitiveCreate};

/// TPM2B_TEMPLATE: a public area whose unique part depends on the parent.
type Template = Buffer<1024>;

/// TPM2_CreateLoaded [Part 3 §12.9]: a primary object, a child or a derived
/// object, by what the parent is.
pub(crate) fn create_loaded(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (Sized16(given), template): (Sized16<SensitiveCreate>, Template) = call.parameters()?;
    let handle = call.handle(0);
    let parent = match HandleType::of(handle) {
        Some(HandleType::Permanent) => None,
        _ => Some(machine.object(handle, 1)?.clone()),
    };
    let derives = parent.as_ref().is_some_and(|parent| parent.public.is_derivation_parent());
    if parent.as_ref().is_some_and(|parent| !derives && !parent.public.is_storage_parent()) {
        return Err(ResponseCode::TYPE.handle(1));
    }
    machine.free_object_handle()?;
    let of_template = |error: ResponseCode| error.parameter(2);
    let mut private = Private::EMPTY;
    let object = match parent {
        Some(parent) if derives => {
            let (public, derive) = Public::read_derivation(&template).map_err(of_template)?;
            check_auth(&public, &given)?;
            let derive = complete(derive, &given).map_err(|error| error.parameter(1))?;
            derived(machine, &parent, public, &derive, &given)?
        }
        parent => {
            let public = Public::from_bytes(&template).map_err(of_template)?;
            check_auth(&public, &given)?;
            match parent {
                None => primary(machine, handle, public, &given)?,
                Some(parent) => {
                    let object = child(machine, &parent, public, &given)?;
                    let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::FAILURE)?;
                    private = wrap(&parent, &object.name(), sensitive, machine.random_block()?)?;
                    object
                }
            }
        }
    };
    let (public, name) = (object.public.clone(), object.name());
    let handle = machine.add_object(object)?;
    Ok(Reply::handle(handle).with(&private).with(&Sized16(public)).with(&name))
}

/// Label and context from the template, or where that leaves them empty, from
/// the sensitive parameter.
fn complete(template: Derive, given: &SensitiveCreate) -> Result<Derive, ResponseCode> {
    if given.data.is_empty() {
        return Ok(template);
    }
    let hidden = Derive::from_bytes(&given.data)?;
    let choose = |open: crate::wire::public::Label, hidden| {
        if open.is_empty() { hidden } else { open }
    };
    Ok(Derive {
        label: choose(template.label, hidden.label),
        context: choose(template.context, hidden.context),
    })
}
