//! Derived keys: what makes them differ, and what is refused.

use abi_snp::{
    DerivedKeyRequest, DerivedKeyResponse, FirmwareStatus, GuestFields, RootKey, TcbVersion,
};

use crate::launch::samples::{
    MEMORY, Memory, SEED, authentication, id_block, page, parameters, platform, reverse_map,
};
use crate::launch::{
    AuthorKey, FinishParameters, Identity, Launch, LaunchedGuest, PageContent, StartParameters,
};
use crate::platform::{ChipMasks, Platform};
use crate::security_processor::samples::{Ends, VLEK, keys};

type Key = Result<[u8; 32], FirmwareStatus>;

fn key(response: DerivedKeyResponse) -> Key {
    response.into_key().map(|key| *key.expose())
}

/// The key that the sample guest gets.
fn sample(request: &DerivedKeyRequest) -> Key {
    key(Ends::sample(0).ask(request).unwrap())
}

const PLAIN: DerivedKeyRequest = DerivedKeyRequest::new(RootKey::ENDORSEMENT_KEY, 0);

fn with(fields: GuestFields) -> DerivedKeyRequest {
    let mut request = PLAIN;
    request.fields = fields;
    request
}

/// How a guest differs from the sample.
#[derive(Clone, Copy)]
enum Variant {
    Sample,
    OtherImage,
    OtherPolicy,
    OtherHostData,
    OtherSeed,
    Owned(AuthorKey),
}

fn variant(platform: &Platform, variant: Variant) -> LaunchedGuest {
    let mut start: StartParameters = parameters();
    let mut seed = SEED;
    match variant {
        Variant::OtherPolicy => {
            start.policy = abi_snp::Policy::from_bits(start.policy.bits() | 1 << 19);
        }
        Variant::OtherSeed => seed = [1; 32],
        _ => (),
    }
    let mut launch = Launch::start(platform, start, seed).unwrap();
    let byte = if matches!(variant, Variant::OtherImage) { 0x22 } else { 0x11 };
    let content = [byte; 4096];
    let page = page(0, PageContent::Normal(&content));
    launch.update(&mut reverse_map(), &mut Memory::new(MEMORY), page).unwrap();
    let host_data = if matches!(variant, Variant::OtherHostData) { [1; 32] } else { [0x4d; 32] };
    let block = id_block(&launch);
    let authentication = authentication(&block);
    let identity = match variant {
        Variant::Owned(author_key) => {
            Some(Identity { block: &block, authentication: &authentication, author_key })
        }
        _ => None,
    };
    launch.finish(FinishParameters { identity, host_data }).unwrap()
}

/// The key that such a guest gets.
fn of(kind: Variant, request: &DerivedKeyRequest) -> Key {
    let platform = platform();
    let guest = variant(&platform, kind);
    key(Ends::new(platform, keys(None), guest, 0).ask(request).unwrap())
}

#[test]
fn same_request_gets_the_same_key() {
    let first = sample(&PLAIN).unwrap();
    assert_eq!(sample(&PLAIN), Ok(first));
    assert_eq!(of(Variant::Sample, &PLAIN), Ok(first));
    // Another guest that is the same in all that goes in.
    assert_eq!(of(Variant::OtherSeed, &PLAIN), Ok(first));
}

#[test]
fn chosen_fields_make_the_key() {
    let cases = [
        (Variant::OtherImage, GuestFields::MEASUREMENT),
        (Variant::OtherPolicy, GuestFields::POLICY),
        (Variant::Owned(AuthorKey::Absent), GuestFields::FAMILY_ID),
        (Variant::Owned(AuthorKey::Absent), GuestFields::IMAGE_ID),
    ];
    for (kind, field) in cases {
        let request = with(field);
        let (mine, other) = (sample(&request).unwrap(), of(kind, &request).unwrap());
        assert_ne!(mine, other, "{field}");
        assert_ne!(mine, sample(&PLAIN).unwrap(), "the choice itself goes in: {field}");
    }
    assert_eq!(of(Variant::OtherImage, &PLAIN), sample(&PLAIN));
    assert_eq!(of(Variant::OtherPolicy, &PLAIN), sample(&PLAIN));
}

