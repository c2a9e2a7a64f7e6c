//! Whatever a guest asks, the answer is one of the specification's forms.

use alloc::vec;
use alloc::vec::Vec;

use abi_snp::Vmpl;
use abi_snp::ghcb::{
    ApCreation, ApCreationAction, ExitCode, HoldApReset, MalformedInput, MsrCall, MsrOperation,
    MsrRequest, MsrResponse, NaeError, NaeOutputs, PageStateHeader, RunVmpl, SaveArea, ValidFields,
};
use proptest::prelude::*;

use crate::ghcb::answer::{Answer, Next, Stop};
use crate::ghcb::fake_host::{DEVICE, PAGES};
use crate::ghcb::test_guest::{TestGuest, save_area};
use crate::processors::{RunState, SaveAreaPage, Target};

/// Fields that an answer may mark, per event; [`ValidFields::EXIT_INFO_1`] and
/// [`ValidFields::EXIT_INFO_2`] always are.
fn possible_outputs(code: ExitCode) -> ValidFields {
    let rax_rdx = ValidFields::RAX | ValidFields::RDX;
    match code {
        ExitCode::DR7_READ | ExitCode::VMMCALL | ExitCode::PORT_IO | ExitCode::GET_APIC_IDS => {
            ValidFields::RAX
        }
        ExitCode::RDTSC | ExitCode::RDPMC | ExitCode::MSR => rax_rdx,
        ExitCode::RDTSCP => rax_rdx | ValidFields::RCX,
        ExitCode::CPUID => rax_rdx | ValidFields::RBX | ValidFields::RCX,
        ExitCode::SNP_EXTENDED_GUEST_REQUEST => ValidFields::RBX,
        _ => ValidFields::empty(),
    }
}

/// Event codes, known ones more often than others.
fn codes() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0x8000_0000..0x8000_0020_u64,
        2 => 0x8000_fffd..=0x8000_ffff_u64,
        4 => prop::sample::select(
            [0x27, 0x37, 0x6e, 0x6f, 0x72, 0x76, 0x7b, 0x7c, 0x81, 0x87, 0x89, 0x8a, 0x8b].to_vec()
        ),
        1 => any::<u64>(),
    ]
}

/// Words that are often an address, a small number or an encoding.
fn words() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 0..5_u64,
        3 => (0..PAGES + 2).prop_map(|page| page * 0x1000),
        3 => 0x3800..0x4000_u64,
        1 => Just(DEVICE.0),
        1 => (0..6_u64, 0..6_u64, 0..4_u64).prop_map(|(id, vmpl, action)| id << 32 | vmpl << 16 | action),
        1 => (any::<u16>(), 0..0x80_u64).prop_map(|(port, low)| u64::from(port) << 16 | low),
        1 => 0x80_0000..0x80_4000_u64,
        2 => any::<u64>(),
    ]
}

fn fields() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![9 => words().prop_map(Some), 1 => Just(None)]
}

prop_compose! {
    /// A list of page state changes, also of pages that the request is in.
    fn lists()(
        current in 0..2_u16,
        entries in prop::collection::vec(
            (0..PAGES + 2, prop_oneof![1..3_u64, 0..6_u64], prop_oneof![Just(0), 0..4_u64]),
            1..6,
        ),
    ) -> Vec<u64> {
        let last = entries.len() as u16 - 1;
        let header = PageStateHeader { current_entry: current, end_entry: last, reserved: 0 };
        let entries = entries.into_iter().map(|(page, operation, done)| {
            page << 12 | operation << 52 | done
        });
        core::iter::once(header.encode()).chain(entries).collect()
    }
}

prop_compose! {
    fn requests()(
        code in codes(),
        words in (fields(), fields(), fields()),
        registers in (fields(), fields(), fields(), fields()),
        others in (fields(), fields()),
        cpl in prop::option::of(any::<u8>()),
    ) -> SaveArea {
        let (exit_info_1, exit_info_2, scratch) = words;
        let (rax, rbx, rcx, rdx) = registers;
        let (xcr0, rsi) = others;
        SaveArea {
            exit_code: Some(code),
            exit_info_1,
            exit_info_2,
            scratch,
            rax,
            rbx,
            rcx,
            rdx,
            xcr0,
            rsi,
            cpl,
            ..SaveArea::default()
        }
    }
}

/// What happens next in a sequence.
#[derive(Clone, Debug)]
struct Step {
    processor: u32,
    way: Way,
    /// What is asked by the page.
    request: SaveArea,
}

/// How something happens.
#[derive(Clone, Copy, Debug)]
enum Way {
    Init,
    StartUp,
    Halt,
    Wake,
    /// An exit with this value in the register.
    Msr(u64),
    /// An exit with the page.
    Page,
}

