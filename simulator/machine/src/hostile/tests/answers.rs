//! Answers that are tampered with, as the guest sees them.

use alloc::vec;

use abi_snp::ghcb::{
    AskCpuid, AssignPage, CpuidRegister, ExitCode, GuestFrame, GuestRequestStatus, MsrRequest,
    PageAssignment, SaveArea,
};
use abi_snp::{PageSize, Vmpl};

use crate::ghcb::fake_host::{Access, SCRATCH_REGISTER};
use crate::ghcb::{Next, PageStates};
use crate::gpa::Gpa;
use crate::guest_memory::GuestMemory;
use crate::hostile::deed::Deed;
use crate::hostile::tests::victim::{BOOT, Victim};
use crate::reverse_map::Encryption;

const REQUEST: u64 = 0x5000;
const RESPONSE: u64 = 0x6000;

fn cpuid(leaf: u64, subleaf: u64) -> SaveArea {
    let request = SaveArea::request(ExitCode::CPUID.0, 0, 0);
    SaveArea { rax: Some(leaf), rcx: Some(subleaf), xcr0: Some(1), ..request }
}

fn read_register() -> SaveArea {
    let request = SaveArea::request(ExitCode::MSR.0, 0, 0);
    SaveArea { rcx: Some(SCRATCH_REGISTER.0.into()), ..request }
}

fn message() -> SaveArea {
    SaveArea::request(ExitCode::SNP_GUEST_REQUEST.0, REQUEST, RESPONSE)
}

/// How the message fared, and one byte of the response.
fn send(victim: &mut Victim) -> (u64, u8) {
    let page = victim.ask(message());
    (page.exit_info_2.unwrap(), victim.guest.host.bytes(RESPONSE + 2, 1)[0])
}

#[test]
fn cpuid_is_changed_in_both_protocols() {
    let mut victim = Victim::of(
        "when cpuid 7 subleaf 0 do xor eax 0x10\n\
         when cpuid 7 do set edx 5\n\
         when cpuid 8 do set eax 9",
    );
    let page = victim.ask(cpuid(7, 0));
    assert_eq!((page.rax, page.rbx, page.rdx), (Some(0x17), Some(0), Some(5)));
    assert_eq!(victim.ask(cpuid(7, 1)).rax, Some(7));
    let call = AskCpuid { function: 7, register: CpuidRegister::Eax };
    assert_eq!(victim.call(call), Ok(0x17));
    assert_eq!(victim.counts(), [(2, 0), (3, 0), (0, 0)]);
}

#[test]
fn only_the_occurrences_that_count() {
    let mut victim = Victim::of("when cpuid any from 2 to 3 do set eax 0xff");
    let found = [1, 2, 3, 4].map(|leaf| victim.ask(cpuid(leaf, 0)).rax.unwrap());
    assert_eq!(found, [1, 0xff, 0xff, 4]);
}

#[test]
fn only_who_is_meant() {
    let mut victim = Victim::of(
        "when cpuid any on processor 1 do set eax 1\n\
         when cpuid any at vmpl 1 do set eax 2\n\
         when cpuid any on processor 0 at vmpl 0 do set ebx 3",
    );
    let page = victim.ask(cpuid(9, 0));
    assert_eq!((page.rax, page.rbx), (Some(9), Some(3)));
    assert_eq!(victim.counts(), [(0, 0), (0, 0), (1, 0)]);
}

#[test]
fn the_answer_before_is_replayed() {
    let mut victim = Victim::of("when cpuid any from 2 do replay");
    assert_eq!([3, 4, 5].map(|leaf| victim.ask(cpuid(leaf, 0)).rax.unwrap()), [3, 3, 4]);
    let mut victim = Victim::of("when page-request cpuid do replay");
    assert_eq!([3, 4].map(|leaf| victim.ask(cpuid(leaf, 0)).rax.unwrap()), [3, 3]);
    assert_eq!(victim.counts(), [(1, 1)], "at first there is nothing to replay");
}

#[test]
fn registers_are_changed_refused_and_not_written() {
    let mut victim = Victim::of(
        "when read-msr 0x1234 occurrence 1 do set value 0x1_0000_0002\n\
         when read-msr any occurrence 2 do deny\n\
         when write-msr any do ignore",
    );
    let page = victim.ask(read_register());
    assert_eq!((page.rax, page.rdx), (Some(2), Some(1)));
    assert_eq!(victim.ask(read_register()).exit_info_1, Some(1), "an exception");
    let write = SaveArea { rax: Some(7), rdx: Some(0), ..read_register() };
    let page = victim.ask(SaveArea { exit_info_1: Some(1), ..write });
    assert_eq!(page.exit_info_1, Some(0));
    assert_eq!(victim.guest.host.msrs[&SCRATCH_REGISTER.0], 0);
}

