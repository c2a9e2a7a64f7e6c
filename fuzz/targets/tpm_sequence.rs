//! Sequences of TPM commands, most of them right: a model keeps the handles that
//! there are, and the device must list the same ones after each command.
//!
//! Each step of the input says what is done, and to which handle: objects are
//! created, loaded, saved and flushed, hashes begun and ended, sessions started,
//! policies built, NV indices defined and written. In between the device is
//! cleared, loses its power, or is moved with its volatile state. Some steps change
//! a byte of their command; what that did only the device knows, and if it made
//! something, the input ends.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use tpm::Device;

use self::model::{ENDORSEMENT, Entity, LOCKOUT, Model, NULL, OWNER, PLATFORM, Saved, Transient};
use self::surroundings::{STARTUP, Surroundings, execute};

#[path = "tpm/model.rs"]
mod model;
#[allow(dead_code, reason = "each target uses a part")]
#[path = "tpm/surroundings.rs"]
mod surroundings;

/// Steps of one input.
const MOST_STEPS: usize = 48;
/// Contexts that are remembered.
const MOST_CONTEXTS: usize = 8;

/// Type, hash, attributes, policy, parameters, unique: ECC keys for storage and for
/// signing, an HMAC key, an AES key.
const TEMPLATES: [&[u8]; 4] = [
    &[
        0, 0x23, 0, 0x0B, 0, 3, 4, 0x72, 0, 0, 0, 6, 0, 128, 0, 0x43, 0, 0x10, 0, 3, 0, 0x10, 0, 0,
        0, 0,
    ],
    &[0, 0x23, 0, 0x0B, 0, 4, 4, 0x72, 0, 0, 0, 0x10, 0, 0x18, 0, 0x0B, 0, 3, 0, 0x10, 0, 0, 0, 0],
    &[0, 8, 0, 0x0B, 0, 4, 4, 0x72, 0, 0, 0, 5, 0, 0x0B, 0, 0],
    &[0, 0x25, 0, 0x0B, 0, 6, 4, 0x72, 0, 0, 0, 6, 0, 128, 0, 0x43, 0, 0],
];

fuzz_target!(|input: &[u8]| {
    let mut surroundings = Surroundings::manufactured();
    let device = Device::power_on(&mut surroundings.platform()).expect("it was just made");
    let mut fuzz = Fuzz { device, surroundings, model: Model::default(), wild: None };
    fuzz.send(&STARTUP);
    let mut input = Unstructured::new(input);
    for _ in 0..MOST_STEPS {
        // Without input all choices would be the same.
        if input.is_empty() || fuzz.step(&mut input).is_err() {
            break;
        }
        if fuzz.wild.take().is_some() && !fuzz.model.adopt(&mut fuzz.device, &mut fuzz.surroundings)
        {
            break;
        }
        fuzz.model.check(&mut fuzz.device, &mut fuzz.surroundings);
    }
});

struct Fuzz {
    device: Device,
    surroundings: Surroundings,
    model: Model,
    /// The next command, or the last one, is changed: place and value.
    wild: Option<(u16, u8)>,
}

impl Fuzz {
    fn step(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        self.surroundings.clock.0 += u64::from(input.arbitrary::<u8>()?);
        self.wild = input.ratio(1, 16)?.then(|| input.arbitrary()).transpose()?;
        match input.int_in_range(0..=19)? {
            0 | 1 => self.create_primary(input)?,
            2 => self.create_and_load(input)?,
            3 => self.load_external(input)?,
            4 => self.start_sequence(input)?,
            5 => self.go_on_with_sequence(input)?,
            6 => self.end_sequence(input)?,
            7 | 8 => self.start_session(input)?,
            9 => self.add_to_policy(input)?,
            10 | 11 => self.save(input)?,
            12 | 13 => self.load(input)?,
            14 => self.flush(input)?,
            15 => self.evict(input)?,
            16 => self.define(input)?,
            17 => self.use_index(input)?,
            18 => self.use_object(input)?,
            _ => self.disturb(input)?,
        }
        Ok(())
    }

