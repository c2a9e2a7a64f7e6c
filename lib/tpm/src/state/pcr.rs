//! PCR banks [Part 1 §17; PC Client PTP §3.7, *from memory*].

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::containers::List;
use crate::wire::macros::structures;
use crate::wire::pcr::{PCR_COUNT, PcrSelection};
use crate::wire::structure::Digest;

/// What each PCR allows and how it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PcrRules {
    /// Localities (as bits) that may reset it.
    pub(crate) reset: u8,
    /// Localities that may extend it.
    pub(crate) extend: u8,
    /// Kept by shutdown and start with state.
    pub(crate) saved: bool,
    /// Starts with all bits set, and with none after a dynamic launch.
    pub(crate) dynamic: bool,
    /// Changes do not count for the PCR counter.
    pub(crate) uncounted: bool,
}

/// The rules of PCR `number`.
pub(crate) const fn rules(number: u32) -> PcrRules {
    let (reset, extend) = match number {
        0..=15 => (0x00, 0x1F),
        17 | 18 => (0x10, 0x1C),
        19 => (0x10, 0x0C),
        20 => (0x14, 0x0E),
        21 | 22 => (0x14, 0x04),
        _ => (0x0F, 0x1F),
    };
    PcrRules {
        reset,
        extend,
        saved: number <= 15,
        dynamic: number >= 17 && number <= 22,
        uncounted: matches!(number, 16 | 21..=23),
    }
}

/// The banks that can be allocated.
pub(crate) const BANKS: [Hash; 4] = [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512];

/// Whether a PCR can have an authorization value and a policy: those of the
/// dynamic launch that the operating system uses.
pub(crate) const fn is_guarded(handle: u32) -> bool {
    matches!(handle, 20..=22)
}

structures! {
    /// A bank as the volatile record has it.
    PcrBank {
        bank: Hash,
        /// A bit for each PCR that it has.
        allocated: u32,
        digests: List<Digest, { PCR_COUNT as usize }>,
    }

    /// The authorization of all PCRs that can have one.
    PcrGuard {
        /// Until reset.
        auth: Digest,
        /// The hash of `policy`; none if there is no policy. Persistent.
        policy_hash: Option<Hash>,
        policy: Digest,
    }
}

/// All PCRs.
#[derive(Clone, Debug, Default)]
pub(crate) struct PcrBanks {
    /// The digests of each bank that has PCRs now, by number.
    banks: BTreeMap<Hash, Bank>,
    /// Changes since the last reset.
    pub(crate) counter: u32,
}

#[derive(Clone, Debug)]
struct Bank {
    allocated: u32,
    digests: Vec<Vec<u8>>,
}

impl PcrBanks {
    /// The banks after a reset: `locality` of the start goes into PCR 0
    /// [Part 3 §9.3].
    pub(crate) fn reset(allocation: &[PcrSelection], locality: u8) -> Self {
        let banks = allocation
            .iter()
            .filter(|selection| selection.pcrs != 0)
            .map(|selection| {
                let size = selection.bank.size();
                let digests = (0..PCR_COUNT)
                    .map(|number| {
                        let mut digest = vec![if rules(number).dynamic { 0xFF } else { 0 }; size];
                        if let (0, Some(last)) = (number, digest.last_mut()) {
                            *last = locality;
                        }
                        digest
                    })
                    .collect();
                (selection.bank, Bank { allocated: selection.pcrs, digests })
            })
            .collect();
        Self { banks, counter: 0 }
    }

    /// What is allocated now, bank by bank.
    pub(crate) fn allocation(&self) -> impl Iterator<Item = PcrSelection> {
        BANKS.into_iter().map(|bank| PcrSelection {
            bank,
            pcrs: self.banks.get(&bank).map_or(0, |found| found.allocated),
        })
    }

    /// The digest of one PCR, if it is allocated.
    pub(crate) fn digest(&self, bank: Hash, number: u32) -> Option<&[u8]> {
        let found = self.banks.get(&bank)?;
        if found.allocated & (1 << number) == 0 {
            return None;
        }
        found.digests.get(number as usize).map(Vec::as_slice)
    }

