//! Start, shutdown, and power that goes away.

use alloc::vec::Vec;

use super::rig::{Rig, sized};
use crate::device::{Device, PowerOnError};
use crate::platform::{PhysicalPresence, Platform};
use crate::response_code::ResponseCode;

const STARTUP: u32 = 0x144;
const SHUTDOWN: u32 = 0x145;
const CLEAR: [u8; 2] = [0, 0];
const STATE: [u8; 2] = [0, 1];

/// resetCount and restartCount.
fn counts(rig: &mut Rig) -> (u32, u32) {
    let clock = rig.call(0x181, &[]).expect("clock");
    let number = |range: core::ops::Range<usize>| {
        u32::from_be_bytes(clock[range].try_into().expect("four bytes"))
    };
    (number(16..20), number(20..24))
}

fn pcr(rig: &mut Rig, number: usize) -> Vec<u8> {
    let mut select = [0_u8; 3];
    select[number / 8] = 1 << (number % 8);
    let body = [&[0, 0, 0, 1, 0, 0x0B, 3][..], &select].concat();
    rig.call(0x17E, &body).expect("pcr")[20..].to_vec()
}

fn extend(rig: &mut Rig, number: u8) {
    let body = [&[0, 0, 0, 1, 0, 0x0B][..], &[7; 32]].concat();
    rig.with_passwords(0x182, &[u32::from(number)], &[b""], &body).expect("extended");
}

#[test]
fn nothing_before_startup_and_no_second_one() {
    let mut rig = Rig::powered();
    assert_eq!(rig.call(0x17B, &[0, 8]), Err(ResponseCode::INITIALIZE));
    assert_eq!(rig.call(STARTUP, &STATE), Err(ResponseCode::VALUE.parameter(1)));
    assert_eq!(rig.call(STARTUP, &[0, 2]), Err(ResponseCode::VALUE.parameter(1)));
    assert_eq!(rig.call(STARTUP, &CLEAR), Ok(Vec::new()));
    assert_eq!(rig.call(STARTUP, &CLEAR), Err(ResponseCode::INITIALIZE));
}

#[test]
fn reset_restart_and_resume_count_and_keep_as_they_should() {
    let mut rig = Rig::started();
    assert_eq!(counts(&mut rig), (1, 0));
    extend(&mut rig, 1);
    extend(&mut rig, 16);
    let extended = pcr(&mut rig, 1);
    rig.call(SHUTDOWN, &STATE).expect("shutdown");
    rig.power_cycle();
    rig.call(STARTUP, &STATE).expect("resume");
    assert_eq!(counts(&mut rig), (1, 1));
    assert_eq!(pcr(&mut rig, 1), extended);
    assert_eq!(pcr(&mut rig, 16), [0; 32], "not a PCR that is kept");

    rig.call(SHUTDOWN, &STATE).expect("shutdown");
    rig.power_cycle();
    rig.call(STARTUP, &CLEAR).expect("restart");
    assert_eq!(counts(&mut rig), (1, 2));
    assert_eq!(pcr(&mut rig, 1), [0; 32]);

    rig.call(SHUTDOWN, &CLEAR).expect("shutdown");
    rig.power_cycle();
    assert_eq!(rig.call(STARTUP, &STATE), Err(ResponseCode::VALUE.parameter(1)));
    rig.call(STARTUP, &CLEAR).expect("reset");
    assert_eq!(counts(&mut rig), (2, 0));
}

#[test]
fn a_command_after_shutdown_undoes_it() {
    let mut rig = Rig::started();
    rig.call(SHUTDOWN, &STATE).expect("shutdown");
    extend(&mut rig, 1);
    rig.power_cycle();
    assert_eq!(rig.call(STARTUP, &STATE), Err(ResponseCode::VALUE.parameter(1)));
}

#[test]
fn startup_from_locality_three_is_seen_in_pcr_0() {
    let mut rig = Rig::powered();
    rig.locality = 1;
    assert_eq!(rig.call(STARTUP, &CLEAR), Err(ResponseCode::LOCALITY));
    rig.locality = 3;
    rig.call(STARTUP, &CLEAR).expect("startup");
    assert_eq!(pcr(&mut rig, 0)[31], 3);
    assert_eq!(pcr(&mut rig, 17), [0xFF; 32]);
}