    /// Sends a command and gives what follows the response's code, if that is
    /// success.
    fn send(&mut self, command: &[u8]) -> Option<Vec<u8>> {
        let mut command = command.to_vec();
        if let Some((place, value)) = self.wild {
            let place = usize::from(place) % command.len();
            command[place] ^= value;
        }
        let response = execute(&mut self.device, &mut self.surroundings, 0, &command);
        (response[6..10] == [0; 4]).then(|| response[10..].to_vec())
    }

    /// A command without sessions.
    fn call(&mut self, code: u32, body: &[u8]) -> Option<Vec<u8>> {
        self.send(&command(0x8001, code, body))
    }

    /// A command whose handles, but for the last `bare`, have empty passwords.
    fn with_passwords(
        &mut self,
        code: u32,
        handles: &[u32],
        bare: usize,
        parameters: &[u8],
    ) -> Option<Vec<u8>> {
        let mut body: Vec<u8> = handles.iter().flat_map(|handle| handle.to_be_bytes()).collect();
        let passwords = handles.len() - bare;
        body.extend((9 * passwords as u32).to_be_bytes());
        body.extend([0x40, 0, 0, 9, 0, 0, 0, 0, 0].repeat(passwords));
        body.extend_from_slice(parameters);
        self.send(&command(0x8002, code, &body))
    }

    /// Whether the model knows what the last command did.
    const fn is_tame(&self) -> bool {
        self.wild.is_none()
    }

    fn create_primary(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let hierarchy = *input.choose(&[OWNER, NULL, ENDORSEMENT, PLATFORM])?;
        let template = input.choose(&TEMPLATES)?;
        let fits = self.model.transient.len() < 3;
        let made = self.with_passwords(0x131, &[hierarchy], 0, &creation(template));
        if self.is_tame() {
            assert_eq!(made.is_some(), fits, "creation depends on room alone");
            if let Some(answer) = made {
                self.model.add(number(&answer), Transient::Object { hierarchy });
            }
        }
        Ok(())
    }

    fn create_and_load(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let parent = self.transient(input)?;
        let template = input.choose(&TEMPLATES)?;
        let wild = self.wild.take();
        let Some(answer) = self.with_passwords(0x153, &[parent], 0, &creation(template)) else {
            return Ok(());
        };
        self.wild = wild;
        // Behind the size of the parameters: private and public area.
        let sized = |from: usize| {
            from + 2 + usize::from(u16::from_be_bytes([answer[from], answer[from + 1]]))
        };
        let end = sized(sized(4));
        if let Some(answer) = self.with_passwords(0x157, &[parent], 0, &answer[4..end])
            && self.is_tame()
        {
            let what = self.model.transient[&parent];
            self.model.add(number(&answer), what);
        }
        Ok(())
    }

    /// The public part of a point that is the base of P-256.
    fn load_external(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let hierarchy = *input.choose(&[OWNER, NULL])?;
        // An HMAC key of which only the public part is known.
        let mut public = TEMPLATES[2].to_vec();
        public[5..8].copy_from_slice(&[4, 4, 0x40]);
        public.truncate(public.len() - 2);
        public.extend([0, 32]);
        public.extend([input.arbitrary::<u8>()?; 32]);
        let body = [&[0, 0][..], &sized(&public), &hierarchy.to_be_bytes()].concat();
        if let Some(answer) = self.call(0x167, &body)
            && self.is_tame()
        {
            self.model.add(number(&answer), Transient::Object { hierarchy });
        }
        Ok(())
    }

    fn start_sequence(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        // SHA-1, SHA-256, SHA3-256; an event; none.
        let hash: u16 = *input.choose(&[4, 0x0B, 0x27, 0x10, 0x13])?;
        let fits = self.model.transient.len() < 3 && hash != 0x13;
        let started = self.call(0x186, &[&[0, 0][..], &hash.to_be_bytes()].concat());
        if self.is_tame() {
            assert_eq!(started.is_some(), fits, "a sequence depends on room and hash");
            if let Some(answer) = started {
                self.model.add(number(&answer), Transient::Sequence);
            }
        }
        Ok(())
    }

