//! Selections of PCRs and digests that say their algorithm.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::codec::{Reader, Wire};
use crate::wire::containers::List;

/// How many PCRs each bank has [PC Client PTP §3.7, *from memory*].
pub(crate) const PCR_COUNT: u32 = 24;

/// The bytes of a selection: one bit for each PCR.
pub(crate) const SELECT_SIZE: usize = 3;

/// TPML_PCR_SELECTION: at most one for each hash [Part 2 §10.9.7].
pub(crate) type PcrSelections = List<PcrSelection, { Hash::ALL.len() }>;

/// TPMS_PCR_SELECTION [Part 2 §10.6.2]: PCRs of one bank, as bits from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PcrSelection {
    pub(crate) bank: Hash,
    /// Bit n selects PCR n; no bit from [`PCR_COUNT`] on.
    pub(crate) pcrs: u32,
}

impl PcrSelection {
    /// The numbers of the selected PCRs, ascending.
    pub(crate) fn numbers(self) -> impl Iterator<Item = u32> {
        (0..PCR_COUNT).filter(move |number| self.pcrs & (1 << number) != 0)
    }
}

impl Wire for PcrSelection {
    fn write(&self, out: &mut Vec<u8>) {
        self.bank.write(out);
        out.push(3);
        out.extend(self.pcrs.to_le_bytes().into_iter().take(SELECT_SIZE));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let bank = Hash::read(from)?;
        // TPM2 permits no size below the platform's minimum, nor above what is
        // implemented; here both are three.
        let size = usize::from(u8::read(from)?);
        if size != SELECT_SIZE {
            return Err(ResponseCode::VALUE);
        }
        let mut pcrs = [0; 4];
        for (to, byte) in pcrs.iter_mut().zip(from.bytes(size)?) {
            *to = *byte;
        }
        Ok(Self { bank, pcrs: u32::from_le_bytes(pcrs) })
    }
}

/// TPMT_HA [Part 2 §10.3.2]: a digest and its algorithm; none for TPM_ALG_NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaggedDigest {
    pub(crate) hash: Hash,
    /// As many bytes as the algorithm gives.
    pub(crate) digest: Vec<u8>,
}

impl Wire for TaggedDigest {
    fn write(&self, out: &mut Vec<u8>) {
        self.hash.write(out);
        out.extend_from_slice(&self.digest);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let hash = Hash::read(from)?;
        let digest = from.bytes(hash.size())?.to_vec();
        Ok(Self { hash, digest })
    }
}