#[test]
fn a_resumption_has_the_root_that_the_device_had() {
    // From where, and whether something was measured before.
    let start = |rig: &mut Rig, kind: [u8; 2], locality: u8, measured: bool| {
        rig.power_cycle();
        if measured {
            rig.device.hash_start();
            rig.device.hash_data(b"root");
            rig.device.hash_end();
        }
        rig.locality = locality;
        let answer = rig.call(STARTUP, &kind).map(|_| ());
        rig.locality = 0;
        answer
    };
    let roots = [(0, false), (3, false), (0, true)];
    for before in roots {
        for now in roots {
            let mut rig = Rig::powered();
            start(&mut rig, CLEAR, before.0, before.1).expect("startup");
            rig.call(SHUTDOWN, &STATE).expect("shutdown");
            let expected = match (before.1, now.1) {
                _ if before == now => Ok(()),
                (false, false) => Err(ResponseCode::LOCALITY),
                _ => Err(ResponseCode::VALUE.parameter(1)),
            };
            assert_eq!(start(&mut rig, STATE, now.0, now.1), expected, "{before:?} {now:?}");
            if expected.is_err() {
                // The state is still there for the right one.
                start(&mut rig, STATE, before.0, before.1).expect("resume");
            }
        }
    }
}

#[test]
fn banks_that_change_cannot_be_resumed() {
    let mut rig = Rig::started();
    let allocate = [0, 0, 0, 1, 0, 4, 3, 0, 0, 0];
    rig.with_passwords(0x12B, &[0x4000_000C], &[b""], &allocate).expect("no SHA-1");
    assert_eq!(rig.call(SHUTDOWN, &STATE), Err(ResponseCode::TYPE.parameter(1)));
    rig.call(SHUTDOWN, &CLEAR).expect("shutdown");
    rig.power_cycle();
    rig.call(STARTUP, &CLEAR).expect("startup");
    rig.call(SHUTDOWN, &STATE).expect("they are as allocated");
}

#[test]
fn an_audited_command_after_shutdown_undoes_it() {
    let mut rig = Rig::started();
    let capability = [6_u32, 0x100, 1].map(u32::to_be_bytes).concat();
    for (audited, expected) in
        [(false, Ok(Vec::new())), (true, Err(ResponseCode::VALUE.parameter(1)))]
    {
        if audited {
            let set = [0, 0x10, 0, 0, 0, 1, 0, 0, 1, 0x7A, 0, 0, 0, 0];
            rig.with_passwords(0x140, &[0x4000_0001], &[b""], &set).expect("set");
        }
        rig.call(SHUTDOWN, &STATE).expect("shutdown");
        rig.call(0x17A, &capability).expect("a property");
        rig.power_cycle();
        assert_eq!(rig.call(STARTUP, &STATE), expected);
    }
}

#[test]
fn a_device_that_fails_says_so_before_its_start() {
    let mut rig = Rig::powered();
    rig.store.commits_left = Some(0);
    assert_eq!(rig.call(STARTUP, &CLEAR), Err(ResponseCode::FAILURE));
    assert_eq!(rig.call(STARTUP, &CLEAR), Err(ResponseCode::FAILURE));
    assert_eq!(rig.call(0x17B, &[0, 4]), Err(ResponseCode::FAILURE));
    let result = rig.call(0x17C, &[]).expect("why");
    assert!(result.ends_with(&ResponseCode::FAILURE.0.to_be_bytes()));
    rig.call(0x17A, &[6_u32, 0x100, 1].map(u32::to_be_bytes).concat()).expect("who");
}

