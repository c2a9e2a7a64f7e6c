//! The reverse map once more, slow and simple, to compare the first one with.
//!
//! One record for each page of 4 KiB in a tree, with a field for everything; a
//! page of 2 MiB is 512 records that agree. Written from the tables of the
//! manual without regard to the other model, from which it has only the names
//! of what it returns.

extern crate std;

use std::collections::BTreeMap;

use crate::reverse_map::access::AccessKind;
use crate::reverse_map::firmware::FirmwareRefusal;
use crate::reverse_map::host::Assignment;
use crate::reverse_map::rule::FaultRule;
use crate::reverse_map::save_area::EntryRefusal;

/// How an instruction of the guest ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It completes with this code and carry flag.
    Code(u32, bool),
    /// It breaks this rule.
    Breaks(FaultRule),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) assigned: bool,
    pub(crate) immutable: bool,
    pub(crate) validated: bool,
    pub(crate) save_area: bool,
    pub(crate) running: bool,
    pub(crate) elsewhere: bool,
    pub(crate) large: bool,
    /// By level.
    pub(crate) permissions: [u8; 4],
}

const FREE: Page = Page {
    assigned: false,
    immutable: false,
    validated: false,
    save_area: false,
    running: false,
    elsewhere: false,
    large: false,
    permissions: [0x1f, 0, 0, 0],
};

#[derive(Clone, Debug)]
pub(crate) struct SecondModel {
    pub(crate) pages: BTreeMap<u64, Page>,
}

/// Page numbers of a page of the size, from its first one on.
fn numbers(page: u64, large: bool) -> std::ops::Range<u64> {
    if large { page / 512 * 512..page / 512 * 512 + 512 } else { page..page + 1 }
}

impl SecondModel {
    pub(crate) fn new(pages: impl IntoIterator<Item = u64>) -> Self {
        Self { pages: pages.into_iter().map(|page| (page, FREE)).collect() }
    }

    /// Changes the page of 4 KiB, or all of the 2 MiB that it is part of.
    fn change(&mut self, page: u64, change: impl Fn(&mut Page)) {
        let large = self.pages.get(&page).is_some_and(|found| found.large);
        for number in numbers(page, large) {
            change(self.pages.get_mut(&number).unwrap());
        }
    }

    fn is_covered(&self, page: u64, large: bool) -> bool {
        numbers(page, large).all(|number| self.pages.contains_key(&number))
    }

    fn private(&self, page: u64) -> Result<Page, FaultRule> {
        let found = *self.pages.get(&page).ok_or(FaultRule::RmpCovered)?;
        if found.elsewhere {
            Err(FaultRule::ReverseMap)
        } else if !found.assigned {
            Err(FaultRule::GuestOwned)
        } else if found.immutable {
            Err(FaultRule::Mutable)
        } else {
            Ok(found)
        }
    }

    fn instruction(&self, page: u64) -> Result<Page, Answer> {
        let found = self.private(page).map_err(Answer::Breaks)?;
        if found.running { Err(Answer::Breaks(FaultRule::EntryFree)) } else { Ok(found) }
    }

    pub(crate) fn pvalidate(
        &mut self,
        (level, ring): (u8, u8),
        page: u64,
        large: bool,
        validate: bool,
    ) -> Answer {
        if ring != 0 {
            return Answer::Breaks(FaultRule::Cpl0);
        }
        if level != 0 {
            return Answer::Breaks(FaultRule::Vmpl0);
        }
        if large && !page.is_multiple_of(512) {
            return Answer::Code(1, false);
        }
        let found = match self.instruction(page) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        if found.large && !large {
            return Answer::Breaks(FaultRule::SmallInLarge);
        }
        if large && !found.large {
            return Answer::Code(6, false);
        }
        self.change(page, |page| page.validated = validate);
        Answer::Code(0, found.validated == validate)
    }

