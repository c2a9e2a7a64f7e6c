//! Whatever the bytes: no panic, and a response that is one.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::objects::{OWNER, primary, storage};
use super::rig::{Rig, command, sized, split};
use crate::table::COMMANDS;
use crate::wire::codec::Wire;
use crate::wire::containers::{Buffer, List, Optional16, Sized16};
use crate::wire::nv::NvPublic;
use crate::wire::pcr::{PcrSelection, TaggedDigest};
use crate::wire::symmetric::SymmetricDefinition;
use crate::wire::ticket::Ticket;

/// What can be read is written as it was.
fn round_trip<T: Wire + PartialEq + core::fmt::Debug>(bytes: &[u8]) {
    if let Ok(value) = T::from_bytes(bytes) {
        assert_eq!(value.to_bytes(), bytes);
    }
}

proptest! {
    #[test]
    fn any_bytes_get_a_response(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut rig = Rig::started();
        let response = rig.raw(&bytes);
        prop_assert!(split(&response).is_ok() || response.len() == 10);
    }

    #[test]
    fn commands_with_any_bodies_get_responses(
        bodies in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<bool>(), body()), 1..20,
        ),
    ) {
        let mut rig = Rig::started();
        for (row, sessions, body) in bodies {
            let row = row.get(COMMANDS);
            let tag = if sessions { 0x8002 } else { 0x8001 };
            let response = rig.raw(&command(tag, row.code, &body));
            prop_assert!(response.len() <= 4096);
            let _ = split(&response);
        }
        // What it stored can be read again.
        rig.power_cycle();
    }

    #[test]
    fn values_come_back(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        round_trip::<Buffer<64>>(&bytes);
        round_trip::<List<PcrSelection, 16>>(&bytes);
        round_trip::<TaggedDigest>(&bytes);
        round_trip::<NvPublic>(&bytes);
        round_trip::<Sized16<NvPublic>>(&bytes);
        round_trip::<Optional16<Ticket>>(&bytes);
        round_trip::<SymmetricDefinition>(&bytes);
        round_trip::<Ticket>(&bytes);
    }

    #[test]
    fn sized_values_come_back(content in prop::collection::vec(any::<u8>(), 0..64)) {
        let buffer = Buffer::<64>::new(content);
        prop_assert_eq!(Buffer::from_bytes(&buffer.to_bytes()), Ok(buffer));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A record that was tampered with is refused or worked with; which of both
    /// is the store's business, which authenticates what it holds.
    #[test]
    fn changed_records_do_no_harm(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        record in any::<prop::sample::Index>(),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
        startup in 0_u8..2,
    ) {
        let mut rig = Rig::started();
        let (handle, _) = primary(&mut rig, OWNER, &storage());
        rig.with_passwords(0x120, &[OWNER, handle], &[b""], &[0x81, 0, 0, 1]).expect("kept");
        let public = [&[1, 0, 0, 1, 0, 0x0B, 0, 6, 0, 6][..], &[0, 0, 0, 8]].concat();
        let define = [&[0, 0][..], &sized(&public)].concat();
        rig.with_passwords(0x12A, &[OWNER], &[b""], &define).expect("defined");
        rig.call(0x145, &[0, 1]).expect("shutdown");
        let keys: Vec<u32> = rig.store.records.keys().copied().collect();
        let bytes = rig.store.records.get_mut(record.get(&keys)).expect("one of its keys");
        for (at, to) in changes {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if rig.try_power_cycle().is_ok() && rig.call(0x144, &[0, startup]).is_ok() {
            for capability in 0..10 {
                let _ = rig.call(0x17A, &[0, 0, 0, capability, 0, 0, 0, 0, 0, 0, 1, 0]);
            }
            let _ = rig.call(0x173, &[0x81, 0, 0, 1]);
            let index = [OWNER, 0x0100_0001];
            let _ = rig.with_passwords(0x137, &index, &[b""], &[0, 1, 7, 0, 0]);
            let _ = rig.with_passwords(0x14E, &index, &[b""], &[0, 1, 0, 0]);
            let _ = rig.call(0x17E, &[0, 0, 0, 1, 0, 0x0B, 3, 0xFF, 0xFF, 0xFF]);
            let digest = [&[0, 0, 0, 1, 0, 0x0B][..], &[1; 32]].concat();
            let _ = rig.with_passwords(0x182, &[0], &[b""], &digest);
            let _ = rig.call(0x145, &[0, 1]);
        }
    }
}

/// Bodies that often get past handles and authorization.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let handle = prop_oneof![
        Just(0x4000_0001_u32),
        Just(0x4000_000C),
        Just(0x4000_0007),
        Just(0x4000_000A),
        Just(0x8000_0000),
        Just(0x0300_0000),
        0_u32..24,
        0x0100_0000_u32..0x0100_0004,
    ];
    let area = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0];
    (prop::collection::vec(handle, 0..3), any::<bool>(), prop::collection::vec(any::<u8>(), 0..60))
        .prop_map(move |(handles, with_area, rest)| {
            let mut body: Vec<u8> =
                handles.iter().flat_map(|handle| handle.to_be_bytes()).collect();
            if with_area {
                body.extend_from_slice(&area);
            }
            body.extend(rest);
            body
        })
}
