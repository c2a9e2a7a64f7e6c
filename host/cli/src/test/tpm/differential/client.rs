//! A client's end of HMAC sessions with both sides.

use svsm_tpm::message::{Command, take_sized};
use tpm_crypto::cipher::{Cipher, CipherAlgorithm, CipherMode};
use tpm_crypto::derivation::{kdfa, xor_obfuscation};
use tpm_crypto::hash::HashAlgorithm;
use tpm_crypto::hmac::Hmac;

use super::compare::Compare;

/// TPMA_SESSION.
pub(super) const CONTINUE: u8 = 0x01;
pub(super) const DECRYPT: u8 = 0x20;
pub(super) const ENCRYPT: u8 = 0x40;
pub(super) const AUDIT: u8 = 0x80;

/// How a session encrypts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concealment {
    /// Not at all.
    None,
    Aes,
    /// XOR with a mask.
    Mask,
}

impl Concealment {
    /// TPMT_SYM_DEF.
    pub(super) fn definition(self) -> Vec<u8> {
        match self {
            Self::None => vec![0, 0x10],
            Self::Aes => vec![0, 6, 0, 128, 0, 0x43],
            Self::Mask => vec![0, 0x0A, 0, 0x0B],
        }
    }

    fn apply(self, keys: &Keys<'_>, data: &mut [u8], mode: Direction) {
        let Keys { hash, key, newer, older } = *keys;
        match self {
            Self::None => {}
            Self::Mask => {
                xor_obfuscation(hash, key, newer, older, data).expect("parameters are short");
            }
            Self::Aes => {
                let material = kdfa(hash, key, b"CFB", newer, older, 256);
                let (key, vector) = material.as_bytes().split_at(16);
                let cipher = Cipher::new(CipherAlgorithm::Aes, key).expect("a key of 16 bytes");
                let mut chain = vector.try_into().expect("a block of 16 bytes");
                match mode {
                    Direction::Conceal => cipher.encrypt(CipherMode::Cfb, &mut chain, data),
                    Direction::Reveal => cipher.decrypt(CipherMode::Cfb, &mut chain, data),
                }
                .expect("any length will do");
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Conceal,
    Reveal,
}

/// From what a parameter's encryption is derived.
#[derive(Clone, Copy)]
struct Keys<'a> {
    hash: HashAlgorithm,
    key: &'a [u8],
    newer: &'a [u8],
    older: &'a [u8],
}

/// A client's end of an HMAC session with both sides.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) handle: u32,
    pub(super) hash: HashAlgorithm,
    pub(super) concealment: Concealment,
    /// Whom it was bound to, and by which password.
    pub(super) bound: Option<(u32, Vec<u8>)>,
    /// Each side's session key and its last nonce.
    pub(super) sides: [(Vec<u8>, Vec<u8>); 2],
}

/// A command that a session can go with.
pub(super) struct Base {
    pub(super) code: u32,
    /// Whom the session authorizes.
    pub(super) entity: Option<u32>,
    pub(super) parameters: Vec<u8>,
    /// Attributes that make sense with it.
    pub(super) possible: u8,
    pub(super) compare: Compare,
    /// The owner's password that it sets.
    pub(super) new_password: Option<Vec<u8>>,
}

/// What both sides' commands have in common.
pub(super) struct Call {
    pub(super) base: Base,
    pub(super) session: Session,
    pub(super) nonce: Vec<u8>,
    pub(super) attributes: u8,
    /// The entity's password before the command.
    pub(super) password: Vec<u8>,
    /// The HMAC is wrong.
    pub(super) forged: bool,
}

impl Call {
    /// Whether the entity's password takes part in HMACs: not if the session was
    /// bound to it with that password.
    fn takes_password(&self, password: &[u8]) -> bool {
        let bound = self.session.bound.as_ref().map(|(entity, value)| (*entity, value.as_slice()));
        self.base.entity.is_some_and(|entity| bound != Some((entity, password)))
    }

