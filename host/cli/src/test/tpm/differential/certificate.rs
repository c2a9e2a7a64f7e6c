//! Steps in which a certificate is completed and signed.

use svsm_tpm::message::{Command, sized};

use super::compare::Compare;
use super::dice::Dice;
use super::model::{Model, PASSWORD};
use super::step::Step;

/// TPM2_CertifyX509, of keys that are there.
pub(super) fn step(model: &Model, dice: &mut Dice) -> Step {
    let (key, signer) = (model.object(dice), model.object(dice));
    let scheme = dice.pick(&[
        &[0, 0x10][..],
        &[0, 0x14, 0, 0x0B],
        &[0, 0x14, 0, 0x0C],
        &[0, 0x16, 0, 0x0B],
        &[0, 0x18, 0, 0x0B],
        &[0, 0x18, 0, 0x0C],
    ]);
    let partial = partial(dice);
    let reserved: &[u8] = if dice.once_in(20) { b"reserved" } else { b"" };
    let command = Command::new(0x197).authorized(key, PASSWORD).authorized(signer, PASSWORD);
    let parameters = [sized(reserved), scheme.to_vec(), sized(&partial)].concat();
    // What is added is determined by the keys, most signatures are not.
    let shared = model.shared.contains(&key) && model.shared.contains(&signer);
    let compare = if shared { Compare::First } else { Compare::Code };
    Step::new(&command.parameters(&parameters), compare)
}

/// An element of DER that is not long.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u8::try_from(content.len()).expect("parts are short");
    let length: &[u8] = if length < 0x80 { &[length] } else { &[0x81, length] };
    [&[tag], length, &content].concat()
}

/// A certificate without what the device adds, now and then with something
/// missing or too much.
fn partial(dice: &mut Dice) -> Vec<u8> {
    let field = |dice: &mut Dice| element(0x30, &[&dice.bytes(20)]);
    let mut fields = Vec::new();
    let count = if dice.once_in(8) { dice.pick(&[0, 1, 2, 5]) } else { dice.pick(&[3, 3, 4]) };
    for _ in 0..count {
        fields.extend(field(dice));
    }
    let mut extensions = Vec::new();
    if dice.once_in(4) {
        // Attributes, mostly those of external keys.
        let attributes = dice.pick(&[0x0006_0040_u32, 0x0004_0040, 0x0003_0072]).to_be_bytes();
        let name = [0x06, 7, 0x67, 0x81, 0x05, 0x0A, 1, 1, 1];
        let value = element(0x04, &[&element(0x03, &[&[0], &attributes])]);
        extensions.extend(element(0x30, &[&name, &value]));
    }
    if dice.once_in(4) {
        // basicConstraints, which nobody looks at.
        extensions.extend(element(0x30, &[&[0x06, 3, 0x55, 0x1D, 0x13], &[4, 2, 0x30, 0]]));
    }
    if !dice.once_in(10) {
        // Not key agreement and key encipherment, about which revisions differ.
        let usage = dice.pick(&[
            &[7, 0x80][..],
            &[7, 0x80],
            &[6, 0x40],
            &[4, 0x10],
            &[1, 0x86],
            &[7, 0x00, 0x80],
            &[6, 0x80, 0x40],
        ]);
        let critical: &[u8] = if dice.once_in(2) { &[1, 1, 0xFF] } else { &[] };
        let value = element(0x04, &[&element(0x03, &[usage])]);
        extensions.extend(element(0x30, &[&[0x06, 3, 0x55, 0x1D, 0x0F], critical, &value]));
    }
    if !dice.once_in(10) {
        fields.extend(element(0xA3, &[&element(0x30, &[&extensions])]));
    }
    if dice.once_in(20) {
        fields.extend(dice.bytes(4));
    }
    // Up to 255 bytes have a length that `element` knows.
    fields.truncate(255);
    element(0x30, &[&fields])
}