#[test]
fn ports_are_changed_and_not_written() {
    let mut victim = Victim::of(
        "when read-port 0x60 do set value 0x5a\n\
         when write-port any value 0x41 do ignore",
    );
    // Port 0x60, one byte; bit 0 is set for an input.
    let access = |details: u64| SaveArea::request(ExitCode::PORT_IO.0, 0x60 << 16 | details, 0);
    assert_eq!(victim.ask(access(0x211)).rax, Some(0x5a));
    victim.guest.host.take_accesses();
    for value in [0x41, 0x42] {
        victim.ask(SaveArea { rax: Some(value), ..access(0x210) });
    }
    let width = abi_snp::ghcb::PortIoWidth::One;
    assert_eq!(victim.guest.host.take_accesses(), [Access::WritePort(0x60, width, 0x42)]);
}

#[test]
fn words_of_answers_are_changed() {
    let mut victim = Victim::of(
        "when page-request msr do set exit-info-1 0x7700000000\n\
         when page-request 0x7c do xor rdx 4\n\
         when page-request any do set rbx 1",
    );
    let page = victim.ask(read_register());
    assert_eq!(page.exit_info_1, Some(0x77_0000_0000));
    assert_eq!((page.rdx, page.rbx), (Some(4), Some(1)), "RBX is marked as valid, too");
    let mut victim = Victim::of("when msr-request hypervisor-features do set ghcb-msr 0xdead");
    let answer = victim.exit(MsrRequest::HypervisorFeatures.encode());
    assert_eq!(answer.ghcb_msr, 0xdead);
    let processors = victim.guest.server.processors();
    let context = processors.context(victim.guest.processor).unwrap();
    assert_eq!(context.ghcb_msr, 0xdead, "it is there after a change of level, too");
}

#[test]
fn requests_are_not_answered() {
    let mut victim = Victim::of(
        "when page-request cpuid do ignore\n\
         when msr-request termination do ignore",
    );
    let request = cpuid(1, 2);
    assert_eq!(victim.ask(request), request, "the page is as the guest left it");
    let reason =
        abi_snp::ghcb::TerminationReason::new(abi_snp::ghcb::ReasonSet::new(0).unwrap(), 0);
    let value = MsrRequest::Terminate(reason).encode();
    let answer = victim.exit(value);
    assert_eq!((answer.next, answer.ghcb_msr), (Next::Resume, value));
}

#[test]
fn requests_are_served_as_if_they_were_others() {
    let mut victim = Victim::of(
        "when page-request cpuid do ask rax 0x55\n\
         when msr-request cpuid do ask ghcb-msr 0x4000_0077_4000_0004",
    );
    assert_eq!(victim.ask(cpuid(1, 0)).rax, Some(0x55));
    victim.guest.host.take_accesses();
    victim.exit(MsrRequest::Cpuid { function: 1, register: CpuidRegister::Eax }.encode());
    let accesses = victim.guest.host.take_accesses();
    assert!(matches!(accesses[..], [Access::Cpuid(0, query)] if query.leaf == 0x4000_0077));
}

#[test]
fn page_states_are_denied_claimed_and_delayed() {
    let mut victim = Victim::of(
        "when page-state private 0x8000 do deny\n\
         when page-state any 0x9000 to 0xafff do ignore\n\
         when page-state private 0xb000 do delay 2 exits",
    );
    let mut assign = |gpa| {
        let frame = GuestFrame::at(gpa).unwrap();
        victim.call(AssignPage { frame, assignment: PageAssignment::Private }).is_ok()
    };
    let found = [0x7000, 0x8000, 0x9000, 0xa000, 0xb000].map(&mut assign);
    assert_eq!(found, [true, false, true, true, true]);
    let shared = [7, 8, 9, 10, 11].map(|page| victim.guest.host.shared.contains(&page));
    assert_eq!(shared, [false, true, true, true, true]);

    assert_eq!(victim.scenario.take_due(), None);
    victim.scenario.exit(BOOT, abi_svm::ExitCode::HLT);
    assert_eq!(victim.scenario.take_due(), None);
    victim.scenario.exit(BOOT, abi_svm::ExitCode::HLT);
    let due = victim.scenario.take_due().unwrap();
    let frame = GuestFrame::at(0xb000).unwrap();
    let size = PageSize::Size4K;
    let operation = abi_snp::ghcb::PageOperation::Private;
    let expected = Deed::ChangePageState { frame, size, operation };
    assert_eq!(due.deed, expected);
    victim.scenario.report(&due, Ok(()));
    assert_eq!(victim.counts(), [(1, 0), (2, 0), (1, 0)]);
}