    pub(crate) fn rmpadjust(
        &mut self,
        (level, ring): (u8, u8),
        page: u64,
        large: bool,
        (target, mask, save_area): (u8, u8, bool),
    ) -> Answer {
        if ring != 0 {
            return Answer::Breaks(FaultRule::Cpl0);
        }
        if mask > 0x1f || (large && !page.is_multiple_of(512)) || target > 3 {
            return Answer::Code(1, false);
        }
        if target <= level {
            return Answer::Code(2, false);
        }
        let found = match self.instruction(page) {
            Ok(found) => found,
            Err(answer) => return answer,
        };
        if found.large && !large {
            return Answer::Breaks(FaultRule::SmallInLarge);
        }
        if !found.validated {
            return Answer::Breaks(FaultRule::Validated);
        }
        if large && !found.large {
            return Answer::Code(6, false);
        }
        if mask & !found.permissions[usize::from(level)] != 0 {
            return Answer::Code(2, false);
        }
        self.change(page, |page| {
            page.permissions[usize::from(target)] = mask;
            if level == 0 {
                page.save_area = save_area;
            }
        });
        Answer::Code(0, false)
    }

    /// The answer, and what RCX and RDX hold after success.
    pub(crate) fn rmpquery(
        &self,
        (level, ring): (u8, u8),
        page: u64,
        target: u8,
    ) -> (Answer, Option<(u64, u64)>) {
        if ring != 0 {
            return (Answer::Breaks(FaultRule::Cpl0), None);
        }
        if target > 3 {
            return (Answer::Code(1, false), None);
        }
        if target <= level {
            return (Answer::Code(2, false), None);
        }
        let found = match self.instruction(page) {
            Ok(found) => found,
            Err(answer) => return (answer, None),
        };
        if !found.validated {
            return (Answer::Breaks(FaultRule::Validated), None);
        }
        let mask = u64::from(found.permissions[usize::from(target)]);
        let rdx = u64::from(found.save_area) * 0x1_0000 + mask * 0x100 + u64::from(target);
        (Answer::Code(0, false), Some((u64::from(found.large), rdx)))
    }

    /// The return code of RMPUPDATE.
    pub(crate) fn rmpupdate(&mut self, page: u64, large: bool, assignment: Assignment) -> u32 {
        if (large && !page.is_multiple_of(512)) || !self.is_covered(page, large) {
            return 1;
        }
        let found = self.pages[&page];
        if found.immutable {
            return 2;
        }
        if found.running {
            return 3;
        }
        let mixed = numbers(page, large).any(|number| {
            let other = self.pages[&number];
            other.assigned && other.large != large
        });
        if mixed {
            return 4;
        }
        for number in numbers(page, large) {
            let page = self.pages.get_mut(&number).unwrap();
            if !found.assigned || found.elsewhere {
                *page = Page { assigned: true, large, ..FREE };
            }
            page.immutable = assignment == Assignment::Immutable;
            if assignment == Assignment::Hypervisor {
                *page = FREE;
            }
        }
        0
    }

    /// The return code of PSMASH.
    pub(crate) fn psmash(&mut self, page: u64) -> u32 {
        if !page.is_multiple_of(512) || !self.is_covered(page, true) {
            return 1;
        }
        let found = self.pages[&page];
        if found.running {
            return 3;
        }
        if !found.large || found.immutable {
            return 7;
        }
        self.change(page, |page| page.large = false);
        0
    }

    pub(crate) fn set_elsewhere(&mut self, page: u64, elsewhere: bool) {
        if self.pages.contains_key(&page) {
            self.change(page, |page| page.elsewhere = elsewhere);
        }
    }