prop_compose! {
    /// A creation or destruction that may well succeed.
    fn creations()(
        action in prop::sample::select(
            [ApCreationAction::CreateOnInit, ApCreationAction::Create, ApCreationAction::Destroy]
                .to_vec()
        ),
        vmpl in prop::sample::select(Vmpl::ALL.to_vec()),
        apic_id in 0..4_u32,
        page in 0..4_u64,
    ) -> SaveArea {
        let SaveAreaPage { gpa, features } = save_area(page);
        let info_1 = ApCreation { action, vmpl, apic_id }.encode();
        let words = SaveArea::request(ExitCode::SNP_AP_CREATION.0, info_1, gpa.0);
        SaveArea { rax: Some(features.bits()), ..words }
    }
}

prop_compose! {
    fn steps()(
        processor in 0..4_u32,
        way in prop_oneof![
            1 => Just(Way::Init),
            1 => Just(Way::StartUp),
            1 => Just(Way::Halt),
            1 => Just(Way::Wake),
            1 => Just(Way::Msr(HoldApReset.request().encode())),
            2 => prop::sample::select(Vmpl::ALL.to_vec())
                .prop_map(|vmpl| Way::Msr(RunVmpl(vmpl).request().encode())),
            4 => Just(Way::Page),
        ],
        request in prop_oneof![requests(), creations()],
    ) -> Step {
        Step { processor, way, request }
    }
}

/// A guest with a page that is not shared, a page that does not change, and a
/// save area for VMPL2.
fn guest() -> TestGuest {
    let mut guest = TestGuest::new();
    guest.host.shared.remove(&9);
    guest.host.stubborn.insert(11);
    guest.host.certificates = vec![7; 0x1800];
    let target = Target { processor: guest.processor, vmpl: Vmpl::Vmpl2 };
    guest.server.processors_mut().create_on_init(guest.processor, target, save_area(9)).unwrap();
    guest
}

/// What the server says agrees with its own account.
fn is_consistent(guest: &TestGuest, answer: &Answer) -> bool {
    let state = guest.server.processors().state(guest.processor);
    match answer.next {
        Next::Resume => matches!(state, RunState::Runnable(_)),
        Next::Run(running) => state == RunState::Runnable(running),
        Next::HoldUntilStartup => matches!(state, RunState::WaitsForStartup(_)),
        Next::Idle => state == RunState::NotCreated,
        Next::Stop(_) => true,
    }
}

/// The operation of an answer: the next number, but for one request.
fn answers(request: MsrOperation) -> MsrOperation {
    match request {
        MsrOperation::SEV_INFORMATION_REQUEST => MsrOperation::SEV_INFORMATION_RESPONSE,
        MsrOperation(number) => MsrOperation(number + 1),
    }
}

fn is_known(reason: MalformedInput) -> bool {
    reason.name().is_some()
}

