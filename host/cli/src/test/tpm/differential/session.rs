//! Steps with HMAC sessions: bound or not, salted or not, with encrypted
//! parameters, with audit.
//!
//! Each side has nonces of its own, so each gets a command of its own. What is
//! compared is what a client sees: the response after its HMAC was checked and
//! its first parameter decrypted.

use std::rc::Rc;

use svsm_tpm::message::{Command, Response, sized};
use tpm_crypto::derivation::kdfa;
use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::hash::HashAlgorithm;
use tpm_crypto::portable::Portable;
use tpm_crypto::rsa::{RsaPublicKey, oaep};

use super::client::{AUDIT, Base, CONTINUE, Call, Concealment, DECRYPT, ENCRYPT, Session};
use super::compare::Compare;
use super::dice::Dice;
use super::known_keys;
use super::model::{ENDORSEMENT, Model, NULL, OWNER};
use super::platform::HASHES;
use super::step::Step;

/// The salt of all sessions that have one.
const SALT: [u8; 32] = [4; 32];

/// The next step.
pub(super) fn step(model: &Model, dice: &mut Dice) -> Step {
    let Some(session) = pick(model, dice) else { return start(model, dice) };
    match dice.below(12) {
        0 => start(model, dice),
        1 => {
            let handle = session.handle;
            let flush = Command::new(0x165).parameters(&handle.to_be_bytes());
            Step::new(&flush, Compare::Exact).learn(move |model, _| forget(model, handle))
        }
        2 => {
            // What is stated has times in it.
            let audit = Command::new(0x14D).authorized(ENDORSEMENT, b"").authorized(NULL, b"");
            let audit = audit.handle(session.handle);
            Step::new(&audit.parameters(&sized(b"nonce")).parameters(&[0, 0x10]), Compare::Code)
        }
        _ => in_session(model, session, dice),
    }
}

fn pick<'a>(model: &'a Model, dice: &mut Dice) -> Option<&'a Session> {
    let count = model.hmac_sessions.len();
    (count > 0).then(|| &model.hmac_sessions[dice.below(count)])
}

fn forget(model: &mut Model, handle: u32) {
    model.hmac_sessions.retain(|session| session.handle != handle);
}

fn start(model: &Model, dice: &mut Dice) -> Step {
    let salted = !model.salt_keys.is_empty() && dice.once_in(3);
    let key = if salted { model.salt_keys[dice.below(model.salt_keys.len())] } else { NULL };
    let salt = if salted { encrypted_salt() } else { Vec::new() };
    let bind = dice.pick(&[NULL, NULL, OWNER]);
    let concealment = dice.pick(&[Concealment::None, Concealment::Aes, Concealment::Mask]);
    let (number, hash) = dice.pick(&[
        (0x000B_u16, HashAlgorithm::Sha256),
        (0x000B, HashAlgorithm::Sha256),
        (0x0004, HashAlgorithm::Sha1),
        (0x000C, HashAlgorithm::Sha384),
    ]);
    let nonce = dice.exactly(16);
    let parameters = [
        sized(&nonce),
        sized(&salt),
        vec![0],
        concealment.definition(),
        number.to_be_bytes().to_vec(),
    ];
    let command = Command::new(0x176).handle(key).handle(bind).parameters(&parameters.concat());
    let password = model.owner_password.clone();
    Step::new(&command, Compare::Handle).learn(move |model, responses| {
        let Some(handle) = Response::parse(responses[0]).and_then(|one| one.handle()) else {
            return;
        };
        let bound = (bind != NULL).then_some((bind, password));
        let value = bound.as_ref().map(|(_, value)| value.as_slice()).unwrap_or_default();
        let value = if salted { [value, &SALT].concat() } else { value.to_vec() };
        let sides = responses.map(|response| {
            // Header, handle, size.
            let nonce_tpm = response.get(16..).unwrap_or_default().to_vec();
            let bits = u32::try_from(hash.digest_size() * 8).expect("a digest is short");
            let key = if bound.is_none() && !salted {
                Vec::new()
            } else {
                kdfa(hash, &value, b"ATH", &nonce_tpm, &nonce, bits).as_bytes().to_vec()
            };
            (key, nonce_tpm)
        });
        model.hmac_sessions.push(Session { handle, hash, concealment, bound, sides });
    })
}