    /// Extends a PCR: its digest becomes the hash of itself and `digest`.
    pub(crate) fn extend(&mut self, bank: Hash, number: u32, digest: &[u8]) {
        if let Some(pcr) = self.slot(bank, number) {
            *pcr = bank.algorithm().digest(&[pcr, digest]).as_bytes().to_vec();
            self.changed(number);
        }
    }

    /// Sets a PCR to zero in all banks.
    pub(crate) fn clear(&mut self, number: u32) {
        for bank in BANKS {
            if let Some(pcr) = self.slot(bank, number) {
                pcr.fill(0);
            }
        }
    }

    /// Notes that PCR `number` changed.
    pub(crate) fn changed(&mut self, number: u32) {
        if !rules(number).uncounted {
            self.counter = self.counter.wrapping_add(1);
        }
    }

    /// The digest over the selected PCRs and the selection that exists.
    pub(crate) fn digest_of(
        &self,
        selection: &[PcrSelection],
        hash: Hash,
    ) -> (Vec<PcrSelection>, Vec<u8>) {
        let mut hasher = tpm_crypto::hash::Hasher::new(hash.algorithm());
        let existing = selection
            .iter()
            .map(|selected| {
                let mut pcrs = 0;
                for number in selected.numbers() {
                    if let Some(digest) = self.digest(selected.bank, number) {
                        pcrs |= 1 << number;
                        hasher.update(digest);
                    }
                }
                PcrSelection { bank: selected.bank, pcrs }
            })
            .collect();
        (existing, hasher.finish().as_bytes().to_vec())
    }

    /// The PCRs that `TPM2_Shutdown(STATE)` saves, and their places.
    pub(crate) fn saved(&self) -> Vec<(Hash, u32, Vec<u8>)> {
        let mut saved = Vec::new();
        for selection in self.allocation() {
            for number in selection.numbers().filter(|number| rules(*number).saved) {
                if let Some(digest) = self.digest(selection.bank, number) {
                    saved.push((selection.bank, number, digest.to_vec()));
                }
            }
        }
        saved
    }

    /// Puts a saved PCR back; a digest of another size than the bank's is none.
    pub(crate) fn restore(&mut self, bank: Hash, number: u32, digest: &[u8]) {
        if digest.len() != bank.size() {
            return;
        }
        if let Some(pcr) = self.slot(bank, number) {
            pcr.clear();
            pcr.extend_from_slice(digest);
        }
    }

    /// All banks, for the volatile record.
    pub(crate) fn to_record(&self) -> List<PcrBank, { BANKS.len() }> {
        let record = |(bank, content): (&Hash, &Bank)| PcrBank {
            bank: *bank,
            allocated: content.allocated,
            digests: List(content.digests.iter().map(|pcr| Digest::new(pcr.as_slice())).collect()),
        };
        List(self.banks.iter().map(record).collect())
    }

    /// Banks from a volatile record.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::VALUE`] if a bank is not one, or is there twice, or its
    /// digests are not as many and as long as they have to be.
    pub(crate) fn from_record(record: &[PcrBank], counter: u32) -> Result<Self, ResponseCode> {
        let mut banks = BTreeMap::new();
        for PcrBank { bank, allocated, digests } in record {
            let sound = BANKS.contains(bank)
                && *allocated < 1 << PCR_COUNT
                && digests.0.len() == PCR_COUNT as usize
                && digests.0.iter().all(|pcr| pcr.len() == bank.size());
            let digests = digests.0.iter().map(|pcr| pcr.to_vec()).collect();
            let content = Bank { allocated: *allocated, digests };
            if !sound || banks.insert(*bank, content).is_some() {
                return Err(ResponseCode::VALUE);
            }
        }
        Ok(Self { banks, counter })
    }

    fn slot(&mut self, bank: Hash, number: u32) -> Option<&mut Vec<u8>> {
        let found = self.banks.get_mut(&bank)?;
        if number >= PCR_COUNT || found.allocated & (1 << number) == 0 {
            return None;
        }
        found.digests.get_mut(number as usize)
    }
}
