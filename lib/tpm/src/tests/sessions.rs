//! HMAC sessions: from the client's side.

use alloc::vec::Vec;

use tpm_crypto::cipher::{Cipher, CipherAlgorithm, CipherMode};
use tpm_crypto::derivation::{kdfa, xor_obfuscation};
use tpm_crypto::hash::HashAlgorithm;
use tpm_crypto::hmac::Hmac;

use super::rig::{Rig, sized};
use crate::ResponseCode;

const SHA256: HashAlgorithm = HashAlgorithm::Sha256;
const OWNER: u32 = 0x4000_0001;
const NULL: u32 = 0x4000_0007;
const CHANGE_AUTH: u32 = 0x129;
const NONCE: [u8; 16] = [9; 16];

/// A client's end of a session.
struct Client {
    handle: u32,
    key: Vec<u8>,
    nonce_tpm: Vec<u8>,
}

fn start(rig: &mut Rig, bind: u32, value: &[u8], symmetric: &[u8]) -> Client {
    let body = [
        &NULL.to_be_bytes()[..],
        &bind.to_be_bytes(),
        &sized(&NONCE),
        &sized(&[]),
        &[0],
        symmetric,
        &[0, 0x0B],
    ]
    .concat();
    let answer = rig.call(0x176, &body).expect("session");
    let nonce_tpm = answer[6..].to_vec();
    let key = if bind == NULL {
        Vec::new()
    } else {
        kdfa(SHA256, value, b"ATH", &nonce_tpm, &NONCE, 256).as_bytes().to_vec()
    };
    Client { handle: u32::from_be_bytes(answer[..4].try_into().expect("a handle")), key, nonce_tpm }
}

impl Client {
    /// The area that authorizes a command on permanent handles.
    fn area(
        &self,
        code: u32,
        handles: &[u32],
        value: &[u8],
        attributes: u8,
        parameters: &[u8],
    ) -> Vec<u8> {
        let names: Vec<u8> = handles.iter().flat_map(|handle| handle.to_be_bytes()).collect();
        let command = SHA256.digest(&[&code.to_be_bytes(), &names, parameters]);
        let mut key = self.key.clone();
        key.extend_from_slice(value);
        let proof =
            Hmac::mac(SHA256, &key, &[command.as_bytes(), &NONCE, &self.nonce_tpm, &[attributes]]);
        [&self.handle.to_be_bytes()[..], &sized(&NONCE), &[attributes], &sized(proof.as_bytes())]
            .concat()
    }

    /// Checks a response's area and takes the new nonce.
    fn accept(&mut self, code: u32, value: &[u8], parameters: &[u8], area: &[u8]) {
        let nonce = area[2..18].to_vec();
        let attributes = area[18];
        let response = SHA256.digest(&[&[0; 4], &code.to_be_bytes(), parameters]);
        let mut key = self.key.clone();
        key.extend_from_slice(value);
        let proof = Hmac::mac(SHA256, &key, &[response.as_bytes(), &nonce, &NONCE, &[attributes]]);
        assert_eq!(area[19..], sized(proof.as_bytes()));
        self.nonce_tpm = nonce;
    }
}

const PLAIN: [u8; 2] = [0, 0x10];

#[test]
fn a_session_authorizes_and_the_response_is_proved() {
    let mut rig = Rig::started();
    let mut client = start(&mut rig, NULL, b"", &PLAIN);
    let parameters = sized(b"first");
    let area = client.area(CHANGE_AUTH, &[OWNER], b"", 1, &parameters);
    let (body, answer) =
        rig.with_area(CHANGE_AUTH, &[OWNER], &area, &parameters).expect("authorized");
    // The response is proved with the value that the command set.
    client.accept(CHANGE_AUTH, b"first", &body, &answer);

    let parameters = sized(b"second");
    let wrong = client.area(CHANGE_AUTH, &[OWNER], b"", 1, &parameters);
    assert_eq!(
        rig.with_area(CHANGE_AUTH, &[OWNER], &wrong, &parameters),
        Err(ResponseCode::BAD_AUTH.session(1))
    );
    let right = client.area(CHANGE_AUTH, &[OWNER], b"first", 0, &parameters);
    rig.with_area(CHANGE_AUTH, &[OWNER], &right, &parameters).expect("authorized");
    // It did not ask to continue.
    assert_eq!(
        rig.with_area(CHANGE_AUTH, &[OWNER], &right, &parameters),
        Err(ResponseCode::reference_session(1))
    );
}

