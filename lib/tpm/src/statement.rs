//! Statements (TPMS_ATTEST) and who signs them [Part 2 §10.12].

use alloc::vec::Vec;

use tpm_crypto::derivation::kdfa;

use crate::call::Reply;
use crate::identity::FIRMWARE_VERSION;
use crate::machine::{CONTEXT_HASH, Machine};
use crate::response_code::ResponseCode;
use crate::signing::{check_signs, select_scheme, sign};
use crate::state::sequence::GENERATED;
use crate::wire::algorithm::{Hash, NULL as ALGORITHM_NULL};
use crate::wire::codec::Wire;
use crate::wire::containers::Buffer;
use crate::wire::handle::{ENDORSEMENT, NULL, OWNER, PLATFORM};
use crate::wire::scheme::{ECDAA, Scheme, SignatureScheme};
use crate::wire::structure::{Data, Name, handle_name};

/// The firmware version that statements tell.
pub(crate) const FIRMWARE: u64 = ((FIRMWARE_VERSION[0] as u64) << 32) | FIRMWARE_VERSION[1] as u64;

/// TPM2B_ATTEST: the contents of an NV index are the most that is stated.
type Attested = Buffer<2048>;

/// Who signs a statement, if anybody does.
pub(crate) struct Signer {
    handle: u32,
    scheme: Option<Scheme>,
    qualified_name: Name,
    /// Whether what tells devices apart may be told: who signs belongs to the
    /// endorsement or platform hierarchy.
    open: bool,
}

impl Signer {
    /// Handle and scheme as they came, with their numbers.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::KEY`] or [`ResponseCode::SCHEME`] if the key does not sign so.
    pub(crate) fn new(
        machine: &Machine<'_, '_>,
        handle: u32,
        handle_number: u32,
        asked: SignatureScheme,
        scheme_number: u32,
    ) -> Result<Self, ResponseCode> {
        if handle == NULL {
            return Ok(Self {
                handle,
                scheme: None,
                qualified_name: handle_name(NULL),
                open: false,
            });
        }
        let object = machine.object(handle, handle_number)?;
        check_signs(object, handle_number)?;
        let scheme =
            select_scheme(object, asked).map_err(|error| error.parameter(scheme_number))?;
        // An anonymous signature does not say whose it is.
        let anonymous = scheme.algorithm == ECDAA;
        Ok(Self {
            handle,
            scheme: Some(scheme),
            qualified_name: if anonymous { Name::EMPTY } else { object.qualified_name.clone() },
            open: matches!(object.hierarchy, ENDORSEMENT | PLATFORM),
        })
    }

    /// Whether anybody signs.
    pub(crate) const fn is_some(&self) -> bool {
        self.scheme.is_some()
    }

    /// The hash of the signature; without one, that of names.
    pub(crate) fn hash(&self) -> Hash {
        self.scheme.and_then(|scheme| scheme.hash).unwrap_or(CONTEXT_HASH)
    }
}

/// Makes a statement of this kind and signs it [Part 2 §10.12.12].
///
/// # Errors
///
/// As [`sign`].
pub(crate) fn attest(
    machine: &mut Machine<'_, '_>,
    signer: &Signer,
    kind: u16,
    data: &Data,
    statement: &[u8],
) -> Result<Reply, ResponseCode> {
    let mut clock = machine.state.time.info().clock;
    let mut firmware = FIRMWARE;
    if !signer.open {
        let [reset, restart, shift] = obfuscation(machine, &signer.qualified_name);
        clock.reset_count = clock.reset_count.wrapping_add(reset);
        clock.restart_count = clock.restart_count.wrapping_add(restart);
        firmware = firmware.wrapping_add(u64::from(shift) << 32);
    }
    // With an anonymous signature the data is signed beside the statement, not
    // in it.
    let beside = signer.scheme.is_some_and(|scheme| scheme.algorithm == ECDAA);
    let mut attested: Vec<u8> = GENERATED.to_vec();
    kind.write(&mut attested);
    signer.qualified_name.write(&mut attested);
    let inside = if beside { Data::EMPTY } else { data.clone() };
    inside.write(&mut attested);
    clock.write(&mut attested);
    firmware.write(&mut attested);
    attested.extend_from_slice(statement);
    let reply = Reply::EMPTY.with(&Attested::new(attested.as_slice()));
    let Some(scheme) = signer.scheme else {
        return Ok(reply.with(&ALGORITHM_NULL));
    };
    let hash = signer.hash().algorithm();
    let mut digest = hash.digest(&[&attested]);
    if beside && !data.is_empty() {
        digest = hash.digest(&[data, digest.as_bytes()]);
    }
    let signature = sign(machine, signer.handle, scheme, digest.as_bytes())?;
    Ok(reply.with(&signature))
}

/// What is added to counters so that they do not tell who the device is: a value
/// for each key, from the owner's proof [Part 1 §36.7, *from memory*].
fn obfuscation(machine: &Machine<'_, '_>, name: &Name) -> [u32; 3] {
    let proof = machine.state.hierarchies.proof(OWNER);
    let mask = kdfa(CONTEXT_HASH.algorithm(), proof, b"OBFUSCATE", name, &[], 96);
    let mut words = mask
        .as_bytes()
        .chunks_exact(4)
        .map(|word| word.iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)));
    [(); 3].map(|()| words.next().unwrap_or(0))
}
