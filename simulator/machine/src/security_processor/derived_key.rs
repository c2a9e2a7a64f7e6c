//! Keys derived for a guest [SNP ABI 56860 §7.2].
//!
//! Into a key go always: which root key, the privilege level, the host's data,
//! the digest of the author key or else of the ID key, and which other fields
//! go in. A field that does not go in counts as zero.

use abi_snp::{
    DerivedKey, DerivedKeyRequest, Digest, FirmwareStatus, GuestFields, KeySelection, Policy,
    RootKey, TcbVersion, VmpckId, Vmpl,
};
use zerocopy::{Immutable, IntoBytes, little_endian};

use crate::key_derivation::{Secret, derive};
use crate::launch::LaunchedGuest;
use crate::platform::{ChipMasks, Platform};
use crate::security_processor::endorsement_key::EndorsementKeys;

/// What goes into a key. Unaligned, so without gaps.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Mixture {
    fields: little_endian::U64,
    policy: Policy,
    tcb_version: TcbVersion,
    vmpl: little_endian::U32,
    guest_svn: little_endian::U32,
    root: u8,
    owner: u8,
    owner_key: Digest,
    host_data: [u8; 32],
    measurement: Digest,
    family_id: [u8; 16],
    image_id: [u8; 16],
    _padding: [u8; 6],
}

/// The key that `request`, sealed with `vmpck`, asks for.
///
/// # Errors
///
/// [`FirmwareStatus::INVALID_PARAMETER`]: reserved bits, a privilege level
/// above that of the key or none, or a version above the limit;
/// [`FirmwareStatus::INVALID_KEY`]: a root key that there is not, or that the
/// host has masked.
pub(super) fn derived_key(
    platform: &Platform,
    keys: &EndorsementKeys,
    guest: &LaunchedGuest,
    vmpck: VmpckId,
    request: &DerivedKeyRequest,
) -> Result<DerivedKey, FirmwareStatus> {
    if !request.is_well_formed() {
        return Err(FirmwareStatus::INVALID_PARAMETER);
    }
    let fields = request.fields;
    let tcb_version = if fields.contains(GuestFields::TCB_VERSION) {
        request.tcb_version
    } else {
        platform.reported_tcb
    };
    let secret = root(platform, keys, guest, request.root_key, tcb_version)?;
    let levels = u32::from(vmpck.0)..Vmpl::ALL.len() as u32;
    if !levels.contains(&request.vmpl)
        || fields.contains(GuestFields::TCB_VERSION)
            && !is_at_most(request.tcb_version, platform.committed_tcb)
        || fields.contains(GuestFields::GUEST_SVN) && request.guest_svn > guest.guest_svn()
    {
        return Err(FirmwareStatus::INVALID_PARAMETER);
    }
    let (owner, owner_key) = match (guest.author_key_digest(), guest.id_key_digest()) {
        (Some(author), _) => (2, author),
        (None, Digest::ZERO) => (0, Digest::ZERO),
        (None, id_key) => (1, id_key),
    };
    let mixture = Mixture {
        fields: fields.bits().into(),
        policy: if_in(fields, GuestFields::POLICY, guest.policy, Policy::from_bits(0)),
        tcb_version: if_in(fields, GuestFields::TCB_VERSION, tcb_version, TcbVersion([0; 8])),
        vmpl: request.vmpl.into(),
        guest_svn: if_in(fields, GuestFields::GUEST_SVN, request.guest_svn, 0).into(),
        root: (request.root_key.0 & VMRK) as u8,
        owner,
        owner_key,
        host_data: guest.host_data,
        measurement: if_in(fields, GuestFields::MEASUREMENT, guest.measurement, Digest::ZERO),
        family_id: if_in(fields, GuestFields::FAMILY_ID, guest.family_id(), [0; 16]),
        image_id: if_in(fields, GuestFields::IMAGE_ID, guest.image_id(), [0; 16]),
        _padding: [0; 6],
    };
    Ok(DerivedKey::new(*derive(&*secret, "derived key", mixture.as_bytes())))
}

/// `value` if `field` goes into the key, `zero` otherwise.
fn if_in<T>(fields: GuestFields, field: GuestFields, value: T, zero: T) -> T {
    if fields.contains(field) { value } else { zero }
}

/// Bit 0 of [`RootKey`]: the guest's own root key.
const VMRK: u32 = 1;

/// What the key is derived from.
fn root(
    platform: &Platform,
    keys: &EndorsementKeys,
    guest: &LaunchedGuest,
    root_key: RootKey,
    tcb_version: TcbVersion,
) -> Result<Secret, FirmwareStatus> {
    if root_key.0 & VMRK != 0 {
        return Ok(guest.secrets.root_key());
    }
    if platform.masks.contains(ChipMasks::CHIP_KEY) {
        return Err(FirmwareStatus::INVALID_KEY);
    }
    let vlek = keys.vlek.as_ref();
    let key = match KeySelection(root_key.0 >> 1) {
        KeySelection::ANY => vlek.unwrap_or(&keys.vcek),
        KeySelection::VCEK => &keys.vcek,
        KeySelection::VLEK => vlek.ok_or(FirmwareStatus::INVALID_KEY)?,
        _ => return Err(FirmwareStatus::INVALID_KEY),
    };
    Ok(key.root(tcb_version))
}

/// Whether no number of `version` is above that of `limit`. Reserved bytes of
/// the limit are zero, so those of the version have to be.
fn is_at_most(version: TcbVersion, limit: TcbVersion) -> bool {
    version.0.iter().zip(limit.0).all(|(number, limit)| *number <= limit)
}
