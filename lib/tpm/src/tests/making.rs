//! What manufacturers and vendors do.

use alloc::vec::Vec;

use tpm_crypto::portable::Portable;

use super::objects::creation;
use super::rig::{Counting, Manual, Memory, Rig, command, sized};
use crate::platform::{PhysicalPresence, Platform};
use crate::{
    Device, ENDORSEMENT_TEMPLATES, EndorsementKey, ProvisionError, ResponseCode, VendorCommands,
};

/// A device with this endorsement seed.
fn with_seed(seed: u8) -> Rig {
    let (mut entropy, clock, mut store) =
        (Counting::default(), Manual::default(), Memory::default());
    let mut platform = Platform {
        entropy: &mut entropy,
        clock: &clock,
        store: &mut store,
        provider: &Portable,
        presence: PhysicalPresence::Absent,
    };
    Device::manufacture_with_seed(&mut platform, &[seed; 64]).expect("an empty store");
    let device = Device::power_on(&mut platform).expect("it was just made");
    Rig {
        device,
        entropy,
        clock,
        store,
        presence: PhysicalPresence::Absent,
        locality: 0,
        moving: false,
    }
}

fn lent(rig: &mut Rig) -> (&mut Device, Platform<'_>) {
    let platform = Platform {
        entropy: &mut rig.entropy,
        clock: &rig.clock,
        store: &mut rig.store,
        provider: &Portable,
        presence: rig.presence,
    };
    (&mut rig.device, platform)
}

#[test]
fn the_first_clock_of_a_device_with_certificates_is_safe() {
    let mut rig = with_seed(1);
    let (device, mut platform) = lent(&mut rig);
    device.provision(&mut platform, 0x01C0_0002, b"a certificate").expect("stored");
    rig.power_cycle();
    // Refused before the start, and nothing is told.
    assert_eq!(rig.call(0x181, &[]), Err(ResponseCode::INITIALIZE));
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("started");
    assert_eq!(rig.call(0x181, &[]).expect("clock")[24], 1, "safe");
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("started");
    assert_eq!(rig.call(0x181, &[]).expect("clock")[24], 0, "a higher one may have been told");
}

#[test]
fn the_same_seed_gives_the_same_endorsement_keys() {
    let keys = |seed: u8| -> Vec<EndorsementKey> {
        let mut rig = with_seed(seed);
        let (device, mut platform) = lent(&mut rig);
        [1, 3, 4]
            .map(|number| &ENDORSEMENT_TEMPLATES[number])
            .map(|template| device.endorsement_key(&mut platform, template).expect("a key"))
            .to_vec()
    };
    assert_eq!(keys(1), keys(1));
    assert_ne!(keys(1), keys(2));
}

#[test]
fn the_key_that_gets_a_certificate_is_the_one_that_owners_make() {
    let mut rig = with_seed(7);
    let template = &ENDORSEMENT_TEMPLATES[1];
    assert_eq!(template.name, "L-2");
    let (device, mut platform) = lent(&mut rig);
    let key = device.endorsement_key(&mut platform, template).expect("a key");
    rig.call(0x144, &[0, 0]).expect("startup");
    let parameters = creation(b"", b"", &template.to_bytes());
    let made = rig.with_passwords(0x131, &[0x4000_000B], &[b""], &parameters).expect("primary");
    let EndorsementKey::Ecc { x, y, .. } = key else { panic!("a curve was asked for") };
    let point = [sized(&x), sized(&y)].concat();
    assert!(made.windows(point.len()).any(|window| window == point));
    let permanent = rig.call(0x17A, &[0, 0, 0, 6, 0, 0, 2, 0, 0, 0, 0, 1]).expect("property");
    assert_eq!(permanent[permanent.len() - 2] & 4, 0, "the seed is not the device's own");
}

#[test]
fn what_is_provisioned_can_be_read_by_all_and_outlasts_a_clear() {
    let mut rig = with_seed(7);
    let index = ENDORSEMENT_TEMPLATES[0].certificate_index;
    let (device, mut platform) = lent(&mut rig);
    device.provision(&mut platform, index, b"old").expect("stored");
    device.provision(&mut platform, index, b"a certificate").expect("replaced");
    assert_eq!(
        device.provision(&mut platform, 0x8100_0001, b""),
        Err(ProvisionError::NoIndex { found: 0x8100_0001 })
    );
    assert_eq!(
        device.provision(&mut platform, index, &[0; 4096]),
        Err(ProvisionError::TooLarge { found: 4096 })
    );
    let full = (0..40)
        .find_map(|number| device.provision(&mut platform, 0x0100_0000 + number, &[0; 2048]).err());
    assert_eq!(full, Some(ProvisionError::Full));
    rig.power_cycle();
    rig.call(0x144, &[0, 0]).expect("startup");
    rig.with_passwords(0x126, &[0x4000_000A], &[b""], &[]).expect("clear");
    let read = rig.with_passwords(0x14E, &[index, index], &[b""], &[0, 13, 0, 0]);
    assert_eq!(read, Ok(sized(b"a certificate")));
    let write = rig.with_passwords(0x137, &[index, index], &[b""], &[0, 1, 0, 0, 0]);
    assert!(write.is_err(), "not without the platform");
}

/// Gives back what it gets.
struct Echo;

impl VendorCommands for Echo {
    fn execute(&mut self, code: u32, parameters: &[u8]) -> Result<Vec<u8>, ResponseCode> {
        match code {
            0x2000_0000 => Ok(parameters.to_vec()),
            0x2000_0001 => Ok(alloc::vec![0; 5000]),
            _ => Err(ResponseCode::COMMAND_CODE),
        }
    }
}

#[test]
fn vendors_answer_their_own_commands() {
    let mut rig = Rig::powered();
    let mut ask = |code: u32| {
        let (device, mut platform) = lent(&mut rig);
        let bytes = command(0x8001, code, &sized(b"hello"));
        device.execute_with(&mut platform, 0, &bytes, &mut Echo)
    };
    let code = |response: &[u8]| {
        ResponseCode(u32::from_be_bytes(response[6..10].try_into().expect("a code")))
    };
    assert_eq!(code(&ask(0x2000_0000)), ResponseCode::INITIALIZE);
    rig.call(0x144, &[0, 0]).expect("startup");
    let mut ask = |code: u32| {
        let (device, mut platform) = lent(&mut rig);
        let bytes = command(0x8001, code, &sized(b"hello"));
        device.execute_with(&mut platform, 0, &bytes, &mut Echo)
    };
    assert_eq!(ask(0x2000_0000)[10..], sized(b"hello"));
    assert_eq!(code(&ask(0x2000_0001)), ResponseCode::SIZE, "more than a response holds");
    assert_eq!(code(&ask(0x2000_0002)), ResponseCode::COMMAND_CODE);
    assert_eq!(code(&ask(0x0000_0FFF)), ResponseCode::COMMAND_CODE, "not the vendor's");
    assert_eq!(rig.call(0x2000_0000, b""), Err(ResponseCode::COMMAND_CODE));
}