#[test]
fn an_answer_is_not_taken_twice() {
    let mut rig = Rig::started();
    let client = start(&mut rig, NULL, b"", &PLAIN);
    let parameters = sized(b"");
    let area = client.area(CHANGE_AUTH, &[OWNER], b"x", 1, &parameters);
    rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(b"x")).expect("change");
    rig.with_area(CHANGE_AUTH, &[OWNER], &area, &parameters).expect("once");
    rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(b"x")).expect("change");
    assert_eq!(
        rig.with_area(CHANGE_AUTH, &[OWNER], &area, &parameters),
        Err(ResponseCode::BAD_AUTH.session(1)),
        "the device's nonce is another one"
    );
}

#[test]
fn a_bound_session_needs_no_value_for_its_entity() {
    let mut rig = Rig::started();
    rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(b"pw")).expect("change");
    let mut client = start(&mut rig, OWNER, b"pw", &PLAIN);
    let clock = 5_u64.to_be_bytes();
    let area = client.area(0x128, &[OWNER], b"", 1, &clock);
    let (body, answer) = rig.with_area(0x128, &[OWNER], &area, &clock).expect("bound");
    client.accept(0x128, b"", &body, &answer);
    // Another entity's value is needed as ever.
    rig.with_passwords(CHANGE_AUTH, &[0x4000_000C], &[b""], &sized(b"other")).expect("change");
    let wrong = client.area(0x128, &[0x4000_000C], b"", 1, &clock);
    assert_eq!(
        rig.with_area(0x128, &[0x4000_000C], &wrong, &clock),
        Err(ResponseCode::BAD_AUTH.session(1))
    );
    let right = client.area(0x128, &[0x4000_000C], b"other", 1, &clock);
    rig.with_area(0x128, &[0x4000_000C], &right, &clock).expect("authorized");
}

#[test]
fn a_session_that_audits_is_no_longer_bound() {
    let mut rig = Rig::started();
    rig.with_passwords(CHANGE_AUTH, &[OWNER], &[b""], &sized(b"pw")).expect("change");
    let mut client = start(&mut rig, OWNER, b"pw", &PLAIN);
    let clock = 5_u64.to_be_bytes();
    let area = client.area(0x128, &[OWNER], b"", 0x81, &clock);
    let (body, answer) = rig.with_area(0x128, &[OWNER], &area, &clock).expect("bound");
    client.accept(0x128, b"", &body, &answer);
    let bound = client.area(0x128, &[OWNER], b"", 1, &clock);
    assert_eq!(
        rig.with_area(0x128, &[OWNER], &bound, &clock),
        Err(ResponseCode::BAD_AUTH.session(1))
    );
    let area = client.area(0x128, &[OWNER], b"pw", 1, &clock);
    rig.with_area(0x128, &[OWNER], &area, &clock).expect("authorized");
}

#[test]
fn parameters_are_encrypted_with_aes_and_with_a_mask() {
    let aes = [0, 6, 0, 128, 0, 0x43];
    // The mask is made with the session's hash, not with this one.
    let mask = [0, 0x0A, 0, 0x0C];
    for symmetric in [&aes[..], &mask] {
        let mut rig = Rig::started();
        let mut client = start(&mut rig, OWNER, b"", symmetric);
        let conceal = |key: &[u8], newer: &[u8], older: &[u8], data: &mut [u8], encrypt: bool| {
            if symmetric == mask {
                xor_obfuscation(SHA256, key, newer, older, data).expect("short");
                return;
            }
            let material = kdfa(SHA256, key, b"CFB", newer, older, 256);
            let (key, vector) = material.as_bytes().split_at(16);
            let cipher = Cipher::new(CipherAlgorithm::Aes, key).expect("16 bytes");
            let mut chain = vector.try_into().expect("16 bytes");
            if encrypt {
                cipher.encrypt(CipherMode::Cfb, &mut chain, data).expect("any length");
            } else {
                cipher.decrypt(CipherMode::Cfb, &mut chain, data).expect("any length");
            }
        };
        let mut secret = *b"a new secret that is longer than one block";
        conceal(&client.key, &NONCE, &client.nonce_tpm, &mut secret, true);
        let parameters = sized(&secret);
        let area = client.area(CHANGE_AUTH, &[OWNER], b"", 0x21, &parameters);
        let (body, answer) =
            rig.with_area(CHANGE_AUTH, &[OWNER], &area, &parameters).expect("decrypted");
        // The value is no longer the one it was bound to.
        client.accept(CHANGE_AUTH, b"", &body, &answer);
        rig.with_passwords(
            0x128,
            &[OWNER],
            &[b"a new secret that is longer than one block"],
            &0_u64.to_be_bytes(),
        )
        .expect("this is what was set");

        // GetRandom with an encrypted answer: what is proved is what was sent.
        let parameters = [0, 32];
        let area = client.area(0x17B, &[], b"", 0x41, &parameters);
        let (body, answer) = rig.with_area(0x17B, &[], &area, &parameters).expect("random");
        client.accept(0x17B, b"", &body, &answer);
        assert_eq!(body.len(), 34);
    }
}

