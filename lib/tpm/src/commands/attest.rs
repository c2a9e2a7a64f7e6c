//! Attestation: signed statements about the device [Part 3 §18].

use alloc::vec::Vec;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::signing::{check_signs, select_scheme, sign};
use crate::state::sequence::GENERATED;
use crate::wire::algorithm::{Hash, NULL as ALGORITHM_NULL};
use crate::wire::codec::Wire;
use crate::wire::containers::{Buffer, List};
use crate::wire::handle::{ENDORSEMENT, NULL, PLATFORM};
use crate::wire::pcr::PcrSelection;
use crate::wire::scheme::{Scheme, SignatureScheme};
use crate::wire::structure::{Data, Digest, Name};
use crate::wire::ticket::{CREATION, CreationTicket};

/// TPM_ST_ATTEST_CERTIFY.
const CERTIFY: u16 = 0x8017;
/// TPM_ST_ATTEST_QUOTE.
const QUOTE: u16 = 0x8018;
/// TPM_ST_ATTEST_TIME.
const TIME: u16 = 0x8019;
/// TPM_ST_ATTEST_CREATION.
const CREATED: u16 = 0x801A;

/// The firmware version that statements tell.
const FIRMWARE: u64 = 1 << 32;

/// TPM2_Quote [Part 3 §18.4].
pub(crate) fn quote(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (data, scheme, pcrs): (Data, SignatureScheme, List<PcrSelection, 16>) =
        call.parameters()?;
    let signer = Signer::new(machine, call.handle(0), 1, scheme, 2)?;
    let hash = signer.scheme.and_then(|scheme| scheme.hash).unwrap_or(crate::machine::CONTEXT_HASH);
    let (existing, digest) = machine.state.pcrs.digest_of(&pcrs.0, hash);
    let mut statement = List::<_, 16>(existing).to_bytes();
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
    let name = machine.object(call.handle(1), 2)?.name();
    let expected = machine.ticket(CREATION, ticket.hierarchy, &[&name, &creation]);
    if expected.digest.is_empty() || !tpm_crypto::secret::equal(&expected.digest, &ticket.digest) {
        return Err(ResponseCode::TICKET.parameter(4));
    }
    let signer = Signer::new(machine, call.handle(0), 1, scheme, 3)?;
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

/// Who signs a statement, if anybody does.
struct Signer {
    handle: u32,
    scheme: Option<Scheme>,
    qualified_name: Name,
    /// Whether what tells devices apart may be told: who signs belongs to the
    /// endorsement or platform hierarchy.
    open: bool,
}

impl Signer {
    /// Handle and scheme as they came, with their numbers.
    fn new(
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
                qualified_name: crate::wire::structure::handle_name(NULL),
                open: true,
            });
        }
        let object = machine.object(handle, handle_number)?;
        check_signs(object, handle_number)?;
        let scheme =
            select_scheme(object, asked).map_err(|error| error.parameter(scheme_number))?;
        Ok(Self {
            handle,
            scheme: Some(scheme),
            qualified_name: object.qualified_name.clone(),
            open: matches!(object.hierarchy, ENDORSEMENT | PLATFORM),
        })
    }
}

/// Makes a statement (TPMS_ATTEST) and signs it [Part 2 §10.12.12].
fn attest(
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
    let mut attested: Vec<u8> = GENERATED.to_vec();
    kind.write(&mut attested);
    signer.qualified_name.write(&mut attested);
    data.write(&mut attested);
    clock.write(&mut attested);
    firmware.write(&mut attested);
    attested.extend_from_slice(statement);
    let reply = Reply::EMPTY.with(&Buffer::<1024>::new(attested.as_slice()));
    let Some(scheme) = signer.scheme else {
        return Ok(reply.with(&ALGORITHM_NULL));
    };
    let hash: Hash = scheme.hash.ok_or(ResponseCode::SCHEME)?;
    let digest = hash.algorithm().digest(&[&attested]);
    let signature = sign(machine, signer.handle, scheme, digest.as_bytes())?;
    Ok(reply.with(&signature))
}

/// What is added to counters so that they do not tell who the device is: a value
/// for each key, from the owner's proof [Part 1 §36.7, *from memory*].
fn obfuscation(machine: &Machine<'_, '_>, name: &Name) -> [u32; 3] {
    let proof = machine.state.hierarchies.proof(crate::wire::handle::OWNER);
    let mask = tpm_crypto::derivation::kdfa(
        crate::machine::CONTEXT_HASH.algorithm(),
        proof,
        b"OBFUSCATE",
        name,
        &[],
        96,
    );
    let mut words = mask
        .as_bytes()
        .chunks_exact(4)
        .map(|word| word.iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)));
    [(); 3].map(|()| words.next().unwrap_or(0))
}
