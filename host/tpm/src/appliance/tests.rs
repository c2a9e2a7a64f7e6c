//! Power, and what outlasts it.

use std::sync::Arc;

use tpm::PowerOnError;

use super::{Appliance, ReplaceError, Startup};
use crate::message::Command;
use crate::{Durability, FormatError, Journal, StateFolder};

mod certificate;

const RANDOM: [u8; 12] = [0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7B, 0, 4];

fn appliance(folder: &std::path::Path) -> Appliance {
    let journal = Arc::new(Journal::silent());
    let state = StateFolder::open(folder, Durability::Process, Arc::clone(&journal)).unwrap();
    Appliance::new(Box::new(state), journal)
}

#[test]
fn a_device_is_made_once_and_then_used() {
    let folder = tempfile::tempdir().unwrap();
    let mut device = appliance(folder.path());
    assert_eq!(device.power_on(), Err(PowerOnError::Empty));
    assert!(!device.is_on());
    assert_eq!(device.execute(0, 0, &RANDOM), None);
    device.manufacture().unwrap();
    assert_eq!(device.manufacture(), Err(PowerOnError::Occupied));
    device.power_on().unwrap();
    device.start_up(Startup::State);
    assert_eq!(device.execute(0, 0, &RANDOM).map(|response| response.len()), Some(16));
    drop(device);
    let mut again = appliance(folder.path());
    again.power_on().unwrap();
    again.start_up(Startup::Clear);
    assert_eq!(again.execute(0, 0, &RANDOM).map(|response| response.len()), Some(16));
}

#[test]
fn state_is_replaced_without_power_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut device = appliance(folder.path());
    device.manufacture().unwrap();
    let state = device.permanent_state().unwrap();
    device.power_on().unwrap();
    assert_eq!(device.replace_permanent_state(&state), Err(ReplaceError::On));
    device.power_off();
    let error = device.replace_permanent_state(b"state");
    assert_eq!(error, Err(ReplaceError::Format(FormatError::Foreign)));
    device.replace_permanent_state(&state).unwrap();
    device.power_on().unwrap();
}

#[test]
fn a_timer_that_runs_out_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let journal = Arc::new(Journal::append(&log).unwrap());
    let state =
        StateFolder::open(&folder.path().join("state"), Durability::Process, Arc::clone(&journal));
    let mut device = Appliance::new(Box::new(state.unwrap()), journal);
    device.manufacture().unwrap();
    device.power_on().unwrap();
    device.start_up(Startup::Clear);
    // One second, then zero, which ends the count at once.
    for seconds in [1_u32, 0] {
        let set = Command::new(0x198).authorized(0x4000_0110, b"");
        let response = device.execute(0, 0, &set.parameters(&seconds.to_be_bytes()).bytes());
        assert_eq!(response.unwrap()[6..10], [0; 4]);
    }
    device.execute(0, 0, &RANDOM).unwrap();
    let lines = std::fs::read_to_string(log).unwrap();
    assert_eq!(lines.matches("timer 0 has run out").count(), 1, "{lines}");
}
