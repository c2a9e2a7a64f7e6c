//! What a host does to a machine: when, and to whom.

use abi_snp::Vmpl;
use abi_snp::ghcb::{ExitCode, GuestFrame, SaveArea};
use abi_x86::ExceptionVector;

use crate::ghcb::fake_host::FakeHost;
use crate::gpa::Gpa;
use crate::hostile::deed::{Deed, Injection};
use crate::hostile::shared_memory::{NotShared, swap_shared, write_shared};
use crate::hostile::tests::victim::{BOOT, Victim, scenario};

const HLT: abi_svm::ExitCode = abi_svm::ExitCode::HLT;

#[test]
fn deeds_wait_for_their_exits() {
    let mut scenario = scenario(
        "when exit hlt occurrence 2 do take 0x1000\n\
         when exit hlt occurrence 2 do give 0x1000 after 1 exit",
    );
    scenario.exit(BOOT, HLT);
    assert_eq!(scenario.take_due(), None);
    scenario.exit(BOOT, HLT);
    assert_eq!(scenario.take_due().unwrap().deed, Deed::Take(Gpa(0x1000)));
    assert_eq!(scenario.take_due(), None);
    scenario.exit(BOOT, abi_svm::ExitCode::CPUID);
    let due = scenario.take_due().unwrap();
    assert_eq!(due.deed, Deed::Give(Gpa(0x1000)));
    scenario.report(&due, Err("it is in use".into()));
    let notes = scenario.take_notes();
    assert_eq!(notes, ["hostile host, line 2: not possible: it is in use"]);
}

#[test]
fn time_comes_once() {
    let mut scenario = scenario("when time 2us do remap 0x1000\nwhen time 1us do inject nmi");
    assert_eq!(scenario.next_event_ns(), Some(1000));
    scenario.advance(999);
    assert_eq!(scenario.take_due(), None);
    scenario.advance(1500);
    let nmi = Deed::Inject { processor: 0, injection: Injection::NonMaskable };
    assert_eq!(scenario.take_due().unwrap().deed, nmi);
    assert_eq!(scenario.next_event_ns(), Some(2000));
    scenario.advance(1 << 40);
    assert_eq!(scenario.take_due().unwrap().deed, Deed::Remap(Gpa(0x1000)));
    assert_eq!(scenario.next_event_ns(), None);
    scenario.advance(1 << 41);
    assert_eq!(scenario.take_due(), None);
}

#[test]
fn it_is_the_page_that_the_guest_has_named() {
    let mut victim = Victim::of(
        "when page-request cpuid do write it+0x10 ab\n\
         when write-port 0x80 do take it+0x1000\n\
         when guest-request do remap it\n\
         when enter do swap it 0x2000",
    );
    let deed = |victim: &mut Victim| victim.scenario.take_due().map(|due| due.deed);
    let request = SaveArea::request(ExitCode::CPUID.0, 0, 0);
    victim.ask(SaveArea { rax: Some(0), rcx: Some(0), ..request });
    let write = Deed::Write { place: Gpa(0x3010), bytes: [0xab].into() };
    assert_eq!(deed(&mut victim), Some(write));
    let output = SaveArea::request(ExitCode::PORT_IO.0, 0x80 << 16 | 0x240, 0);
    victim.ask(SaveArea { rax: Some(5), ..output });
    assert_eq!(deed(&mut victim), Some(Deed::Take(Gpa(0x6000))));
    victim.ask(SaveArea::request(ExitCode::SNP_GUEST_REQUEST.0, 0x5000, 0x6000));
    assert_eq!(deed(&mut victim), Some(Deed::Remap(Gpa(0x6000))));
    victim.scenario.entry(BOOT, GuestFrame::at(0x3000), 0);
    assert_eq!(deed(&mut victim), Some(Deed::Swap(Gpa(0x3000), Gpa(0x2000))));
    victim.scenario.entry(BOOT, None, 0);
    assert_eq!(deed(&mut victim), None);
    assert_eq!(victim.counts()[3], (0, 1), "no page was registered");
}

#[test]
fn injections_go_to_who_is_meant() {
    let mut scenario = scenario(
        "when exit any do inject interrupt 0x80\n\
         when exit any do inject exception 29 code 0x72 into processor 3",
    );
    scenario.exit(BOOT, HLT);
    let first = Deed::Inject { processor: 0, injection: Injection::Interrupt(0x80) };
    assert_eq!(scenario.take_due().unwrap().deed, first);
    let vector = ExceptionVector::VMM_COMMUNICATION;
    let injection = Injection::Exception { vector, code: 0x72 };
    let second = Deed::Inject { processor: 3, injection };
    assert_eq!(scenario.take_due().unwrap().deed, second);
}

#[test]
fn processors_are_started_and_diverted() {
    let mut scenario = scenario(
        "when exit any do start processor 1 vmpl 2 save-area 0x5000\n\
         when exit any do run processor 1 vmpl 3",
    );
    scenario.exit(BOOT, HLT);
    let save_area = Gpa(0x5000);
    let start = Deed::Start { processor: 1, vmpl: Vmpl::Vmpl2, save_area };
    assert_eq!(scenario.take_due().unwrap().deed, start);
    let run = Deed::Run { processor: 1, vmpl: Vmpl::Vmpl3 };
    assert_eq!(scenario.take_due().unwrap().deed, run);
}

#[test]
fn deeds_that_nobody_carries_out_do_not_pile_up() {
    let mut scenario = scenario("when exit any do inject nmi");
    for _ in 0..2000 {
        scenario.exit(BOOT, HLT);
    }
    let waiting = core::iter::from_fn(|| scenario.take_due()).count();
    assert_eq!(waiting, 1024);
    assert_eq!(scenario.counts().next().unwrap().failed, 2000 - 1024);
}

#[test]
fn shared_memory_is_written() {
    let mut host = FakeHost::new();
    write_shared(&mut host, Gpa(0x1ffe), &[1, 2, 3, 4]).unwrap();
    assert_eq!(host.bytes(0x1ffd, 6), [0, 1, 2, 3, 4, 0]);
    host.shared.remove(&2);
    assert_eq!(write_shared(&mut host, Gpa(0x1ffe), &[9; 4]), Err(NotShared(Gpa(0x2000))));
    assert_eq!(host.bytes(0x1ffe, 2), [1, 2], "nothing was written");
    let end = Gpa(u64::MAX);
    assert_eq!(write_shared(&mut host, end, &[9; 4]), Err(NotShared(end)));
}

#[test]
fn shared_pages_are_swapped() {
    let mut host = FakeHost::new();
    host.bytes_mut(0x1000, 4096).fill(1);
    host.bytes_mut(0x2000, 4096).fill(2);
    swap_shared(&mut host, Gpa(0x1008), Gpa(0x2fff)).unwrap();
    assert_eq!((host.bytes(0x1fff, 1), host.bytes(0x2000, 1)), (&[2][..], &[1][..]));
    host.shared.remove(&1);
    assert_eq!(swap_shared(&mut host, Gpa(0x2000), Gpa(0x1000)), Err(NotShared(Gpa(0x1000))));
    swap_shared(&mut host, Gpa(0x2000), Gpa(0x2000)).unwrap();
    assert_eq!(host.bytes(0x2000, 1), [1]);
}
