//! Which entry answers a question.

use abi_snp::CpuidEntry;

use crate::answer::Answer;
use crate::finding::Finding;
use crate::refusal::Refusal;

/// First leaf of the basic range, whose EAX is the greatest leaf of the range.
pub(crate) const BASIC: u32 = 0;
/// The same for the extended range.
pub(crate) const EXTENDED: u32 = 0x8000_0000;
/// Leaves in a range that firmware checks.
const RANGE: u32 = 0x1_0000;

/// Structured features: EAX of subleaf 0 is the greatest subleaf.
const STRUCTURED_FEATURES: u32 = 7;
/// State components: values hold for one XCR0 and XSS.
pub(crate) const EXTENDED_STATE: u32 = 0xd;

/// Whether ECX matters to `leaf`.
pub(crate) const fn has_subleaves(leaf: u32) -> bool {
    matches!(leaf, 4 | 7 | 0xb | 0xd | 0xf | 0x10 | 0x12 | 0x14 | 0x17 | 0x18 | 0x1d | 0x1f)
        || matches!(leaf, 0x8000_001d | 0x8000_0020 | 0x8000_0026)
}

/// First leaf of the range that `leaf` belongs to, if firmware checks it.
const fn range(leaf: u32) -> Option<u32> {
    match leaf & !(RANGE - 1) {
        BASIC => Some(BASIC),
        EXTENDED => Some(EXTENDED),
        _ => None,
    }
}

/// The entries of a page whose count and reserved bytes are right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries<'a>(&'a [CpuidEntry]);

impl<'a> Entries<'a> {
    /// Checks that no question has two answers, and reports what is useless.
    pub(crate) fn check(
        all: &'a [CpuidEntry],
        report: &mut dyn FnMut(Finding),
    ) -> Result<Self, Refusal> {
        let entries = Self(all);
        for first in [BASIC, EXTENDED] {
            let maximum = entries.find(first, 0).ok_or(Refusal::MissingLeaf(first))?.eax;
            if range(maximum) != Some(first) {
                report(Finding::ImpossibleMaximum { leaf: first, maximum });
            }
        }
        let mut earlier = all;
        while let Some((entry, rest)) = earlier.split_last() {
            earlier = rest;
            if range(entry.eax_in).is_none() {
                continue;
            }
            entries.check_use(entry, rest, report)?;
        }
        Ok(entries)
    }

    /// Checks one entry against the maxima and against those before it.
    fn check_use(
        self,
        entry: &CpuidEntry,
        earlier: &[CpuidEntry],
        report: &mut dyn FnMut(Finding),
    ) -> Result<(), Refusal> {
        let (leaf, subleaf) = (entry.eax_in, entry.ecx_in);
        if subleaf != 0 && !has_subleaves(leaf) {
            report(Finding::UnexpectedSubleaf { leaf, subleaf });
            return Ok(());
        }
        // Zeros are what such a question is answered with anyway.
        let is_zero = [entry.eax, entry.ebx, entry.ecx, entry.edx] == [0; 4];
        if !is_zero && !self.reaches(leaf, subleaf) {
            report(Finding::BeyondMaximum { leaf, subleaf });
        }
        let Some(first) =
            earlier.iter().find(|other| (other.eax_in, other.ecx_in) == (leaf, subleaf))
        else {
            return Ok(());
        };
        if !agree(first, entry) {
            return Err(Refusal::Contradiction { leaf, subleaf });
        }
        if (first.xcr0_in, first.xss_in) == (entry.xcr0_in, entry.xss_in) {
            report(Finding::Repeated { leaf, subleaf });
        }
        Ok(())
    }

    /// The entry for a leaf and subleaf, whatever the maxima say. For leaves
    /// without subleaves `subleaf` must be 0.
    pub(crate) fn find(self, leaf: u32, subleaf: u32) -> Option<&'a CpuidEntry> {
        self.0.iter().find(|entry| (entry.eax_in, entry.ecx_in) == (leaf, subleaf))
    }

    /// What the page says, zeros if nothing. Both maxima are kept.
    pub(crate) fn answer(self, leaf: u32, subleaf: u32) -> Answer {
        let subleaf = if has_subleaves(leaf) { subleaf } else { 0 };
        if !self.reaches(leaf, subleaf) {
            return Answer::ZERO;
        }
        let mut answer = self.find(leaf, subleaf).map_or(Answer::ZERO, Answer::of_entry);
        if matches!(leaf, BASIC | EXTENDED) {
            answer.eax = self.last_leaf(leaf);
        }
        answer
    }

    /// Whether the page has an answer of its own.
    pub(crate) fn has(self, leaf: u32, subleaf: u32) -> bool {
        self.reaches(leaf, subleaf) && self.find(leaf, subleaf).is_some()
    }

    /// Whether a leaf and subleaf are not beyond the maxima.
    fn reaches(self, leaf: u32, subleaf: u32) -> bool {
        let Some(first) = range(leaf) else { return false };
        let leaf_is_there = leaf == first || leaf <= self.last_leaf(first);
        let last_subleaf = match self.find(leaf, 0) {
            Some(entry) if leaf == STRUCTURED_FEATURES => entry.eax,
            None if leaf == STRUCTURED_FEATURES => 0,
            _ => u32::MAX,
        };
        leaf_is_there && subleaf <= last_subleaf
    }

    /// The greatest leaf of the range that begins with `first`: as the page
    /// states it, cut to the range.
    fn last_leaf(self, first: u32) -> u32 {
        let stated = self.find(first, 0).map_or(first, |entry| entry.eax);
        stated.clamp(first, first | (RANGE - 1))
    }
}

/// Whether two entries for one leaf and subleaf can both be right: sizes of
/// the XSAVE area may differ with XCR0 and XSS.
fn agree(one: &CpuidEntry, other: &CpuidEntry) -> bool {
    let same_state = (one.xcr0_in, one.xss_in) == (other.xcr0_in, other.xss_in);
    let size_may_differ =
        one.eax_in == EXTENDED_STATE && matches!(one.ecx_in, 0 | 1) && !same_state;
    (one.eax, one.ecx, one.edx) == (other.eax, other.ecx, other.edx)
        && (size_may_differ || one.ebx == other.ebx)
}