proptest! {
    #[test]
    fn any_value_of_the_register_is_answered_or_ends_the_guest(
        operation in prop_oneof![0..0x18_u64, Just(0x80), Just(0x100), 0..0x1000_u64],
        data in words(),
    ) {
        let value = data << 12 | operation;
        let mut guest = guest();
        let answer = guest.exit(value);
        prop_assert!(is_consistent(&guest, &answer));
        match (MsrRequest::decode(value), answer.next) {
            (Ok(MsrRequest::Ghcb(_)), Next::Resume) => prop_assert_eq!(answer.ghcb_msr, value),
            (Ok(request), Next::Resume) => {
                let response = MsrResponse::decode(answer.ghcb_msr).unwrap();
                prop_assert_eq!(response.operation(), answers(request.operation()));
            }
            (Ok(request), Next::HoldUntilStartup) => {
                prop_assert_eq!(request, MsrRequest::ApResetHold);
            }
            (Ok(request), Next::Run(running)) => {
                prop_assert_eq!(request, MsrRequest::RunVmpl(running.vmpl));
            }
            (Err(_), next) => prop_assert!(matches!(next, Next::Stop(_))),
            (Ok(request), Next::Stop(_)) => prop_assert!(
                matches!(request, MsrRequest::Terminate(_) | MsrRequest::Ghcb(_))
            ),
            (Ok(_), Next::Idle) => prop_assert!(false, "nothing was destroyed"),
        }
    }

    #[test]
    fn any_request_by_the_page_is_answered_or_ends_the_guest(
        request in requests(),
        buffer in prop::collection::vec(0..4_u64, 16),
    ) {
        let mut guest = guest();
        let place = guest.buffer(0);
        let bytes: Vec<u8> = buffer
            .iter()
            .zip([0, 52, 52, 12, 0, 20])
            .flat_map(|(word, shift)| (word << shift).to_le_bytes())
            .collect();
        guest.host.bytes_mut(place, bytes.len()).copy_from_slice(&bytes);
        guest.prepare(&request);
        let answer = guest.exit_by_page();
        prop_assert!(is_consistent(&guest, &answer));
        if answer.next == Next::Resume {
            let page = guest.page();
            let code = ExitCode(request.exit_code.unwrap());
            let always = ValidFields::EXIT_INFO_1 | ValidFields::EXIT_INFO_2;
            let marked = page.valid_fields();
            prop_assert!(marked.contains(always), "{code}: {marked}");
            match NaeOutputs::check(&page, ValidFields::EXIT_INFO_2) {
                Ok(_) => prop_assert!((always | possible_outputs(code)).contains(marked)),
                Err(NaeError::Refused(reason)) => {
                    prop_assert!(is_known(reason));
                    prop_assert_eq!(marked, always);
                }
                Err(NaeError::Exception(_)) => prop_assert_eq!(marked, always),
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
    }

    #[test]
    fn any_list_of_pages_is_answered_or_ends_the_guest(
        words in lists(),
        place in prop_oneof![Just(None), (6..12_u64).prop_map(|page| Some(page * 0x1000 + 0x10))],
    ) {
        let mut guest = guest();
        let place = place.unwrap_or(guest.buffer(0));
        let bytes: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
        guest.host.bytes_mut(place, bytes.len()).copy_from_slice(&bytes);
        let request = SaveArea::request(ExitCode::SNP_PAGE_STATE_CHANGE.0, 0, 0);
        guest.prepare(&SaveArea { scratch: Some(place), ..request });
        let answer = guest.exit_by_page();
        if guest.host.shared.contains(&guest.ghcb.number()) {
            prop_assert_eq!(answer.next, Next::Resume);
            match NaeOutputs::check(&guest.page(), ValidFields::empty()) {
                Ok(_) => {}
                Err(NaeError::Refused(reason)) => prop_assert!(is_known(reason)),
                Err(error) => prop_assert!(false, "{}", error),
            }
        } else {
            prop_assert_eq!(answer.next, Next::Stop(Stop::InaccessibleGhcb(guest.ghcb)));
        }
    }

    #[test]
    fn any_page_of_bytes_is_answered_or_ends_the_guest(
        bytes in prop::collection::vec(any::<u8>(), 4096),
        usage_is_known in any::<bool>(),
    ) {
        let mut guest = guest();
        let page = guest.ghcb.address();
        guest.host.bytes_mut(page, 4096).copy_from_slice(&bytes);
        if usage_is_known {
            guest.host.bytes_mut(page + 0xffc, 4).fill(0);
        }
        let answer = guest.exit_by_page();
        prop_assert!(is_consistent(&guest, &answer));
        prop_assert_eq!(answer.next, Next::Resume, "unknown events, unless one in 2^32");
        let refused = NaeOutputs::check(&guest.page(), ValidFields::empty());
        prop_assert!(matches!(refused, Err(NaeError::Refused(reason)) if is_known(reason)));
    }

    #[test]
    fn any_sequence_keeps_the_account(steps in prop::collection::vec(steps(), 1..60)) {
        let mut guest = guest();
        for Step { processor, way, request } in steps {
            let index = guest.server.processors().index(processor).unwrap();
            guest.processor = index;
            match way {
                Way::Init => guest.server.processors_mut().init(index),
                Way::StartUp => {
                    guest.server.start_up(index, &mut guest.host);
                }
                Way::Halt => guest.server.processors_mut().halt(index),
                Way::Wake => guest.server.processors_mut().wake(index),
                Way::Msr(_) | Way::Page => {}
            }
            if !matches!(guest.server.processors().state(index), RunState::Runnable(_)) {
                continue;
            }
            let answer = if let Way::Msr(value) = way {
                guest.exit(value)
            } else {
                guest.exit(MsrRequest::RegisterGhcb(guest.ghcb).encode());
                guest.prepare(&request);
                guest.exit_by_page()
            };
            prop_assert!(is_consistent(&guest, &answer));
            prop_assert_ne!(answer.evicted, Some(index));
            // Asking for the state panics if a level runs that waits for
            // another one.
            let processors = guest.server.processors();
            for other in processors.indices() {
                let idle = processors.state(other) == RunState::NotCreated;
                prop_assert_eq!(idle, processors.context(other).is_none());
            }
            if matches!(answer.next, Next::Stop(_)) {
                break;
            }
        }
    }
}