/// The salt for the known RSA key.
fn encrypted_salt() -> Vec<u8> {
    let key = RsaPublicKey::new(&known_keys::MODULUS, 65537).expect("it is a key");
    let mut stream = HmacDrbg::new(HashAlgorithm::Sha256, &[b"salt"]);
    oaep::encrypt(&Portable, &key, HashAlgorithm::Sha256, b"SECRET\0", &SALT, &mut stream)
        .expect("it fits")
}

fn base(dice: &mut Dice) -> Base {
    let none = |code, parameters, possible, compare| Base {
        code,
        entity: None,
        parameters,
        possible,
        compare,
        new_password: None,
    };
    match dice.below(7) {
        0 => none(0x17B, vec![0, 16], ENCRYPT | AUDIT, Compare::Length),
        1 => {
            let hash = dice.pick(&HASHES).to_be_bytes();
            let parameters =
                [sized(&dice.bytes(300)), hash.to_vec(), NULL.to_be_bytes().to_vec()].concat();
            none(0x17D, parameters, DECRYPT | ENCRYPT | AUDIT, Compare::First)
        }
        2 => none(0x146, sized(&dice.bytes(100)), DECRYPT | AUDIT, Compare::Exact),
        3 => {
            let password = dice.pick(&[&b""[..], b"owner", b"a longer one than a block"]);
            Base {
                entity: Some(OWNER),
                new_password: Some(password.to_vec()),
                ..none(0x129, sized(password), DECRYPT | AUDIT, Compare::Exact)
            }
        }
        4 => {
            let digest = [vec![0, 0, 0, 1, 0, 0x0B], dice.exactly(32)].concat();
            let pcr = dice.pick(&[16, 23, 5, 17]);
            Base { entity: Some(pcr), ..none(0x182, digest, AUDIT, Compare::Exact) }
        }
        5 => {
            let event = sized(&dice.bytes(60));
            Base { entity: Some(16), ..none(0x13C, event, DECRYPT | AUDIT, Compare::Exact) }
        }
        _ => {
            let size = dice.pick(&[0, 32]);
            let hash: u16 = if size == 0 { 0x0010 } else { 0x000B };
            let policy = [sized(&dice.exactly(size)), hash.to_be_bytes().to_vec()].concat();
            Base { entity: Some(OWNER), ..none(0x12E, policy, DECRYPT | AUDIT, Compare::Exact) }
        }
    }
}

fn in_session(model: &Model, session: &Session, dice: &mut Dice) -> Step {
    let base = base(dice);
    let mut attributes = dice.pick(&[CONTINUE, CONTINUE, CONTINUE, 0]);
    for attribute in [DECRYPT, ENCRYPT, AUDIT] {
        let possible = base.possible & attribute != 0
            && (attribute == AUDIT || session.concealment != Concealment::None);
        if dice.once_in(if possible { 2 } else { 30 }) {
            attributes |= attribute;
        }
    }
    let mut password = Vec::new();
    if base.entity == Some(OWNER) {
        password.clone_from(&model.owner_password);
    }
    let call = Call {
        session: session.clone(),
        nonce: dice.exactly(16),
        attributes,
        password,
        forged: dice.once_in(12),
        base,
    };
    let commands = [0, 1].map(|side| call.command(side));
    let compare = call.base.compare;
    let learned = Rc::new(call);
    let opened = Rc::clone(&learned);
    Step::pair(&commands, compare)
        .open(move |side, response| opened.open(side, response).map(|(plain, _)| plain))
        .learn(move |model, responses| {
            if let Some(password) = &learned.base.new_password {
                model.owner_password.clone_from(password);
            }
            let handle = learned.session.handle;
            if learned.attributes & CONTINUE == 0 {
                return forget(model, handle);
            }
            let known = model.hmac_sessions.iter_mut().find(|session| session.handle == handle);
            let Some(session) = known else { return };
            if learned.attributes & AUDIT != 0 {
                session.bound = None;
            }
            for (side, response) in responses.into_iter().enumerate() {
                if let Some((_, nonce)) = learned.open(side, response) {
                    session.sides[side].1 = nonce;
                }
            }
        })
}