    pub(crate) fn launch(
        &mut self,
        page: u64,
        large: bool,
        page_type: u8,
        lower: [u8; 3],
    ) -> Result<(), FirmwareRefusal> {
        let found = *self.pages.get(&page).ok_or(FirmwareRefusal::InvalidAddress)?;
        if !found.assigned || !found.immutable || found.validated {
            return Err(FirmwareRefusal::InvalidPageState);
        }
        if found.large != large {
            return Err(FirmwareRefusal::InvalidPageSize);
        }
        if large && !page.is_multiple_of(512) {
            return Err(FirmwareRefusal::InvalidAddress);
        }
        match (page_type, large) {
            (1 | 3 | 4, _) | (2 | 5 | 6, false) => {}
            (2 | 5 | 6, true) => return Err(FirmwareRefusal::InvalidPageSize),
            _ => return Err(FirmwareRefusal::InvalidParam),
        }
        self.change(page, |page| {
            page.validated = true;
            page.immutable = false;
            page.save_area = page_type == 2;
            page.permissions[1..].copy_from_slice(&lower);
        });
        Ok(())
    }

    pub(crate) fn reclaim(&mut self, page: u64, large: bool) -> Result<(), FirmwareRefusal> {
        let found = *self.pages.get(&page).ok_or(FirmwareRefusal::InvalidAddress)?;
        if found.large != large {
            return Err(FirmwareRefusal::InvalidPageSize);
        }
        if large && !page.is_multiple_of(512) {
            return Err(FirmwareRefusal::InvalidAddress);
        }
        self.change(page, |page| page.immutable = false);
        Ok(())
    }

    pub(crate) fn unsmash(&mut self, page: u64) -> Result<(), FirmwareRefusal> {
        if !page.is_multiple_of(512) {
            return Err(FirmwareRefusal::InvalidParam);
        }
        if !self.is_covered(page, true) {
            return Err(FirmwareRefusal::InvalidAddress);
        }
        let first = self.pages[&page];
        let joinable = numbers(page, true).all(|number| {
            let page = self.pages[&number];
            page == first && page.immutable && !page.large && !page.save_area && !page.elsewhere
        });
        if !joinable {
            return Err(FirmwareRefusal::InvalidPageState);
        }
        for number in numbers(page, true) {
            self.pages.get_mut(&number).unwrap().large = true;
        }
        Ok(())
    }

    pub(crate) fn enter(&mut self, page: u64) -> Result<(), EntryRefusal> {
        let found = self.private(page).map_err(EntryRefusal::Page)?;
        if !found.save_area {
            return Err(EntryRefusal::NotSaveArea);
        }
        if found.running {
            return Err(EntryRefusal::InUse);
        }
        self.change(page, |page| page.running = true);
        Ok(())
    }

    pub(crate) fn leave(&mut self, page: u64) {
        if self.pages.contains_key(&page) {
            self.change(page, |page| page.running = false);
        }
    }

    /// The rule that an access within one page breaks, for a guest without
    /// shadow stacks.
    pub(crate) fn access(
        &self,
        (level, ring): (u8, u8),
        page: u64,
        kind: AccessKind,
        encrypted: bool,
        nested_large: bool,
    ) -> Option<FaultRule> {
        use AccessKind::{Fetch, TableRead, TableUpdate, Write};
        if !encrypted && !matches!(kind, Fetch | TableRead | TableUpdate) {
            let taken = numbers(page, nested_large).any(|number| {
                self.pages.get(&number).is_some_and(|page| page.assigned || page.elsewhere)
            });
            return (kind == Write && taken).then_some(FaultRule::HypervisorOwned);
        }
        let found = match self.private(page) {
            Ok(found) => found,
            Err(rule) => return Some(rule),
        };
        if found.large != nested_large {
            return Some(FaultRule::PageSize);
        }
        if !found.validated {
            return Some(FaultRule::Validated);
        }
        let mask = found.permissions[usize::from(level)];
        let bit = match (kind, ring) {
            (Fetch, 3) => 4,
            (Fetch, _) => 8,
            (Write | TableUpdate, _) => 2,
            _ => 1,
        };
        if mask & bit == 0 {
            return Some(FaultRule::Vmpl);
        }
        (kind == Write && mask & 1 == 0).then_some(FaultRule::WriteNeedsRead)
    }
}
