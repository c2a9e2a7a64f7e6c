//! A device that is taken apart and goes on from its volatile record, as if
//! nothing had been.

extern crate std;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::process::{Command as Program, Stdio};

use tpm_crypto::portable::Portable;

use super::coverage::NOTES;
use super::rig::{MOVING, Rig, sized};
use crate::device::{Device, PowerOnError};
use crate::platform::{PhysicalPresence, Platform, StoreError};
use crate::state::volatile::VOLATILE_VERSION;
use crate::{ResponseCode, VOLATILE_RECORD};

const NULL: u32 = 0x4000_0007;

/// A device with something in every part of its volatile state: an object, two
/// sequences, three sessions of which one is saved, a hash under way, a timer,
/// a promise, PCRs, a changed hierarchy.
fn full() -> Rig {
    let mut rig = Rig::started();
    let key = super::objects::primary(&mut rig, NULL, &super::objects::signing(0)).0;
    rig.call(0x186, &[&sized(b"pw")[..], &[0, 0x10]].concat()).expect("an event sequence");
    let sequence =
        rig.call(0x186, &[&sized(b"pw")[..], &[0, 0x27]].concat()).expect("a hash sequence");
    let sequence = u32::from_be_bytes(sequence[..4].try_into().expect("a handle"));
    rig.with_passwords(0x15C, &[sequence], &[b"pw"], &sized(b"begun")).expect("updated");
    for kind in [0, 1, 3] {
        let body = [&NULL.to_be_bytes()[..], &NULL.to_be_bytes(), &sized(&[7; 16]), &[0, 0, kind]];
        let session = rig.call(0x176, &[&body.concat()[..], &[0, 0x10, 0, 0x0B]].concat());
        let session = session.expect("a session");
        if kind == 3 {
            rig.call(0x162, &session[..4]).expect("saved");
        }
    }
    rig.with_passwords(0x182, &[23], &[b""], &[&[0, 0, 0, 1, 0, 0x0B][..], &[7; 32]].concat())
        .expect("extended");
    rig.with_passwords(0x198, &[0x4000_011A], &[b""], &50_u32.to_be_bytes()).expect("set");
    rig.call(0x18E, &[0, 3]).expect("promised");
    rig.with_passwords(0x129, &[0x4000_000C], &[b""], &sized(b"secret")).expect("changed");
    rig.device.hash_start();
    rig.device.hash_data(b"launched");
    assert_eq!(key, 0x8000_0000);
    rig
}

fn volatile(rig: &mut Rig) -> Vec<u8> {
    let (device, mut platform) = rig.parts();
    device.volatile_state(&mut platform).expect("the store can be read")
}

/// Powers the device on with this volatile record.
fn go_on(rig: &mut Rig, record: &[u8]) -> Result<(), PowerOnError> {
    rig.store.records.insert(VOLATILE_RECORD, record.to_vec());
    rig.try_power_cycle()
}

#[test]
fn what_goes_on_is_what_was() {
    let mut rig = full();
    let record = volatile(&mut rig);
    rig.clock.0.set(1_000_000);
    go_on(&mut rig, &record).expect("it fits");
    assert!(!rig.store.records.contains_key(&VOLATILE_RECORD), "it counts once");
    assert_eq!(volatile(&mut rig), record, "no time has passed for the device");
    rig.clock.0.set(1_001_234);
    let clock = rig.call(0x181, &[]).expect("the clock");
    assert_eq!(clock[..8], 1234_u64.to_be_bytes());
    assert_ne!(volatile(&mut rig), record);
}

#[test]
fn what_was_begun_is_finished() {
    let mut rig = full();
    rig.transfer();
    let sequence: &[u8] = &[&sized(b" and done")[..], &NULL.to_be_bytes()].concat();
    let digest = rig.with_passwords(0x13E, &[0x8000_0002], &[b"pw"], sequence).expect("finished");
    let expected = tpm_crypto::hash::HashAlgorithm::Sha3_256.digest(&[b"begun and done"]);
    assert_eq!(digest[2..34], *expected.as_bytes());
    rig.device.hash_end();
    let pcr = rig.call(0x17E, &[0, 0, 0, 1, 0, 0x0B, 3, 0, 0, 2]).expect("PCR 17");
    let measured = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[b"launched"]);
    let expected = tpm_crypto::hash::HashAlgorithm::Sha256.digest(&[&[0; 32], measured.as_bytes()]);
    assert_eq!(pcr[20..], *expected.as_bytes());
    rig.clock.0.set(50_000);
    assert_eq!(rig.device.signaled_timers(&rig.clock), 1 << 0xA);
}

#[test]
fn two_that_go_on_from_one_record_draw_other_numbers() {
    let mut rig = Rig::started();
    let record = volatile(&mut rig);
    let mut draw = || {
        go_on(&mut rig, &record).expect("it fits");
        rig.call(0x17B, &[0, 32]).expect("random")
    };
    assert_ne!(draw(), draw());
}