    fn go_on_with_sequence(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let handle = self.transient(input)?;
        let data = vec![input.arbitrary()?; usize::from(input.arbitrary::<u8>()?)];
        let taken = self.with_passwords(0x15C, &[handle], 0, &sized(&data));
        if self.is_tame() {
            let is_sequence = self.model.transient.get(&handle) == Some(&Transient::Sequence);
            assert_eq!(taken.is_some(), is_sequence, "sequences take data");
        }
        Ok(())
    }

    fn end_sequence(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let handle = self.transient(input)?;
        let ended = if input.arbitrary()? {
            self.with_passwords(0x185, &[16, handle], 0, &sized(b"end"))
        } else {
            let last = [&sized(b"end")[..], &NULL.to_be_bytes()].concat();
            self.with_passwords(0x13E, &[handle], 0, &last)
        };
        if ended.is_some() && self.is_tame() {
            let what = self.model.transient.remove(&handle);
            assert_eq!(what, Some(Transient::Sequence), "only sequences end");
        }
        Ok(())
    }

    fn start_session(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let kind: u8 = *input.choose(&[0, 1, 3])?;
        let bind = *input.choose(&[NULL, OWNER, LOCKOUT])?;
        let nulls = [&NULL.to_be_bytes()[..], &bind.to_be_bytes()].concat();
        let rest = [&[0, 0, kind, 0, 0x10, 0, 0x0B][..]].concat();
        let fits = self.model.loaded_sessions.len() < 3;
        let started = self.call(0x176, &[&nulls[..], &sized(&[7; 16]), &rest].concat());
        if self.is_tame() {
            assert_eq!(started.is_some(), fits, "a session depends on room alone");
            if let Some(answer) = started {
                self.model.add_session(number(&answer));
            }
        }
        Ok(())
    }

    fn add_to_policy(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let session = self.session(input)?;
        let handle = session.to_be_bytes();
        let pcrs: &[u8] = &[0, 0, 0, 0, 0, 1, 0, 0x0B, 3, 0, 0, 1];
        let (code, parameters): (u32, &[u8]) = *input.choose(&[
            (0x16B, &[][..]),
            (0x16C, &[0, 0, 1, 0x5E]),
            (0x16F, &[1]),
            (0x17F, pcrs),
            (0x180, &[]),
            (0x187, &[]),
            (0x189, &[]),
            (0x18C, &[]),
            (0x18F, &[1]),
        ])?;
        let done = self.call(code, &[&handle[..], parameters].concat());
        if self.is_tame() && done.is_some() {
            assert!(self.model.loaded_sessions.contains(&session), "only what is loaded");
            assert_eq!(session >> 24, 3, "only policies");
        }
        Ok(())
    }

    fn save(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (handle, what) = if input.arbitrary()? {
            let handle = self.transient(input)?;
            (handle, self.model.transient.get(&handle).copied().map(Entity::Transient))
        } else {
            let handle = self.session(input)?;
            let loaded = self.model.loaded_sessions.contains(&handle);
            (handle, loaded.then_some(Entity::Session(handle)))
        };
        let saved = self.call(0x162, &handle.to_be_bytes());
        if self.is_tame() {
            assert_eq!(saved.is_some(), what.is_some(), "what is loaded can be saved");
            if let (Some(bytes), Some(what)) = (saved, what) {
                if let Entity::Session(handle) = what {
                    self.model.loaded_sessions.remove(&handle);
                    self.model.saved_sessions.insert(handle);
                }
                self.model.contexts.truncate(MOST_CONTEXTS - 1);
                self.model.contexts.insert(0, Saved { bytes, what });
            }
        }
        Ok(())
    }

