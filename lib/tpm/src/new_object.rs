//! New objects: primary ones, children, and derived ones [Part 1 §26–28].

use alloc::vec::Vec;

use tpm_crypto::derivation::kdfa;
use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::hash::HashAlgorithm;
use tpm_crypto::random::{RandomError, RandomStream};
use tpm_crypto::secret::Secret;

use crate::machine::Machine;
use crate::object_creation::{self, Origin};
use crate::object_rules::{check_origin, check_public};
use crate::response_code::ResponseCode;
use crate::state::object::{Object, Provenance, hierarchy_name, qualified_name};
use crate::wire::algorithm::Hash;
use crate::wire::bits::ObjectAttributes;
use crate::wire::codec::Wire;
use crate::wire::containers::Optional16;
use crate::wire::handle::{ENDORSEMENT, OWNER, PLATFORM};
use crate::wire::public::{Derive, Details, Public};
use crate::wire::scheme::KeyedHashScheme;
use crate::wire::sensitive::SensitiveCreate;

/// Checks a template, and the authorization value that comes with it.
fn check_template(
    public: &Public,
    parent: Option<&Object>,
    given: &SensitiveCreate,
) -> Result<(), ResponseCode> {
    check_origin(public, parent, given.data.len())
        .and_then(|()| check_public(public, parent))
        .map_err(|error| error.parameter(2))?;
    check_auth(public, given)
}

/// Checks the authorization value: it is no longer than the name's digest.
///
/// # Errors
///
/// [`ResponseCode::SIZE`] of parameter 1 if it is.
pub(crate) fn check_auth(public: &Public, given: &SensitiveCreate) -> Result<(), ResponseCode> {
    let longest = public.name_hash.map_or(0, Hash::size);
    if given.auth.without_trailing_zeros().len() > longest {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    Ok(())
}

/// A primary object: hierarchy, template and given data decide it [Part 1 §26].
///
/// # Errors
///
/// What is wrong with the template (parameter 2 of all commands that create) or
/// the authorization value (parameter 1); of neither, what cannot be made.
pub(crate) fn primary(
    machine: &Machine<'_, '_>,
    hierarchy: u32,
    public: Public,
    given: &SensitiveCreate,
) -> Result<Object, ResponseCode> {
    check_template(&public, None, given)?;
    let hierarchies = &machine.state.hierarchies;
    let seed = match hierarchy {
        OWNER => &hierarchies.persistent.owner_seed,
        ENDORSEMENT => &hierarchies.persistent.endorsement_seed,
        PLATFORM => &hierarchies.persistent.platform_seed,
        _ => &hierarchies.null_seed,
    };
    let template = public.name();
    let mut stream = HmacDrbg::new(
        HashAlgorithm::Sha256,
        &[seed, b"Primary Object Creation", &template, &given.data.to_bytes()],
    );
    let origin = Origin::of(&public);
    let provider = machine.platform.provider;
    let mut public = public;
    let sensitive = object_creation::create(provider, &mut public, given, origin, &mut stream)?;
    Ok(Object {
        qualified_name: qualified_name(&hierarchy_name(hierarchy), &public),
        public,
        sensitive: Optional16(Some(sensitive)),
        hierarchy,
        provenance: Provenance::Device,
    })
}

/// A child of a storage parent, from the device's random numbers.
///
/// # Errors
///
/// As [`primary`].
pub(crate) fn child(
    machine: &mut Machine<'_, '_>,
    parent: &Object,
    public: Public,
    given: &SensitiveCreate,
) -> Result<Object, ResponseCode> {
    check_template(&public, Some(parent), given)?;
    let origin = Origin::of(&public);
    let provider = machine.platform.provider;
    let random = &mut machine.state.random;
    let mut public = public;
    let sensitive = object_creation::create(provider, &mut public, given, origin, random)?;
    Ok(under(parent, public, sensitive))
}

/// An object that a derivation parent, a label and a context decide
/// [Part 1 §28].
///
/// # Errors
///
/// As [`primary`]; RSA keys are not derived.
pub(crate) fn derived(
    machine: &Machine<'_, '_>,
    parent: &Object,
    public: Public,
    derive: &Derive,
    given: &SensitiveCreate,
) -> Result<Object, ResponseCode> {
    if matches!(public.details, Details::Rsa { .. }) {
        return Err(ResponseCode::TYPE.parameter(2));
    }
    if public.attributes.contains(ObjectAttributes::SENSITIVE_DATA_ORIGIN) {
        return Err(ResponseCode::ATTRIBUTES.parameter(2));
    }
    check_public(&public, Some(parent)).map_err(|error| error.parameter(2))?;
    let Details::KeyedHash { scheme: KeyedHashScheme::Xor(hash, _), .. } = &parent.public.details
    else {
        return Err(ResponseCode::SCHEME);
    };
    let secret = parent.sensitive.0.as_ref().ok_or(ResponseCode::TYPE)?;
    let mut stream = Derivation {
        material: kdfa(
            hash.algorithm(),
            &secret.secret,
            &derive.label,
            &derive.context,
            &public.details.kind().to_bytes(),
            Derivation::BITS,
        ),
        used: 0,
    };
    let provider = machine.platform.provider;
    let mut public = public;
    let sensitive =
        object_creation::create(provider, &mut public, given, Origin::Stream, &mut stream)?;
    Ok(under(parent, public, sensitive))
}

fn under(parent: &Object, public: Public, sensitive: crate::wire::sensitive::Sensitive) -> Object {
    Object {
        qualified_name: qualified_name(&parent.qualified_name, &public),
        public,
        sensitive: Optional16(Some(sensitive)),
        hierarchy: parent.hierarchy,
        provenance: parent.provenance_below(),
    }
}

/// Bytes that a derivation parent gives.
struct Derivation {
    material: Secret,
    used: usize,
}

impl Derivation {
    /// As many as may be derived at a time: more than any key takes.
    const BITS: u32 = 8192;
}

impl RandomStream for Derivation {
    fn fill(&mut self, output: &mut [u8]) -> Result<(), RandomError> {
        let rest: Vec<u8> =
            self.material.as_bytes().iter().skip(self.used).take(output.len()).copied().collect();
        if rest.len() != output.len() {
            return Err(RandomError::ReseedRequired);
        }
        output.copy_from_slice(&rest);
        self.used += output.len();
        Ok(())
    }
}