#[test]
fn responses_are_corrupted_replayed_and_held_back() {
    let mut victim = Victim::of("when guest-request occurrence 1 do corrupt 1 00f00f");
    victim.guest.host.bytes_mut(RESPONSE, 4096).fill(0x55);
    assert_eq!(send(&mut victim), (0, 0xa5));
    assert_eq!(victim.guest.host.bytes(RESPONSE, 5), [0x55, 0x55, 0xa5, 0x5a, 0x55]);

    let mut victim = Victim::of("when guest-request occurrence 2 do replay");
    victim.guest.host.bytes_mut(RESPONSE, 4096).fill(1);
    assert_eq!(send(&mut victim), (0, 1));
    victim.guest.host.bytes_mut(RESPONSE, 4096).fill(2);
    victim.guest.host.status.hypervisor_error = GuestRequestStatus::BUSY;
    assert_eq!(send(&mut victim), (0, 1), "status and page are those of the first time");

    let mut victim = Victim::of("when guest-request do ignore\nwhen guest-request do set status 9");
    assert_eq!(send(&mut victim), (9, 0));
    assert_eq!(victim.guest.host.take_accesses(), vec![], "no message was passed on");
}

#[test]
fn an_entry_changes_the_register() {
    let mut victim = Victim::of("when enter at vmpl 2 do xor ghcb-msr 0xf0");
    let lower = crate::processors::Target { vmpl: Vmpl::Vmpl2, ..BOOT };
    assert_eq!(victim.scenario.entry(BOOT, None, 0x17), 0x17);
    assert_eq!(victim.scenario.entry(lower, None, 0x17), 0xe7);
}

#[test]
fn a_host_without_rules_plays_fair() {
    let mut honest = crate::ghcb::test_guest::TestGuest::new();
    let mut victim = Victim::of("");
    for request in [cpuid(7, 1), read_register(), message()] {
        assert_eq!(victim.ask(request), honest.ask(request));
    }
    assert!(victim.scenario.take_notes().is_empty());
}

#[test]
fn notes_say_what_was_done_but_not_too_often() {
    let mut victim = Victim::of("\n when cpuid any do set ecx 1 # evil");
    for _ in 0..20 {
        victim.ask(cpuid(7, 0));
    }
    let notes = victim.scenario.take_notes();
    assert_eq!(
        notes[0],
        "hostile host, line 2: ecx 0xfffffff8 becomes 0x1 (CPUID 0x7/0x0 on processor 0 at VMPL0)"
    );
    assert_eq!(notes.len(), 8);
    assert!(notes[7].ends_with("; further times are only counted"));
    assert!(victim.scenario.take_notes().is_empty());
    let count = victim.scenario.counts().next().unwrap();
    assert_eq!(count.rule, "line 2: when cpuid any do set ecx 1");
    assert_eq!((count.done, count.failed), (20, 0));
}

#[test]
fn private_pages_are_left_alone() {
    // The guest makes its GHCB page private: there is no answer to change.
    let mut victim = Victim::of("when page-state private do delay 0 exits");
    let frame = victim.guest.ghcb;
    victim.call(AssignPage { frame, assignment: PageAssignment::Private }).unwrap();
    let due = victim.scenario.take_due().unwrap();
    let Deed::ChangePageState { frame, size, operation } = due.deed else {
        panic!("{due:?}");
    };
    victim.guest.host.change_page_state(frame, size, operation).unwrap();
    let answer = victim.exit(MsrRequest::Ghcb(frame).encode());
    assert!(matches!(answer.next, Next::Stop(_)));
    assert!(!victim.guest.host.is_shared(frame));
    let mut byte = [0];
    victim.guest.host.read(Gpa(0x4000), Encryption::Shared, &mut byte).unwrap();
}