#[test]
fn a_device_that_failed_goes_on_failing() {
    let mut rig = Rig::started();
    rig.store.commits_left = Some(0);
    let changed = rig.with_passwords(0x129, &[0x4000_0001], &[b""], &sized(b"new"));
    assert_eq!(changed, Err(ResponseCode::FAILURE));
    let record = volatile(&mut rig);
    go_on(&mut rig, &record).expect("it fits");
    assert_eq!(rig.call(0x17B, &[0, 8]), Err(ResponseCode::FAILURE));
}

#[test]
fn a_command_after_it_was_kept_removes_it() {
    let mut rig = Rig::started();
    let (device, mut platform) = rig.parts();
    device.keep_volatile_state(&mut platform).expect("the store takes it");
    assert!(rig.store.records.contains_key(&VOLATILE_RECORD));
    rig.call(0x17B, &[0, 8]).expect("random");
    assert!(rig.moving || !rig.store.records.contains_key(&VOLATILE_RECORD));
    rig.power_cycle();
    assert_eq!(rig.call(0x17B, &[0, 8]), Err(ResponseCode::INITIALIZE));
    rig.store.commits_left = Some(0);
    let (device, mut platform) = rig.parts();
    assert_eq!(device.keep_volatile_state(&mut platform), Err(StoreError));
}

#[test]
fn other_records_other_versions_and_damage_are_refused() {
    let mut rig = full();
    let record = volatile(&mut rig);
    for version in [0, VOLATILE_VERSION - 1, VOLATILE_VERSION + 1, u32::MAX] {
        let other = [&version.to_be_bytes()[..], &record[4..]].concat();
        assert_eq!(go_on(&mut rig, &other), Err(PowerOnError::OtherVolatile { found: version }));
    }
    let damaged = Err(PowerOnError::Damaged { key: VOLATILE_RECORD });
    assert_eq!(go_on(&mut rig, &[&record[..], &[0]].concat()), damaged);
    for length in 0..record.len() {
        assert_eq!(go_on(&mut rig, &record[..length]), damaged, "{length}");
    }
    // It is there still, whoever it was that was refused.
    assert!(rig.store.records.contains_key(&VOLATILE_RECORD));
    go_on(&mut rig, &record).expect("it fits");
    rig.with_passwords(0x129, &[0x4000_0001], &[b""], &sized(b"new")).expect("changed");
    assert_eq!(go_on(&mut rig, &record), Err(PowerOnError::Unrelated));
}

#[test]
fn no_changed_byte_makes_a_device_that_breaks() {
    let mut rig = full();
    let record = volatile(&mut rig);
    let before = rig.store.records.clone();
    for place in 4..record.len() {
        for change in [1, 0x80] {
            let mut changed = record.clone();
            changed[place] ^= change;
            rig.store.records = before.clone();
            if go_on(&mut rig, &changed).is_err() {
                continue;
            }
            for command in [0x17B, 0x181, 0x145] {
                let _ = rig.call(command, if command == 0x181 { &[] } else { &[0, 0] });
            }
            let again = volatile(&mut rig);
            go_on(&mut rig, &again).expect("a device can read what it wrote");
        }
    }
}

#[test]
fn secrets_are_not_shown() {
    let rig = full();
    let text = format!("{:?}", rig.device);
    for secret in [b"secret".as_slice(), b"pw"] {
        assert!(!text.contains(&format!("{secret:?}")[1..2 * secret.len()]), "{text}");
    }
}

#[test]
fn every_other_test_holds_for_a_device_that_is_moved_before_each_command() {
    let once_more = |name| std::env::var_os(name).is_some();
    if once_more(MOVING) || once_more(NOTES) {
        return;
    }
    // Those that count commits, and those that take long and begin nothing.
    let skipped = [
        "documentation::",
        "certificates::",
        "coverage::",
        "credentials::",
        "derivation::",
        "encryption::",
        "making::",
        "mutations::",
        "power::",
        "properties::",
        "resumption::",
    ];
    let skipped = skipped.iter().flat_map(|module| ["--skip", module]);
    let output = Program::new(std::env::current_exe().expect("this program"))
        .args(["tests::", "--test-threads", "2"])
        .args(skipped)
        .env(MOVING, "")
        .stderr(Stdio::null())
        .output()
        .expect("it runs once more");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let count = |line: &str| line.starts_with("test ") && line.ends_with("... ok");
    assert!(text.lines().filter(|line| count(line)).count() > 90, "{text}");
}

#[test]
fn a_store_that_fails_loses_nothing() {
    let mut rig = full();
    let record = volatile(&mut rig);
    rig.store.records.insert(VOLATILE_RECORD, record.clone());
    rig.store.commits_left = Some(0);
    let mut platform = Platform {
        entropy: &mut rig.entropy,
        clock: &rig.clock,
        store: &mut rig.store,
        provider: &Portable,
        presence: PhysicalPresence::Absent,
    };
    let refused = Device::power_on(&mut platform).err();
    assert_eq!(refused, Some(PowerOnError::Store(StoreError)));
    rig.power_cycle();
    assert_eq!(volatile(&mut rig), record);
}
