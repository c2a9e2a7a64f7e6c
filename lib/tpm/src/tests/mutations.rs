//! Commands that are almost right: no panic, a response that is one, and a state
//! that can be loaded again.
//!
//! The commands are the fuzz target's seeds: what a command needs, then the
//! command, each behind its size in two bytes and a locality.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::rig::Rig;

macro_rules! seeds {
    ($($name:literal),* $(,)?) => {
        &[$(include_bytes!(concat!("../../../../fuzz/seeds/tpm_command/", $name))),*]
    };
}

const SEEDS: &[&[u8]] = seeds![
    "certify",
    "contextsave",
    "contextsave_2",
    "create",
    "createloaded",
    "createprimary",
    "ecdh_zgen",
    "encryptdecrypt",
    "eventsequencecomplete",
    "evictcontrol",
    "import",
    "load",
    "loadexternal",
    "mac",
    "mac_start",
    "makecredential",
    "nv_certify",
    "nv_definespace",
    "nv_extend",
    "nv_read",
    "nv_write",
    "pcr_extend",
    "policyauthorize",
    "policynv",
    "policyor",
    "policysecret",
    "policysigned",
    "quote",
    "rewrap",
    "sequencecomplete",
    "sign",
    "startauthsession_3",
    "testparms",
    "verifysignature",
];

/// What is done to the last command's bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Append(Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, to)| Change::Set(at, to)),
        1 => any::<prop::sample::Index>().prop_map(Change::Cut),
        1 => prop::collection::vec(any::<u8>(), 1..5).prop_map(Change::Append),
    ]
}

/// The commands of a seed.
fn commands(mut seed: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(([high, low, _], rest)) = seed.split_first_chunk() {
        let (command, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        all.push(command.to_vec());
        seed = rest;
    }
    all
}

fn apply(command: &mut Vec<u8>, change: Change) {
    match change {
        Change::Set(at, to) => {
            // The header stays, or nothing would get past it.
            let at = 10 + at.index(command.len().saturating_sub(10).max(1));
            if let Some(byte) = command.get_mut(at) {
                *byte = to;
            }
        }
        Change::Cut(at) => command.truncate(10 + at.index(command.len().saturating_sub(9))),
        Change::Append(bytes) => command.extend(bytes),
    }
    let size = u32::try_from(command.len()).expect("commands are short");
    command[2..6].copy_from_slice(&size.to_be_bytes());
}

#[test]
fn the_seeds_themselves_are_well_formed() {
    for seed in SEEDS {
        let mut rig = Rig::started();
        let commands = commands(seed);
        let (last, before) = commands.split_last().expect("a seed has a command");
        for command in before {
            assert_eq!(rig.raw(command)[6..10], [0; 4], "what a command needs succeeds");
        }
        // Some lack a real signature, ticket or wrap; none lacks bytes or has too many.
        let code = &rig.raw(last)[6..10];
        let malformed = code[2] & 0x10 == 0 && matches!(code[3], 0x95 | 0x9A);
        assert!(!malformed, "{code:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn commands_that_are_almost_right_get_responses(
        seed in prop::sample::select(SEEDS),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let mut rig = Rig::started();
        let mut commands = commands(seed);
        if let Some(last) = commands.last_mut() {
            for change in changes {
                apply(last, change);
            }
        }
        for command in commands {
            let response = rig.raw(&command);
            prop_assert!((10..=4096).contains(&response.len()));
            prop_assert_eq!(&response[2..6], &(response.len() as u32).to_be_bytes());
        }
        let loaded = rig.call(0x17A, &[0, 0, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 64]);
        prop_assert!(loaded.is_ok_and(|list| list.len() <= 9 + 3 * 4), "objects are bounded");
        rig.power_cycle();
    }
}