    fn load(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        if self.model.contexts.is_empty() {
            return Ok(());
        }
        let Saved { bytes, what } = input.choose(&self.model.contexts)?.clone();
        let loaded = self.call(0x161, &bytes);
        if let (Some(answer), true) = (loaded, self.is_tame()) {
            let handle = number(&answer);
            match what {
                Entity::Transient(what) => self.model.add(handle, what),
                Entity::Session(saved) => {
                    assert_eq!(saved, handle, "a session keeps its handle");
                    assert!(self.model.saved_sessions.remove(&handle), "a context counts once");
                    self.model.add_session(handle);
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let session = input.arbitrary()?;
        let handle = if session { self.session(input)? } else { self.transient(input)? };
        let flushed = self.call(0x165, &handle.to_be_bytes()).is_some();
        if self.is_tame() {
            // Whatever kind the handle says, a session's number names it.
            let same = |other: &u32| session && other & 0x00FF_FFFF == handle & 0x00FF_FFFF;
            let model = &mut self.model;
            let known = model.transient.remove(&handle).is_some()
                || model.loaded_sessions.iter().any(same)
                || model.saved_sessions.iter().any(same);
            assert_eq!(flushed, known, "what there is can be flushed");
            model.loaded_sessions.retain(|other| !same(other));
            model.saved_sessions.retain(|other| !same(other));
        }
        Ok(())
    }

    fn evict(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let by = *input.choose(&[OWNER, PLATFORM])?;
        let base = if by == OWNER { 0x8100_0000 } else { 0x8180_0000 };
        let persistent = base + u32::from(input.int_in_range(0..=3_u8)?);
        let handle = if input.arbitrary()? { persistent } else { self.transient(input)? };
        // The second handle has no authorization.
        let done = self.with_passwords(0x120, &[by, handle], 1, &persistent.to_be_bytes());
        if done.is_some() && self.is_tame() {
            if handle == persistent {
                assert!(self.model.persistent.remove(&handle).is_some(), "it was there");
            } else {
                let Some(Transient::Object { hierarchy }) = self.model.transient.get(&handle)
                else {
                    panic!("only objects are kept");
                };
                let before = self.model.persistent.insert(persistent, *hierarchy);
                assert_eq!(before, None, "nothing is replaced");
            }
        }
        Ok(())
    }

    fn define(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let index = self.index(input)?;
        let by = *input.choose(&[OWNER, PLATFORM])?;
        if input.ratio(1, 3)? {
            if self.with_passwords(0x122, &[by, index], 1, &[]).is_some() && self.is_tame() {
                let platform = self.model.indices.remove(&index);
                assert!(platform.is_some_and(|platform| !platform || by == PLATFORM));
            }
            return Ok(());
        }
        // TPM_NT, AUTHREAD and AUTHWRITE; NO_DA; ORDERLY, CLEAR_STCLEAR, WRITE_STCLEAR.
        let kind: u32 = *input.choose(&[0, 1, 2, 4])?;
        let more: u32 = *input.choose(&[0, 1 << 26, 1 << 27, 1 << 14])?;
        let platform = u32::from(by == PLATFORM) << 30;
        let attributes = (kind << 4) | 0x0204_0004 | 0x0004_0000 | more | platform;
        let size: u16 = if kind == 4 { 32 } else { 8 };
        let public = [
            &index.to_be_bytes()[..],
            &[0, 0x0B],
            &attributes.to_be_bytes(),
            &[0, 0],
            &size.to_be_bytes(),
        ];
        let parameters = [&[0, 0][..], &sized(&public.concat())].concat();
        if self.with_passwords(0x12A, &[by], 0, &parameters).is_some() && self.is_tame() {
            let before = self.model.indices.insert(index, by == PLATFORM);
            assert_eq!(before, None, "an index is defined once");
        }
        Ok(())
    }

    fn use_index(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let index = self.index(input)?;
        let (code, parameters): (u32, &[u8]) = *input.choose(&[
            (0x134, &[][..]),
            (0x135, &[0, 0, 0, 0, 0, 0, 0, 5]),
            (0x136, &[0, 3, 1, 2, 3]),
            (0x137, &[0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0]),
            (0x138, &[]),
            (0x14E, &[0, 8, 0, 0]),
            (0x14F, &[]),
        ])?;
        let done = self.with_passwords(code, &[index, index], 1, parameters);
        if done.is_some() && self.is_tame() {
            assert!(self.model.indices.contains_key(&index), "only what is defined");
        }
        Ok(())
    }

    fn use_object(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let handle = self.transient(input)?;
        let scheme: &[u8] = &[0, 0x10];
        let ticket = [0x80, 0x24, 0x40, 0, 0, 7, 0, 0];
        let sign = [&sized(&[7; 32])[..], scheme, &ticket].concat();
        let done = match input.int_in_range(0..=3)? {
            0 => self.with_passwords(0x15D, &[handle], 0, &sign),
            1 => self.with_passwords(0x155, &[handle], 0, &[&sized(b"mac")[..], scheme].concat()),
            2 => self.with_passwords(0x193, &[handle], 0, &{
                let vector = sized(&[7; 16]);
                [&sized(b"text")[..], &[0, 0, 0x10], &vector].concat()
            }),
            _ => self.call(0x173, &handle.to_be_bytes()),
        };
        if done.is_some() && self.is_tame() {
            let what = self.model.transient.get(&handle);
            assert!(matches!(what, Some(Transient::Object { .. })), "only objects are used");
        }
        Ok(())
    }

    /// The device is moved, is cleared, or loses its power in order or not.
    fn disturb(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        self.wild = None;
        match input.int_in_range(0..=5)? {
            0..=2 => {
                let kept = self.device.keep_volatile_state(&mut self.surroundings.platform());
                kept.expect("the store takes it");
                self.switch_on();
            }
            3 => {
                if self.with_passwords(0x126, &[LOCKOUT], 0, &[]).is_some() {
                    self.model.clear();
                }
            }
            kind => {
                let with_state = kind == 4;
                self.call(0x145, &[0, u8::from(with_state)]).expect("it shuts down");
                self.switch_on();
                self.send(&STARTUP).expect("it starts up");
                self.model.power_cycle(with_state);
            }
        }
        Ok(())
    }

    fn switch_on(&mut self) {
        let on = Device::power_on(&mut self.surroundings.platform());
        self.device = on.expect("a device can read what it wrote");
    }

    /// A handle of an object or sequence, most likely one that there is.
    fn transient(&self, input: &mut Unstructured<'_>) -> Result<u32> {
        Ok(0x8000_0000 + u32::from(input.int_in_range(0..=3_u8)?))
    }

    /// A handle of a session, most likely one that there is.
    fn session(&self, input: &mut Unstructured<'_>) -> Result<u32> {
        let model = &self.model;
        let all: Vec<u32> =
            model.loaded_sessions.iter().chain(&model.saved_sessions).copied().collect();
        if all.is_empty() || input.ratio(1, 8)? {
            return Ok(0x0200_0000 + u32::from(input.int_in_range(0..=3_u8)?));
        }
        input.choose(&all).copied()
    }

    fn index(&self, input: &mut Unstructured<'_>) -> Result<u32> {
        Ok(0x0150_0000 + u32::from(input.int_in_range(0..=3_u8)?))
    }
}

fn command(tag: u16, code: u32, body: &[u8]) -> Vec<u8> {
    let size = 10 + body.len() as u32;
    [&tag.to_be_bytes()[..], &size.to_be_bytes(), &code.to_be_bytes(), body].concat()
}

/// A TPM2B.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

/// The parameters of both commands that create: nothing given, no PCRs.
fn creation(template: &[u8]) -> Vec<u8> {
    [&sized(&[0; 4])[..], &sized(template), &[0; 6]].concat()
}

/// The handle at the front of an answer.
fn number(answer: &[u8]) -> u32 {
    u32::from_be_bytes(answer[..4].try_into().expect("an answer with a handle"))
}