    /// The key of HMACs: the session's and perhaps the password.
    fn proof_key(&self, side: usize, password: &[u8], takes: bool) -> Vec<u8> {
        let (key, _) = &self.session.sides[side];
        [key.as_slice(), if takes { password } else { &[] }].concat()
    }

    /// The key of encryption: the session's and the password of whom it
    /// authorizes.
    fn encryption_key(&self, side: usize) -> Vec<u8> {
        let (key, _) = &self.session.sides[side];
        let value = if self.base.entity.is_some() { self.password.as_slice() } else { &[] };
        [key.as_slice(), value].concat()
    }

    /// The command for one side.
    pub(super) fn command(&self, side: usize) -> Command {
        let hash = self.session.hash;
        let (_, nonce_tpm) = &self.session.sides[side];
        let mut parameters = self.base.parameters.clone();
        if self.attributes & DECRYPT != 0 {
            let key = self.encryption_key(side);
            let keys = Keys { hash, key: &key, newer: &self.nonce, older: nonce_tpm };
            let first = first_parameter(&mut parameters);
            self.session.concealment.apply(&keys, first, Direction::Conceal);
        }
        let handle = self.base.entity.map(u32::to_be_bytes);
        let name = handle.as_ref().map(|handle| handle.as_slice()).unwrap_or_default();
        let request = hash.digest(&[&self.base.code.to_be_bytes(), name, &parameters]);
        let key = self.proof_key(side, &self.password, self.takes_password(&self.password));
        let proof = Hmac::mac(
            hash,
            &key,
            &[request.as_bytes(), &self.nonce, nonce_tpm, &[self.attributes]],
        );
        let mut proof = proof.as_bytes().to_vec();
        if self.forged {
            proof[0] ^= 1;
        }
        let command =
            self.base.entity.into_iter().fold(Command::new(self.base.code), Command::handle);
        command
            .session(self.session.handle, &self.nonce, self.attributes, &proof)
            .parameters(&parameters)
    }

    /// The response of one side as one without sessions, and the new nonce; none
    /// if its HMAC is wrong.
    pub(super) fn open(&self, side: usize, response: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let hash = self.session.hash;
        let (header, body) = response.split_at_checked(10)?;
        let (size, rest) = body.split_first_chunk()?;
        let size = usize::try_from(u32::from_be_bytes(*size)).ok()?;
        let (parameters, mut area) = rest.split_at_checked(size)?;
        let nonce = take_sized(&mut area)?;
        let (attributes, mut proof) = area.split_first()?;
        let proof = take_sized(&mut proof)?;
        let code = self.base.code.to_be_bytes();
        let answer = hash.digest(&[&[0; 4], &code, parameters]);
        // What the command set is the password from now on, but whether it takes
        // part was decided before.
        let password = self.base.new_password.as_ref().unwrap_or(&self.password);
        let key = self.proof_key(side, password, self.takes_password(&self.password));
        let expected =
            Hmac::mac(hash, &key, &[answer.as_bytes(), nonce, &self.nonce, &[*attributes]]);
        if expected.as_bytes() != proof {
            return None;
        }
        let mut parameters = parameters.to_vec();
        if self.attributes & ENCRYPT != 0 {
            let key = self.encryption_key(side);
            let keys = Keys { hash, key: &key, newer: nonce, older: &self.nonce };
            let first = first_parameter(&mut parameters);
            self.session.concealment.apply(&keys, first, Direction::Reveal);
        }
        let size = u32::try_from(10 + parameters.len()).ok()?.to_be_bytes();
        // A header without sessions.
        let plain = [&[0x80, 1][..], &size, header.get(6..)?, &parameters].concat();
        Some((plain, nonce.to_vec()))
    }
}

/// The content of the TPM2B that parameters begin with.
fn first_parameter(parameters: &mut [u8]) -> &mut [u8] {
    let Some((size, rest)) = parameters.split_first_chunk_mut() else { return &mut [] };
    let size = usize::from(u16::from_be_bytes(*size)).min(rest.len());
    rest.split_at_mut(size).0
}
