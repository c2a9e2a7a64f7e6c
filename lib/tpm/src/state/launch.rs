//! Hash sequences that the platform starts by signal, not by command
//! [Part 1 §34.2; Part 3 §22.9 to §22.11].

use alloc::vec::Vec;

use tpm_crypto::hash::Hasher;

use super::pcr::{BANKS, PcrBanks};
use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::containers::{Buffer, List};
use crate::wire::macros::{enumerations, structures};
use crate::wire::structure::Digest;

/// The PCRs that a dynamic launch resets.
const RESET: core::ops::RangeInclusive<u32> = 17..=22;
/// The PCR that takes the measurement of a dynamic launch.
const DYNAMIC: u32 = 17;
/// The PCR that takes the measurement of the static root of trust.
const STATIC: u32 = 0;
/// What PCR 0 ends with before that measurement: the locality it comes from.
pub(crate) const STATIC_LOCALITY: u8 = 4;

enumerations! {
    /// What the static root of trust is, which a resumption must find the same
    /// [Part 3 §9.3].
    Root(u8) else VALUE, none 0xFF {
        /// It started the device from locality 0.
        Locality0 = 0,
        /// It started the device from locality 3.
        Locality3 = 1,
        /// It was measured before the start.
        Measured = 2,
    }
}

/// A digest for each bank.
type Digests = Vec<(Hash, Vec<u8>)>;

structures! {
    /// A sequence as the volatile record has it.
    LaunchRecord {
        /// Empty if there is none.
        hashers: List<HasherRecord, { BANKS.len() }>,
        /// Empty if there is none.
        measured: List<MeasuredRecord, { BANKS.len() }>,
    }

    /// A digest under way, as its module exports it.
    HasherRecord {
        bank: Hash,
        state: Buffer<256>,
    }

    /// A digest for one bank.
    MeasuredRecord {
        bank: Hash,
        digest: Digest,
    }
}

/// The sequence under way, and what came of one before start-up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Launch {
    hashers: Option<Vec<(Hash, Hasher)>>,
    /// Measurement of the static root of trust, for the start-up to come.
    measured: Option<Digests>,
}

impl Launch {
    /// Begins a sequence; one under way is forgotten.
    pub(crate) fn start(&mut self) {
        let hashers = BANKS.into_iter().map(|bank| (bank, Hasher::new(bank.algorithm())));
        self.hashers = Some(hashers.collect());
    }

    /// Takes in more data; nothing if no sequence is under way.
    pub(crate) fn update(&mut self, data: &[u8]) {
        for (_, hasher) in self.hashers.iter_mut().flatten() {
            hasher.update(data);
        }
    }

    /// Ends the sequence, if there is one.
    pub(crate) fn finish(&mut self) -> Option<Digests> {
        let hashers = self.hashers.take()?;
        let digest = |(bank, hasher): (Hash, Hasher)| (bank, hasher.finish().as_bytes().to_vec());
        Some(hashers.into_iter().map(digest).collect())
    }

    /// As the volatile record has it.
    pub(crate) fn to_record(&self) -> LaunchRecord {
        let hasher = |(bank, hasher): &(Hash, Hasher)| HasherRecord {
            bank: *bank,
            state: Buffer::new(hasher.export().as_bytes()),
        };
        let measured = |(bank, digest): &(Hash, Vec<u8>)| MeasuredRecord {
            bank: *bank,
            digest: Digest::new(digest.as_slice()),
        };
        LaunchRecord {
            hashers: List(self.hashers.iter().flatten().map(hasher).collect()),
            measured: List(self.measured.iter().flatten().map(measured).collect()),
        }
    }

    /// From a volatile record.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::VALUE`] if a state is none of its hash.
    pub(crate) fn from_record(record: &LaunchRecord) -> Result<Self, ResponseCode> {
        let hasher = |HasherRecord { bank, state }: &HasherRecord| {
            let hasher = Hasher::import(bank.algorithm(), state);
            hasher.map(|hasher| (*bank, hasher)).map_err(|_| ResponseCode::VALUE)
        };
        let hashers: Vec<_> =
            record.hashers.0.iter().map(hasher).collect::<Result<_, ResponseCode>>()?;
        let measured: Digests =
            record.measured.0.iter().map(|one| (one.bank, one.digest.to_vec())).collect();
        Ok(Self {
            hashers: Some(hashers).filter(|hashers| !hashers.is_empty()),
            measured: Some(measured).filter(|measured| !measured.is_empty()),
        })
    }

    /// Keeps a measurement for the start-up to come.
    pub(crate) fn keep(&mut self, digests: Digests) {
        self.measured = Some(digests);
    }

    /// Whether a measurement is kept for the start-up to come.
    pub(crate) const fn is_measured(&self) -> bool {
        self.measured.is_some()
    }

    /// The measurement that was kept. It counts once.
    pub(crate) fn take_measured(&mut self) -> Option<Digests> {
        self.measured.take()
    }
}

/// Extends the PCR of the static root of trust, in banks whose PCR 0 begins with
/// [`STATIC_LOCALITY`].
pub(crate) fn extend_static(pcrs: &mut PcrBanks, digests: &Digests) {
    for (bank, digest) in digests {
        pcrs.extend(*bank, STATIC, digest);
    }
}

/// Resets the PCRs of a dynamic launch and extends the first of them.
pub(crate) fn extend_dynamic(pcrs: &mut PcrBanks, digests: &Digests) {
    for number in RESET {
        pcrs.clear(number);
    }
    for (bank, digest) in digests {
        pcrs.extend(*bank, DYNAMIC, digest);
    }
}