#[test]
fn attributes_that_do_not_fit_are_refused() {
    let mut rig = Rig::started();
    let client = start(&mut rig, NULL, b"", &PLAIN);
    let clock = 5_u64.to_be_bytes();
    let area = |attributes| client.area(0x128, &[OWNER], b"", attributes, &clock);
    assert_eq!(
        rig.with_area(0x128, &[OWNER], &area(0x21), &clock),
        Err(ResponseCode::ATTRIBUTES.session(1)),
        "the first parameter is no buffer"
    );
    let twice = [area(1), area(1)].concat();
    assert_eq!(
        rig.with_area(0x128, &[OWNER], &twice, &clock),
        Err(ResponseCode::HANDLE.session(2))
    );
    let parameters = [0, 8];
    let no_cipher = client.area(0x17B, &[], b"", 0x41, &parameters);
    assert_eq!(
        rig.with_area(0x17B, &[], &no_cipher, &parameters),
        Err(ResponseCode::SYMMETRIC.session(1))
    );
    let useless = client.area(0x17B, &[], b"", 0x01, &parameters);
    assert_eq!(
        rig.with_area(0x17B, &[], &useless, &parameters),
        Err(ResponseCode::ATTRIBUTES.session(1))
    );
}

#[test]
fn an_audit_session_is_exclusive_until_something_else_happens() {
    let mut rig = Rig::started();
    let mut client = start(&mut rig, NULL, b"", &PLAIN);
    let parameters = [0, 8];
    let mut audited = |rig: &mut Rig, attributes: u8| -> Result<u8, ResponseCode> {
        let area = client.area(0x17B, &[], b"", attributes, &parameters);
        let (body, answer) = rig.with_area(0x17B, &[], &area, &parameters)?;
        client.accept(0x17B, b"", &body, &answer);
        Ok(answer[18])
    };
    assert_eq!(audited(&mut rig, 0x81), Ok(0x83));
    assert_eq!(audited(&mut rig, 0x83), Ok(0x83));
    rig.call(0x17B, &[0, 8]).expect("random");
    assert_eq!(audited(&mut rig, 0x83), Err(ResponseCode::EXCLUSIVE));
    assert_eq!(audited(&mut rig, 0x81), Ok(0x81));
    assert_eq!(audited(&mut rig, 0x85), Ok(0x83), "started afresh");
}

#[test]
fn moving_contexts_does_not_end_exclusiveness() {
    let mut rig = Rig::started();
    let mut client = start(&mut rig, NULL, b"", &PLAIN);
    let other = start(&mut rig, NULL, b"", &PLAIN);
    let parameters = [0, 8];
    let mut audited = |rig: &mut Rig, attributes: u8| -> Result<u8, ResponseCode> {
        let area = client.area(0x17B, &[], b"", attributes, &parameters);
        let (body, answer) = rig.with_area(0x17B, &[], &area, &parameters)?;
        client.accept(0x17B, b"", &body, &answer);
        Ok(answer[18])
    };
    assert_eq!(audited(&mut rig, 0x81), Ok(0x83));
    let context = rig.call(0x162, &other.handle.to_be_bytes()).expect("save");
    rig.call(0x161, &context).expect("load");
    rig.call(0x165, &other.handle.to_be_bytes()).expect("flush");
    assert_eq!(audited(&mut rig, 0x83), Ok(0x83));
    rig.call(0x17A, &[0, 0, 0, 6, 0, 0, 1, 0, 0, 0, 0, 1]).expect("a capability");
    assert_eq!(audited(&mut rig, 0x83), Err(ResponseCode::EXCLUSIVE));
}