#[test]
fn a_shutdown_in_order_keeps_what_is_known_of_the_clock() {
    let mut rig = Rig::started();
    let safe = |rig: &mut Rig| rig.call(0x181, &[]).expect("clock")[24] == 1;
    let again = |rig: &mut Rig| {
        rig.power_cycle();
        rig.call(STARTUP, &CLEAR).expect("startup");
    };
    rig.clock.0.set(7000);
    rig.call(SHUTDOWN, &CLEAR).expect("shutdown");
    again(&mut rig);
    assert!(safe(&mut rig));
    again(&mut rig);
    assert!(!safe(&mut rig), "the power was cut");
    rig.call(SHUTDOWN, &STATE).expect("shutdown");
    again(&mut rig);
    assert!(!safe(&mut rig), "what was told before the cut may still be higher");
    rig.clock.0.set(7000 + (1 << 22));
    assert!(safe(&mut rig));
}

#[test]
fn the_clock_is_not_safe_after_a_cut() {
    let mut rig = Rig::started();
    rig.clock.0.set(5000);
    let clock = rig.call(0x181, &[]).expect("clock");
    assert_eq!(clock[24], 1, "safe");
    assert_eq!(clock[8..16], 5000_u64.to_be_bytes());
    rig.power_cycle();
    rig.call(STARTUP, &CLEAR).expect("startup");
    assert_eq!(rig.call(0x181, &[]).expect("clock")[24], 0, "not safe");
    rig.clock.0.set(5000 + (1 << 22));
    assert_eq!(rig.call(0x181, &[]).expect("clock")[24], 1, "safe again");
}

/// Code, handles, passwords, parameters.
type Step<'a> = (u32, &'a [u32], &'a [&'a [u8]], &'a [u8]);

/// Commands that write, one after the other; the state after each.
fn history(rig: &mut Rig) -> Vec<alloc::collections::BTreeMap<u32, Vec<u8>>> {
    let mut states = alloc::vec![rig.store.records.clone()];
    let public =
        [&[0x01, 0, 0, 1][..], &[0, 0x0B], &0x0004_0004_u32.to_be_bytes(), &[0, 0, 0, 8]].concat();
    let define = [sized(b"pw"), sized(&public)].concat();
    let write = [&sized(b"12345678")[..], &[0, 0]].concat();
    let owner = 0x4000_0001;
    let steps: [Step; 5] = [
        (0x12A, &[owner], &[b""], &define),
        (0x137, &[0x0100_0001, 0x0100_0001], &[b"pw"], &write),
        (0x129, &[owner], &[b""], &sized(b"new")),
        (0x139, &[0x4000_000A], &[b""], &[]),
        (0x122, &[owner, 0x0100_0001], &[b"new"], &[]),
    ];
    for (code, handles, passwords, parameters) in steps {
        if rig.with_passwords(code, handles, passwords, parameters).is_ok() {
            states.push(rig.store.records.clone());
        }
    }
    states
}

#[test]
fn power_cut_at_any_write_leaves_an_old_or_a_new_state() {
    let mut whole = Rig::started();
    let states = history(&mut whole);
    let commits = whole.store.commits;
    assert!(states.len() == 6 && commits > 4);
    for left in 0..commits {
        let mut rig = Rig::started();
        let already = rig.store.commits;
        rig.store.commits_left = Some(left.saturating_sub(already));
        let cut = history(&mut rig);
        let stored = rig.store.records.clone();
        assert_eq!(Some(&stored), cut.last(), "an answer of success means stored");
        rig.power_cycle();
        rig.call(STARTUP, &CLEAR).expect("starts from whatever was left");
    }
}

#[test]
fn a_failed_store_ends_the_devices_work() {
    let mut rig = Rig::started();
    rig.store.commits_left = Some(0);
    let change = rig.with_passwords(0x129, &[0x4000_0001], &[b""], &sized(b"new"));
    assert_eq!(change, Err(ResponseCode::FAILURE));
    assert_eq!(rig.call(0x17B, &[0, 8]), Err(ResponseCode::FAILURE));
    assert_eq!(rig.call(0x17C, &[]), Ok([&[0, 0][..], &[0, 0, 1, 1]].concat()));
    rig.power_cycle();
    rig.call(STARTUP, &CLEAR).expect("startup");
    rig.with_passwords(0x129, &[0x4000_0001], &[b""], &sized(b"new")).expect("the old value holds");
}

