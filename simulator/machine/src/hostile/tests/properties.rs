//! Whatever a scenario says and a guest asks, nothing panics.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use abi_snp::ghcb::{MsrRequest, SaveArea};
use proptest::prelude::*;

use crate::ghcb::fake_host::PAGES;
use crate::ghcb::{Next, PageStates};
use crate::gpa::Gpa;
use crate::hostile::deed::Deed;
use crate::hostile::scenario::{Machine, Scenario};
use crate::hostile::shared_memory::{swap_shared, write_shared};
use crate::hostile::tests::victim::{BOOT, Victim};

fn parse(text: &str) -> Option<Scenario> {
    let machine = Machine { processors: 4, has_memory: &|gpa: Gpa| gpa.0 < PAGES << 12 };
    Scenario::parse(text, &machine).ok()
}

/// Words of the language, in no order.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(
        "when do time exit enter msr-request page-request cpuid read-msr write-msr read-port \
         write-port value page-state private shared any guest-request on processor at vmpl \
         occurrence from to every set xor replay corrupt ask deny ignore delay inject interrupt \
         nmi exception code into remap take give swap write start run save-area after exits eax \
         rax ghcb-msr status it it+ it+1 0 1 7 0x1000 5s 00ff # \n"
            .split(' ')
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(word, 0..30).prop_map(|words| words.join(" "))
}

/// Rules that make sense.
fn rules() -> impl Strategy<Value = String> {
    let which = prop::sample::select(["", "every", "occurrence 2", "from 2 to 4"].to_vec());
    let address = prop_oneof![
        (0..PAGES).prop_map(|page| format!("{:#x}", page << 12)),
        (0..0x2000_u64).prop_map(|offset| format!("it+{offset}")),
    ];
    let pages = prop::sample::select(
        ["page-state any", "page-request any", "guest-request", "write-port any", "enter"].to_vec(),
    );
    let deed = prop::sample::select(["remap", "map-back", "take", "give"].to_vec());
    let tampering = prop::sample::select(
        [
            "page-request any do ignore",
            "page-request any do replay",
            "page-request any do ask exit-info-1 0x4000",
            "page-request any do ask rax 0x1000",
            "page-request any do xor exit-info-2 0x8000",
            "page-request any do set rbx 3",
            "msr-request any do ask ghcb-msr 0x16",
            "msr-request any do ask ghcb-msr 0xfff",
            "msr-request any do xor ghcb-msr 0x1000",
            "msr-request any do replay",
            "cpuid any do replay",
            "cpuid any do set eax 0",
            "read-msr any do deny",
            "write-msr any do ignore",
            "read-port any do xor value 0xffffffffffffffff",
            "write-port any do ignore",
            "page-state any do deny",
            "page-state any do ignore",
            "page-state any do delay 1 exit",
            "guest-request do corrupt 0xffe ffff",
            "guest-request do replay",
            "guest-request do ignore",
            "enter do set ghcb-msr 0",
        ]
        .to_vec(),
    );
    prop_oneof![
        (tampering, which).prop_map(|(rule, which)| {
            let (trigger, action) = rule.split_once(" do ").unwrap_or(("", ""));
            format!("when {trigger} {which} do {action}")
        }),
        (pages.clone(), deed, address.clone())
            .prop_map(|(trigger, deed, address)| format!("when {trigger} do {deed} {address}")),
        (pages.clone(), address.clone(), address.clone())
            .prop_map(|(trigger, one, other)| format!("when {trigger} do swap {one} {other}")),
        (pages, address)
            .prop_map(|(trigger, address)| format!("when {trigger} do write {address} 00ff")),
    ]
}

fn values() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..8_u64,
        4 => (0..PAGES + 1).prop_map(|page| page << 12),
        2 => 0x3800..0x4000_u64,
        2 => (any::<u16>(), 0..0x280_u64).prop_map(|(port, low)| u64::from(port) << 16 | low),
        1 => any::<u64>(),
    ]
}

prop_compose! {
    fn requests()(
        code in prop::sample::select(
            [0x72, 0x7b, 0x7c, 0x81, 0x8000_0004, 0x8000_0010, 0x8000_0011, 0x8000_0012,
             0x8000_0013, 0x8000_0018, 0x1234].to_vec()
        ),
        fields in prop::array::uniform7(prop::option::weighted(0.9, values())),
    ) -> SaveArea {
        let [exit_info_1, exit_info_2, scratch, rax, rbx, rcx, rdx] = fields;
        let cpl = Some(0);
        let exit_code = Some(code);
        SaveArea {
            exit_code, exit_info_1, exit_info_2, scratch, rax, rbx, rcx, rdx, cpl,
            ..SaveArea::default()
        }
    }
}

/// Requests by the MSR, most of them possible ones.
fn msr_values() -> impl Strategy<Value = u64> {
    let operation = prop::sample::select([2, 4, 6, 0x10, 0x12, 0x14, 0x16, 0x80].to_vec());
    prop_oneof![
        4 => (operation, values(), 0..4_u64)
            .prop_map(|(operation, data, high)| high << 52 | data << 12 | operation),
        1 => any::<u64>(),
    ]
}

/// Does a deed as far as it does not need a processor.
fn carry_out(victim: &mut Victim, deed: &Deed) -> Result<(), String> {
    let host = &mut victim.guest.host;
    match deed {
        Deed::Swap(one, other) => swap_shared(host, *one, *other).map_err(|_| "swap".into()),
        Deed::Write { place, bytes } => {
            write_shared(host, *place, bytes).map_err(|_| "write".into())
        }
        Deed::ChangePageState { frame, size, operation } => {
            host.change_page_state(*frame, *size, *operation).map_err(|_| "state".into())
        }
        _ => Ok(()),
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        parse(&text);
    }

    #[test]
    fn any_words_are_read_or_refused(text in words()) {
        parse(&text);
    }

    #[test]
    fn any_rules_meet_any_guest(
        rules in prop::collection::vec(rules(), 1..8),
        steps in prop::collection::vec((requests(), prop::option::of(msr_values())), 1..20),
    ) {
        let text = rules.join("\n");
        let Some(scenario) = parse(&text) else { panic!("refused: {text}") };
        let mut victim = Victim::of("");
        victim.scenario = scenario;
        for (request, msr) in steps {
            victim.scenario.exit(BOOT, abi_svm::ExitCode::CPUID);
            victim.scenario.entry(BOOT, Some(victim.guest.ghcb), 0);
            while let Some(due) = victim.scenario.take_due() {
                let result = carry_out(&mut victim, &due.deed);
                victim.scenario.report(&due, result);
            }
            let answer = match msr {
                Some(value) => victim.exit(value),
                None => {
                    victim.guest.prepare(&request);
                    victim.exit(MsrRequest::Ghcb(victim.guest.ghcb).encode())
                }
            };
            victim.scenario.take_notes();
            // Only what runs can ask on.
            if answer.next != Next::Resume {
                break;
            }
        }
    }
}