#[test]
fn what_is_audited_is_what_was_sent() {
    let mut rig = Rig::started();
    // Audit of TPM2_GetRandom by the device too, with SHA-256 for its hash.
    rig.with_passwords(0x140, &[OWNER], &[b""], &[0, 0x0B, 0, 0, 0, 0, 0, 0, 0, 0])
        .expect("another hash");
    let set = [0, 0x10, 0, 0, 0, 1, 0, 0, 1, 0x7B, 0, 0, 0, 0];
    rig.with_passwords(0x140, &[OWNER], &[b""], &set).expect("set");
    let mut client = start(&mut rig, OWNER, b"", &[0, 0x0A, 0, 0x0B]);
    let parameters = [0, 8];
    let area = client.area(0x17B, &[], b"", 0xC1, &parameters);
    let (body, answer) = rig.with_area(0x17B, &[], &area, &parameters).expect("random");
    client.accept(0x17B, b"", &body, &answer);
    let command = |code: u32, rest: &[&[u8]]| {
        SHA256.digest(&[&code.to_be_bytes(), &rest.concat()]).as_bytes().to_vec()
    };
    let response = |code: u32, rest: &[u8]| {
        SHA256.digest(&[&[0; 4], &code.to_be_bytes(), rest]).as_bytes().to_vec()
    };
    let random = [command(0x17B, &[&parameters]), response(0x17B, &body)].concat();
    let state = |rig: &mut Rig, code: u32, handles: &[u32]| {
        let null = [&sized(b"")[..], &PLAIN].concat();
        rig.with_passwords(code, handles, &[b"", b""], &null).expect("a statement")
    };
    const ENDORSEMENT: u32 = 0x4000_000B;
    let session = state(&mut rig, 0x14D, &[ENDORSEMENT, NULL, client.handle]);
    let audit = SHA256.digest(&[&[0; 32], &random]);
    assert!(session.ends_with(&[&sized(audit.as_bytes())[..], &PLAIN].concat()));
    // The device's digest began with the command that set the list; that with
    // the hash is not in it.
    let first = [command(0x140, &[&OWNER.to_be_bytes(), &set]), response(0x140, &[])].concat();
    let audit = SHA256.digest(&[&[0; 32], &first]);
    let audit = SHA256.digest(&[audit.as_bytes(), &random]);
    let device = state(&mut rig, 0x133, &[ENDORSEMENT, NULL]);
    let told = [&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0x0B][..], &sized(audit.as_bytes())].concat();
    assert!(device.windows(told.len()).any(|window| window == told));
}

#[test]
fn a_guess_at_whom_a_session_is_bound_to_counts() {
    let mut rig = Rig::started();
    // TPM2_NV_DefineSpace: AUTHWRITE, AUTHREAD, and no NO_DA.
    let index = 0x0100_0001_u32;
    let area = [&index.to_be_bytes()[..], &[0, 0x0B, 0, 4, 0, 4, 0, 0, 0, 8]].concat();
    rig.with_passwords(0x12A, &[OWNER], &[b""], &[sized(b"secret"), sized(&area)].concat())
        .expect("define");
    let clock = 5_u64.to_be_bytes();
    let client = start(&mut rig, index, b"guess", &PLAIN);
    // The owner's value is known; the HMAC shows whether the guess was right.
    let area = client.area(0x128, &[OWNER], b"", 1, &clock);
    assert_eq!(
        rig.with_area(0x128, &[OWNER], &area, &clock),
        Err(ResponseCode::AUTH_FAIL.session(1))
    );
    let failures = rig.call(0x17A, &[0, 0, 0, 6, 0, 0, 2, 0x0E, 0, 0, 0, 1]).expect("count");
    assert!(failures.ends_with(&[0, 0, 0, 1]));
}

#[test]
fn starting_checks_its_parameters() {
    let mut rig = Rig::started();
    let body = |nonce: &[u8], salt: &[u8], kind: u8, symmetric: &[u8]| {
        [
            &NULL.to_be_bytes()[..],
            &NULL.to_be_bytes(),
            &sized(nonce),
            &sized(salt),
            &[kind],
            symmetric,
            &[0, 0x0B],
        ]
        .concat()
    };
    let start = 0x176;
    let refused = [
        (body(&[0; 15], &[], 0, &PLAIN), ResponseCode::SIZE.parameter(1)),
        (body(&[0; 33], &[], 0, &PLAIN), ResponseCode::SIZE.parameter(1)),
        (body(&NONCE, &[1], 0, &PLAIN), ResponseCode::VALUE.parameter(2)),
        (body(&NONCE, &[], 2, &PLAIN), ResponseCode::VALUE.parameter(3)),
        (body(&NONCE, &[], 0, &[0, 6, 0, 64, 0, 0x43]), ResponseCode::VALUE.parameter(4)),
        (body(&NONCE, &[], 0, &[0, 6, 0, 128, 0, 0x42]), ResponseCode::MODE.parameter(4)),
        (body(&NONCE, &[], 0, &[0, 5]), ResponseCode::SYMMETRIC.parameter(4)),
    ];
    for (body, code) in refused {
        assert_eq!(rig.call(start, &body), Err(code));
    }
    for _ in 0..3 {
        rig.call(start, &body(&NONCE, &[], 0, &PLAIN)).expect("session");
    }
    assert_eq!(rig.call(start, &body(&NONCE, &[], 0, &PLAIN)), Err(ResponseCode::SESSION_MEMORY));
}
