//! Hash, MAC and event sequences [Part 1 §32.4].

use alloc::boxed::Box;
use alloc::vec::Vec;

use tpm_crypto::cmac::Cmac;
use tpm_crypto::hash::Hasher;
use tpm_crypto::hmac::Hmac;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::Buffer;
use crate::wire::structure::Digest;

/// TPM_GENERATED_VALUE: how what the device itself says begins [Part 2 §6.2].
/// A ticket for a digest is only given for data that begins otherwise.
pub(crate) const GENERATED: [u8; 4] = [0xFF, b'T', b'C', b'G'];

/// A sequence under way.
#[derive(Clone, Debug)]
pub(crate) struct Sequence {
    /// What whoever goes on with it has to know.
    pub(crate) auth: Digest,
    pub(crate) work: Work,
}

/// What is computed.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// One digest.
    Hash {
        hash: Hash,
        hasher: Box<Hasher>,
        /// The first bytes, up to four, to compare with [`GENERATED`].
        start: Vec<u8>,
    },
    /// A digest for each bank.
    Event(Vec<(Hash, Hasher)>),
    /// A MAC with a key's hash.
    Hmac(Hash, Box<Hmac>),
    /// A MAC with a key's cipher.
    Cmac(Box<Cmac>),
}

impl Sequence {
    /// Takes in more data.
    pub(crate) fn update(&mut self, data: &[u8]) {
        match &mut self.work {
            Work::Hash { hasher, start, .. } => {
                let missing = GENERATED.len().saturating_sub(start.len());
                start.extend(data.iter().take(missing));
                hasher.update(data);
            }
            Work::Event(hashers) => {
                for (_, hasher) in hashers {
                    hasher.update(data);
                }
            }
            Work::Hmac(_, hmac) => hmac.update(data),
            Work::Cmac(cmac) => cmac.update(data),
        }
    }
}

/// A computation under way, as its module exports it: two states of SHA-3 are
/// the largest.
type Exported = Buffer<1024>;

/// A sequence as one buffer: an event's digests, each with its state, are the
/// largest.
pub(crate) type SequenceState = Buffer<2048>;

impl Wire for Sequence {
    fn write(&self, out: &mut Vec<u8>) {
        self.auth.write(out);
        match &self.work {
            Work::Hash { hash, hasher, start } => {
                0_u8.write(out);
                hash.write(out);
                Exported::new(hasher.export().as_bytes()).write(out);
                Buffer::<4>::new(start.as_slice()).write(out);
            }
            Work::Event(hashers) => {
                1_u8.write(out);
                u8::try_from(hashers.len()).expect("there are few banks").write(out);
                for (hash, hasher) in hashers {
                    hash.write(out);
                    Exported::new(hasher.export().as_bytes()).write(out);
                }
            }
            Work::Hmac(hash, hmac) => {
                2_u8.write(out);
                hash.write(out);
                Exported::new(hmac.export().as_bytes()).write(out);
            }
            Work::Cmac(cmac) => {
                3_u8.write(out);
                Exported::new(cmac.export().as_bytes()).write(out);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let auth = Wire::read(from)?;
        let hasher = |from: &mut Reader<'_>| {
            let hash = Hash::read(from)?;
            let hasher = Hasher::import(hash.algorithm(), &Exported::read(from)?)
                .map_err(|_| ResponseCode::VALUE)?;
            Ok::<_, ResponseCode>((hash, hasher))
        };
        let work = match u8::read(from)? {
            0 => {
                let (hash, hasher) = hasher(from)?;
                let start = Buffer::<4>::read(from)?.to_vec();
                Work::Hash { hash, hasher: Box::new(hasher), start }
            }
            1 => {
                let count = u8::read(from)?;
                Work::Event((0..count).map(|_| hasher(from)).collect::<Result<_, _>>()?)
            }
            2 => {
                let hash = Hash::read(from)?;
                let hmac = Hmac::import(hash.algorithm(), &Exported::read(from)?)
                    .map_err(|_| ResponseCode::VALUE)?;
                Work::Hmac(hash, Box::new(hmac))
            }
            3 => {
                let cmac = Cmac::import(&Exported::read(from)?).map_err(|_| ResponseCode::VALUE)?;
                Work::Cmac(Box::new(cmac))
            }
            _ => return Err(ResponseCode::VALUE),
        };
        Ok(Self { auth, work })
    }
}
