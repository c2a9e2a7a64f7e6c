//! A device with surroundings made for tests.

extern crate std;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::Cell;

use tpm_crypto::portable::Portable;

use super::coverage::record;

use crate::platform::{
    Change, Clock, Entropy, EntropyError, PhysicalPresence, Platform, Store, StoreError,
};
use crate::wire::codec::{Reader, Wire};
use crate::wire::handle::PASSWORD;
use crate::{Device, ResponseCode, VOLATILE_RECORD};

/// With this variable of the environment rigs are [`moving`](Rig::moving).
pub(super) const MOVING: &str = "TPM_TEST_MOVING";

/// Bytes that differ at every call.
#[derive(Debug, Default)]
pub(super) struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

/// A clock set by hand.
#[derive(Debug, Default)]
pub(super) struct Manual(pub(super) Cell<u64>);

impl Clock for Manual {
    fn now_ms(&self) -> u64 {
        self.0.get()
    }
}

/// A store in memory that fails when told to.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) records: BTreeMap<u32, Vec<u8>>,
    /// Commits that still succeed; none: all do.
    pub(super) commits_left: Option<u32>,
    pub(super) commits: u32,
    /// It cannot be written now.
    pub(super) withheld: bool,
}

impl Store for Memory {
    fn load(&mut self) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
        Ok(self.records.iter().map(|(key, content)| (*key, content.clone())).collect())
    }

    fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if let Some(left) = &mut self.commits_left {
            *left = left.checked_sub(1).ok_or(StoreError)?;
        }
        self.commits += 1;
        for change in changes {
            match &change.content {
                Some(content) => self.records.insert(change.key, content.clone()),
                None => self.records.remove(&change.key),
            };
        }
        Ok(())
    }

    fn is_available(&self) -> bool {
        !self.withheld
    }
}

/// A device and its surroundings.
#[derive(Debug)]
pub(super) struct Rig {
    pub(super) device: Device,
    pub(super) entropy: Counting,
    pub(super) clock: Manual,
    pub(super) store: Memory,
    pub(super) presence: PhysicalPresence,
    pub(super) locality: u8,
    /// Before each command the device is taken apart and goes on from its records
    /// and its volatile state.
    pub(super) moving: bool,
}

/// The answer to a command: handle (if the command gives one) and parameters.
pub(super) type Answer = Result<Vec<u8>, ResponseCode>;

impl Rig {
    /// A new device, powered on.
    pub(super) fn powered() -> Self {
        let (mut entropy, clock, mut store) =
            (Counting::default(), Manual::default(), Memory::default());
        let mut platform = Platform {
            entropy: &mut entropy,
            clock: &clock,
            store: &mut store,
            provider: &Portable,
            presence: PhysicalPresence::Absent,
        };
        Device::manufacture(&mut platform).expect("an empty store takes a device");
        let device = Device::power_on(&mut platform).expect("it was just made");
        let (presence, moving) = (PhysicalPresence::Absent, std::env::var_os(MOVING).is_some());
        Self { device, entropy, clock, store, presence, locality: 0, moving }
    }

    /// A new device, started.
    pub(super) fn started() -> Self {
        let mut rig = Self::powered();
        rig.call(0x144, &[0, 0]).expect("a new device starts");
        rig
    }

    /// Cuts the power and turns it on again.
    pub(super) fn power_cycle(&mut self) {
        self.try_power_cycle().expect("the store is sound");
    }

    /// The same with a store that may not be sound.
    pub(super) fn try_power_cycle(&mut self) -> Result<(), crate::PowerOnError> {
        self.store.commits_left = None;
        let (device, mut platform) = self.parts();
        *device = Device::power_on(&mut platform)?;
        Ok(())
    }

    /// Takes the device apart and lets it go on.
    pub(super) fn transfer(&mut self) {
        let (device, mut platform) = self.parts();
        device.keep_volatile_state(&mut platform).expect("the store takes it");
        *device = Device::power_on(&mut platform).expect("it is what was kept");
        assert!(!self.store.records.contains_key(&VOLATILE_RECORD), "it counts once");
    }

    /// The device and what it borrows.
    pub(super) fn parts(&mut self) -> (&mut Device, Platform<'_>) {
        let platform = Platform {
            entropy: &mut self.entropy,
            clock: &self.clock,
            store: &mut self.store,
            provider: &Portable,
            presence: self.presence,
        };
        (&mut self.device, platform)
    }

    /// Sends bytes and gives the response's.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.moving {
            self.transfer();
        }
        let locality = self.locality;
        let (device, mut platform) = self.parts();
        device.execute(&mut platform, locality, bytes)
    }

    /// A command without sessions; `body` is handles and parameters.
    pub(super) fn call(&mut self, code: u32, body: &[u8]) -> Answer {
        let response = self.raw(&command(0x8001, code, body));
        let answer = split(&response);
        record(code, answer.is_ok());
        answer.map(|(_, body)| body)
    }

    /// A command whose handles are each authorized with a password.
    pub(super) fn with_passwords(
        &mut self,
        code: u32,
        handles: &[u32],
        passwords: &[&[u8]],
        parameters: &[u8],
    ) -> Answer {
        let mut area = Vec::new();
        for password in passwords {
            PASSWORD.write(&mut area);
            area.extend([0, 0, 0]);
            (password.len() as u16).write(&mut area);
            area.extend_from_slice(password);
        }
        self.with_area(code, handles, &area, parameters).map(|(body, _)| body)
    }

    /// A command with an authorization area made elsewhere. Gives handle and
    /// parameters, and the response's area.
    pub(super) fn with_area(
        &mut self,
        code: u32,
        handles: &[u32],
        area: &[u8],
        parameters: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), ResponseCode> {
        let mut body: Vec<u8> = handles.iter().flat_map(|handle| handle.to_be_bytes()).collect();
        (area.len() as u32).write(&mut body);
        body.extend_from_slice(area);
        body.extend_from_slice(parameters);
        let response = self.raw(&command(0x8002, code, &body));
        let answer = split(&response);
        record(code, answer.is_ok());
        let (tag, body) = answer?;
        assert_eq!(tag, 0x8002);
        let command = crate::table::Command::find(code).expect("a known command");
        let handle = if command.traits.contains(crate::table::Traits::HANDLE) { 4 } else { 0 };
        let (handle, rest) = body.split_at(handle);
        let mut reader = Reader::new(rest);
        let size = u32::read(&mut reader).expect("a size") as usize;
        let parameters = reader.bytes(size).expect("as many as said");
        Ok(([handle, parameters].concat(), reader.rest().to_vec()))
    }
}

/// A command's bytes.
pub(super) fn command(tag: u16, code: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = tag.to_bytes();
    (10 + body.len() as u32).write(&mut bytes);
    code.write(&mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

/// Tag and body of a successful response, or its code.
pub(super) fn split(response: &[u8]) -> Result<(u16, Vec<u8>), ResponseCode> {
    let mut reader = Reader::new(response);
    let tag = u16::read(&mut reader).expect("a response has a tag");
    let size = u32::read(&mut reader).expect("a response has a size");
    assert_eq!(size as usize, response.len());
    match u32::read(&mut reader).expect("a response has a code") {
        0 => Ok((tag, reader.rest().to_vec())),
        code => {
            assert!(reader.rest().is_empty(), "an error has no body");
            Err(ResponseCode(code))
        }
    }
}

/// A TPM2B.
pub(super) fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}