#[test]
fn host_data_owner_and_level_always_go_in() {
    let mut keys = [
        of(Variant::Sample, &PLAIN),
        of(Variant::OtherHostData, &PLAIN),
        of(Variant::Owned(AuthorKey::Absent), &PLAIN),
        of(Variant::Owned(AuthorKey::Present), &PLAIN),
        sample(&DerivedKeyRequest::new(RootKey::ENDORSEMENT_KEY, 1)),
        sample(&DerivedKeyRequest::new(RootKey::VMRK, 0)),
        of(Variant::OtherSeed, &DerivedKeyRequest::new(RootKey::VMRK, 0)),
    ]
    .map(Result::unwrap);
    keys.sort_unstable();
    assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "all differ");
}

#[test]
fn versions_have_limits() {
    let svn = |guest_svn| {
        let mut request = with(GuestFields::GUEST_SVN);
        request.guest_svn = guest_svn;
        of(Variant::Owned(AuthorKey::Absent), &request)
    };
    assert_ne!(svn(2).unwrap(), svn(3).unwrap());
    assert_eq!(svn(4), Err(FirmwareStatus::INVALID_PARAMETER));

    let tcb = |tcb_version| {
        let mut request = with(GuestFields::TCB_VERSION);
        request.tcb_version = TcbVersion(tcb_version);
        sample(&request)
    };
    let committed = tcb([9, 0, 0, 0, 0, 0, 23, 72]).unwrap();
    assert_ne!(tcb([9, 0, 0, 0, 0, 0, 23, 71]).unwrap(), committed);
    let above = [[10, 0, 0, 0, 0, 0, 23, 72], [9, 0, 0, 0, 0, 0, 24, 0], [0, 0, 1, 0, 0, 0, 0, 0]];
    for version in above {
        assert_eq!(tcb(version), Err(FirmwareStatus::INVALID_PARAMETER));
    }
}

#[test]
fn versions_that_were_not_chosen_do_not_count() {
    let mut request = PLAIN;
    (request.guest_svn, request.tcb_version) = (u32::MAX, TcbVersion([0xff; 8]));
    assert_eq!(sample(&request), sample(&PLAIN));
}

#[test]
fn level_is_not_above_that_of_the_key() {
    for (level, vmpl, allowed) in
        [(0, 0, true), (0, 3, true), (0, 4, false), (2, 1, false), (2, 2, true), (3, 2, false)]
    {
        let request = DerivedKeyRequest::new(RootKey::VCEK, vmpl);
        let key = key(Ends::sample(level).ask(&request).unwrap());
        assert_eq!(key.is_ok(), allowed, "{level} {vmpl}");
        assert!(allowed || key == Err(FirmwareStatus::INVALID_PARAMETER));
    }
}

#[test]
fn root_keys_have_to_be_there() {
    let root = |masks, vlek, root_key| {
        let platform = Platform { masks, ..platform() };
        let guest = variant(&platform, Variant::Sample);
        let request = DerivedKeyRequest::new(root_key, 0);
        key(Ends::new(platform, keys(vlek), guest, 0).ask(&request).unwrap())
    };
    let (open, masked) = (ChipMasks::empty(), ChipMasks::CHIP_KEY);
    let missing = Err(FirmwareStatus::INVALID_KEY);
    assert_eq!(root(open, None, RootKey::VLEK), missing);
    assert_eq!(root(open, None, RootKey(6)), missing);
    assert_eq!(root(masked, None, RootKey::VCEK), missing);
    assert_eq!(root(masked, Some(VLEK), RootKey::VLEK), missing);
    assert_eq!(root(masked, None, RootKey::VMRK), root(open, None, RootKey::VMRK));
    assert_eq!(root(open, None, RootKey(8)), Err(FirmwareStatus::INVALID_PARAMETER));
    let vcek = root(open, Some(VLEK), RootKey::VCEK).unwrap();
    let vlek = root(open, Some(VLEK), RootKey::VLEK).unwrap();
    assert_ne!(vcek, vlek);
    // The endorsement key is the VLEK if there is one.
    assert_eq!(root(open, Some(VLEK), RootKey::ENDORSEMENT_KEY), Ok(vlek));
    assert_eq!(root(open, None, RootKey::ENDORSEMENT_KEY), Ok(vcek));
}