#[test]
fn without_a_store_nothing_changes_that_would_be_stored() {
    let mut rig = Rig::started();
    let new_value = |rig: &mut Rig, old: &[u8]| {
        rig.with_passwords(0x129, &[0x4000_0001], &[old], &sized(b"new")).map(|_| ())
    };
    rig.store.withheld = true;
    let before = rig.store.records.clone();
    assert_eq!(new_value(&mut rig, b""), Err(ResponseCode::NV_UNAVAILABLE));
    // Guesses at a value that is guarded could not be counted: neither the wrong one
    // nor the right one is told apart.
    for guess in [&b"guess"[..], b""] {
        let answer = rig.with_passwords(0x139, &[0x4000_000A], &[guess], &[]);
        assert_eq!(answer, Err(ResponseCode::NV_UNAVAILABLE));
    }
    assert_eq!(rig.call(0x145, &[0, 0]), Err(ResponseCode::NV_UNAVAILABLE));
    rig.call(0x17B, &[0, 8]).expect("nothing to store");
    assert_eq!(rig.store.records, before);
    rig.power_cycle();
    assert_eq!(rig.call(STARTUP, &CLEAR), Err(ResponseCode::NV_UNAVAILABLE));
    assert_eq!(rig.call(0x17B, &[0, 8]), Err(ResponseCode::INITIALIZE));
    rig.store.withheld = false;
    rig.call(STARTUP, &CLEAR).expect("started");
    new_value(&mut rig, b"").expect("the old value holds");
    assert_ne!(rig.store.records, before);
}

#[test]
fn state_that_is_newer_older_or_damaged_is_refused() {
    let mut rig = Rig::started();
    let core = rig.store.records[&0].clone();
    let power_on = |rig: &mut Rig| {
        Device::power_on(&mut Platform {
            entropy: &mut rig.entropy,
            clock: &rig.clock,
            store: &mut rig.store,
            provider: &tpm_crypto::portable::Portable,
            presence: PhysicalPresence::Absent,
        })
        .expect_err("refused")
    };
    let mut other = core.clone();
    other[3] = 9;
    rig.store.records.insert(0, other.clone());
    assert_eq!(power_on(&mut rig), PowerOnError::Newer { found: 9 });
    other[3] = 2;
    rig.store.records.insert(0, other);
    assert_eq!(power_on(&mut rig), PowerOnError::Older { found: 2 });
    rig.store.records.insert(0, core[..core.len() - 1].to_vec());
    assert_eq!(power_on(&mut rig), PowerOnError::Damaged { key: 0 });
    rig.store.records.insert(0, core);
    rig.store.records.insert(0x0100_0000, Vec::new());
    assert_eq!(power_on(&mut rig), PowerOnError::Damaged { key: 0x0100_0000 });
    rig.store.records.clear();
    assert_eq!(power_on(&mut rig), PowerOnError::Empty);
}

#[test]
fn reading_writes_nothing() {
    let mut rig = Rig::started();
    let before = rig.store.commits;
    rig.call(0x17B, &[0, 8]).expect("random");
    rig.call(0x181, &[]).expect("clock");
    assert_eq!(rig.store.commits, before);
}

#[test]
fn an_orderly_shutdown_lasts_until_the_next_start() {
    let mut rig = Rig::started();
    let orderly = |rig: &mut Rig| {
        let ask = [6_u32, 0x201, 1].map(u32::to_be_bytes).concat();
        let answer = rig.call(0x17A, &ask).expect("a property");
        answer[answer.len() - 4] & 0x80 != 0
    };
    for kind in [0, 1] {
        rig.call(0x145, &[0, kind]).expect("it shuts down");
        // Power comes and goes; once someone asks it something meanwhile.
        rig.power_cycle();
        rig.power_cycle();
        assert!(rig.call(0x17B, &[0, 4]).is_err());
        rig.power_cycle();
        rig.call(0x144, &[0, 0]).expect("it starts");
        assert!(orderly(&mut rig), "{kind}");
        rig.power_cycle();
        rig.call(0x144, &[0, 0]).expect("it starts");
        assert!(!orderly(&mut rig), "{kind}");
    }
}
