//! Calls of the module that this guest is below, in the calling area of the
//! processor that calls [SVSM 58019 §4, §5].

use core::ops::Range;

use abi_svsm::core_protocol::{CoreCall, ListHeader, Unchanged, ValidationAction, ValidationEntry};
use abi_svsm::{CallRegisters, CallingArea, GuestPage, ListAddress, ResultCode};
use zerocopy::IntoBytes;

use crate::machine::{Guest, Mode, Outcome, Page, Probe, View, Worker};
use crate::verdict::{Verdict, expect, require};

/// In the calling area: that there is a call.
const PENDING: u8 = 1;

/// The module, and the calling areas that it knows.
pub(crate) struct Caller {
    /// What is the module's alone.
    pub(crate) module: Range<u64>,
    /// By processor.
    areas: [Option<Page>; Worker::MOST_PROCESSORS as usize],
}

impl Caller {
    /// What the secrets page says; `None` if it names no module.
    pub(crate) fn find(guest: &mut Guest) -> Option<Self> {
        let (base, size) = (guest.secrets.svsm_base, guest.secrets.svsm_size);
        if size == 0 {
            return None;
        }
        let first = guest.memory.map_outside(guest.secrets.svsm_calling_area, View::Private);
        let mut areas = [None; Worker::MOST_PROCESSORS as usize];
        areas[0] = Some(first);
        Some(Self { module: base..base + size, areas })
    }

    /// The calling area of a processor that has one.
    ///
    /// # Panics
    ///
    /// It has none.
    pub(crate) fn area(&self, processor: u32) -> Page {
        self.areas[processor as usize].expect("the processor has a calling area")
    }

    /// Says which page the module takes for the calling area of a processor.
    pub(crate) fn set_area(&mut self, processor: u32, area: Page) {
        self.areas[processor as usize] = Some(area);
    }

    /// Calls on the first processor, with this byte for the call that is
    /// pending.
    pub(crate) fn call_with(
        &self,
        guest: &Guest,
        pending: u8,
        registers: CallRegisters,
    ) -> Verdict<CallRegisters> {
        announce(self.area(0), pending);
        let outcome = guest.try_out(Probe::ModuleCall(registers), Mode::Supervisor);
        answer(self.area(0), &outcome)
    }

    /// Calls on the first processor.
    pub(crate) fn call(&self, guest: &Guest, registers: CallRegisters) -> Verdict<CallRegisters> {
        self.call_with(guest, PENDING, registers)
    }

    /// Orders a call from a worker on another processor.
    pub(crate) fn order(&self, guest: &Guest, processor: u32, registers: CallRegisters) {
        announce(self.area(processor), PENDING);
        guest.order(Worker::of_processor(processor), Probe::ModuleCall(registers));
    }

    /// What a call came to that a worker was ordered, if it is over.
    pub(crate) fn ended(
        &self,
        guest: &Guest,
        processor: u32,
        registers: CallRegisters,
    ) -> Option<Verdict<CallRegisters>> {
        let outcome =
            guest.result(Worker::of_processor(processor), Probe::ModuleCall(registers))?;
        Some(answer(self.area(processor), &outcome))
    }

    /// Has the module do what these words of a list say, which it is given in
    /// the first calling area; the result and how many were done.
    pub(crate) fn validate_words(
        &self,
        guest: &Guest,
        words: &[u64],
    ) -> Verdict<(ResultCode, u16)> {
        let area = self.area(0);
        let list = write_list(area, CallingArea::BUFFER_OFFSET, words);
        let answered = self.call(guest, CoreCall::Validate { list }.encode())?;
        Ok((ResultCode::from_rax(answered.rax), done(area, CallingArea::BUFFER_OFFSET)))
    }

    /// Has the module take its validation of a page back.
    pub(crate) fn rescind(&self, guest: &Guest, gpa: u64) -> Verdict {
        let entry = ValidationEntry {
            page: GuestPage::containing(gpa),
            size: abi_snp::PageSize::Size4K,
            action: ValidationAction::Rescind,
            unchanged: Unchanged::Refuse,
        };
        let answered = self.validate_words(guest, &[entry.encode()])?;
        expect("result of rescinding a page", (ResultCode::SUCCESS, 1), answered)
    }
}

/// Writes a list to `page`, none of which is done, and says where it is.
pub(crate) fn write_list(page: Page, offset: usize, words: &[u64]) -> ListAddress {
    let entries = u16::try_from(words.len()).expect("a list fits a page");
    write_header(page, offset, ListHeader::new(entries));
    for (index, word) in words.iter().enumerate() {
        page.write(offset + (1 + index) * ListAddress::ENTRY_SIZE, *word);
    }
    ListAddress::at(page.gpa() + offset as u64).expect("lists are aligned")
}

/// Writes the header of a list.
pub(crate) fn write_header(page: Page, offset: usize, header: ListHeader) {
    page.store(offset, header.as_bytes());
}

/// How many entries of a list the module says that it has done.
pub(crate) fn done(page: Page, offset: usize) -> u16 {
    (page.read(offset) >> 16) as u16
}

/// Puts the byte into the calling area that says whether there is a call.
fn announce(area: Page, pending: u8) {
    area.write(0, area.read(0) & !0xff | u64::from(pending));
}

/// The registers after a call, which the module must have taken.
fn answer(area: Page, outcome: &Outcome) -> Verdict<CallRegisters> {
    expect("exception of a call", None, outcome.trap)?;
    require(outcome.others_kept, "all other registers as before", outcome.registers)?;
    expect("pending byte after a call", 0, area.read(0) & 0xff)?;
    Ok(outcome.call_registers())
}
