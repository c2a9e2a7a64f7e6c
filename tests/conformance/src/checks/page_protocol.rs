//! Events of the GHCB page: each with what it returns, and malformed requests.

use abi_snp::ghcb::{ApicIdList, SHARED_BUFFER_SIZE};
use abi_snp::ghcb::{
    AskHypervisorFeatures, ExitCode, ExitOutcome, HypervisorFeatures, MalformedInput, NaeError,
    PortIo, PortIoDirection, PortIoOperation, PortIoRepeat, PortIoWidth, RequestedException,
    SaveArea, ValidFields,
};
use abi_x86::Msr;
use alloc::vec;
use alloc::vec::Vec;

use super::check::Check;
use crate::bench::{Bench, request};
use crate::verdict::{Verdict, expect, require, skip};

const SOURCE: &str = "GHCB 56421 2.04 §4.1";

/// Delays, in old PCs: nothing follows from reading or writing it.
const DELAY_PORT: u16 = 0x80;
/// The scratch register of the first serial port: it keeps what is written.
const KEEPING_PORT: u16 = 0x3ff;
/// A number that no register has.
const NO_MSR: Msr = Msr(0x4fff_fff0);

macro_rules! check {
    ($name:literal, $hardware:literal, $run:expr) => {
        Check {
            name: concat!("page-protocol/", $name),
            source: SOURCE,
            hardware: $hardware,
            run: $run,
        }
    };
}

pub(super) const CHECKS: &[Check] = &[
    check!("cpuid", "CPUID returns EAX to EDX, with the vendor of the CPUID page", cpuid),
    check!(
        "cpuid-page-agrees",
        "the CPUID page has the hypervisor's values of the leaves that name vendor and encryption",
        cpuid_page_agrees
    ),
    check!("rdtsc", "RDTSC returns a time that goes on", rdtsc),
    check!("rdtscp", "RDTSCP returns a time and ECX", rdtscp),
    check!("rdpmc", "RDPMC returns a value or #GP(0)", rdpmc),
    check!("caches", "WBINVD and INVD succeed", caches),
    check!("waiting", "MONITOR and MWAIT succeed", waiting),
    check!("dr7", "DR7 reads as what was written", dr7),
    check!("msr", "a machine's own register is read, and written with its value", msr),
    check!("msr-unknown", "reading a register that there is not asks for #GP(0)", msr_unknown),
    check!("port", "a port keeps what is written, byte by byte", port),
    check!("port-string", "strings go out of the buffer and come into it", port_string),
    check!("vmmcall", "VMMCALL returns RAX", vmmcall),
    check!("mmio", "the local APIC's version is read by its address", mmio),
    check!("features", "the event gives what the GHCB MSR gives", features),
    check!("apic-ids", "as many APIC IDs as processors, each once", apic_ids),
    check!("apic-ids-too-few-pages", "without pages, RAX is how many it takes", apic_ids_too_few),
    check!(
        "missing-code",
        "without the exit code marked as valid: missing input (4)",
        missing_code
    ),
    check!(
        "missing-register",
        "without a register that it needs: missing input (4)",
        missing_register
    ),
    check!("usage", "a page of another usage than 0: invalid usage (2)", usage),
    check!("unknown-event", "an event that there is not: invalid event (6)", unknown_event),
    check!(
        "scratch-outside",
        "a buffer in private memory: invalid scratch area (3)",
        scratch_outside
    ),
    check!(
        "scratch-too-long",
        "a buffer that leaves the page's own: invalid scratch area (3)",
        scratch_too_long
    ),
    check!(
        "answer-is-marked",
        "an answer marks both words of information as valid",
        answer_is_marked
    ),
];

fn refused(bench: &Bench, asked: &SaveArea, reason: MalformedInput) -> Verdict {
    let answer = bench.ask(asked, ValidFields::empty());
    expect("answer", Err(NaeError::Refused(reason)), answer.map(drop))
}

fn cpuid_request(function: u32) -> SaveArea {
    SaveArea {
        rax: Some(function.into()),
        rcx: Some(0),
        ..SaveArea::request(ExitCode::CPUID.0, 0, 0)
    }
}

/// RAX, RBX, RCX, RDX.
const ALL: ValidFields =
    ValidFields::RAX.union(ValidFields::RBX).union(ValidFields::RCX).union(ValidFields::RDX);

fn cpuid(bench: &mut Bench) -> Verdict {
    let outputs = bench.must(&cpuid_request(0), ALL)?;
    let entries = bench.guest.cpuid.entries().unwrap_or_default();
    let page = entries.iter().find(|entry| entry.eax_in == 0);
    let page = page.map(|entry| [entry.ebx, entry.edx, entry.ecx].map(u64::from));
    expect("vendor", page, Some([outputs.rbx, outputs.rdx, outputs.rcx]))
}

fn cpuid_page_agrees(bench: &mut Bench) -> Verdict {
    for leaf in [0, 0x8000_0000, 0x8000_001f] {
        let entries = bench.guest.cpuid.entries().unwrap_or_default();
        let Some(entry) = entries.iter().find(|entry| entry.eax_in == leaf) else { continue };
        let expected = [entry.ebx, entry.ecx, entry.edx].map(u64::from);
        let got = bench.must(&cpuid_request(leaf), ALL)?;
        expect("EBX, ECX, EDX", expected, [got.rbx, got.rcx, got.rdx])?;
    }
    Ok(())
}

fn rdtsc(bench: &mut Bench) -> Verdict {
    let asked = SaveArea::request(ExitCode::RDTSC.0, 0, 0);
    let time = || {
        let outputs = bench.must(&asked, ValidFields::RAX | ValidFields::RDX)?;
        Ok(outputs.rdx << 32 | outputs.rax & 0xffff_ffff)
    };
    let (first, second) = (time()?, time()?);
    require(second > first, "a later time", (first, second))
}

fn rdtscp(bench: &mut Bench) -> Verdict {
    let asked = SaveArea::request(ExitCode::RDTSCP.0, 0, 0);
    let result = bench.ask(&asked, ValidFields::RAX | ValidFields::RCX | ValidFields::RDX);
    match result {
        Ok(_) => Ok(()),
        // TSC_AUX is the guest's own: a hypervisor may not have it.
        Err(NaeError::Exception(_)) => Ok(()),
        Err(error) => require(false, "a time, or an exception", error),
    }
}

fn rdpmc(bench: &mut Bench) -> Verdict {
    let asked = SaveArea { rcx: Some(0), ..SaveArea::request(ExitCode::RDPMC.0, 0, 0) };
    match bench.ask(&asked, ValidFields::RAX | ValidFields::RDX) {
        Ok(_) | Err(NaeError::Exception(RequestedException::GeneralProtection { .. })) => Ok(()),
        Err(error) => require(false, "a value or #GP", error),
    }
}

fn caches(bench: &mut Bench) -> Verdict {
    for code in [ExitCode::WBINVD, ExitCode::INVD] {
        bench.must(&SaveArea::request(code.0, 0, 0), ValidFields::empty())?;
    }
    Ok(())
}

fn waiting(bench: &mut Bench) -> Verdict {
    let monitor = SaveArea {
        rax: Some(bench.ghcb.0.gpa()),
        rcx: Some(0),
        rdx: Some(0),
        ..SaveArea::request(ExitCode::MONITOR.0, 0, 0)
    };
    bench.must(&monitor, ValidFields::empty())?;
    let mwait =
        SaveArea { rax: Some(0), rcx: Some(0), ..SaveArea::request(ExitCode::MWAIT.0, 0, 0) };
    bench.must(&mwait, ValidFields::empty()).map(drop)
}

fn dr7(bench: &mut Bench) -> Verdict {
    if bench.features().contains(abi_snp::SevFeatures::DEBUG_SWAP) {
        return skip("the processor switches debug registers itself");
    }
    for value in [0x401, abi_x86::reset::DR7] {
        let write = SaveArea { rax: Some(value), ..SaveArea::request(ExitCode::DR7_WRITE.0, 0, 0) };
        bench.must(&write, ValidFields::empty())?;
        let read = SaveArea::request(ExitCode::DR7_READ.0, 0, 0);
        expect("DR7", value, bench.must(&read, ValidFields::RAX)?.rax)?;
    }
    Ok(())
}

fn msr(bench: &mut Bench) -> Verdict {
    // The default memory type, of which there must be one.
    const DEFAULT_TYPE: Msr = Msr(0x2ff);
    let value = bench.read_msr(DEFAULT_TYPE)?;
    bench.write_msr(DEFAULT_TYPE, value)?;
    expect("the register", value, bench.read_msr(DEFAULT_TYPE)?)
}

fn msr_unknown(bench: &mut Bench) -> Verdict {
    let asked = SaveArea { rcx: Some(NO_MSR.0.into()), ..SaveArea::request(ExitCode::MSR.0, 0, 0) };
    let expected = NaeError::Exception(RequestedException::GeneralProtection { error_code: 0 });
    expect("answer", Err(expected), bench.ask(&asked, ValidFields::empty()).map(drop))
}

fn port(bench: &mut Bench) -> Verdict {
    for value in [0x5a, 0xa5] {
        crate::console::write_port(bench.ghcb, KEEPING_PORT, PortIoWidth::One, value);
        let read = crate::console::read_port(bench.ghcb, KEEPING_PORT, PortIoWidth::One);
        expect("the port", Some(value), read)?;
    }
    Ok(())
}

/// A string of bytes in the page's own buffer.
fn string(bench: &Bench, port: u16, direction: PortIoDirection, count: u64) -> SaveArea {
    let io = PortIo {
        operation: PortIoOperation::String,
        repeat: PortIoRepeat::Repeated,
        address_size: Some(abi_snp::ghcb::AddressSize::Bits64),
        ..PortIo::single(direction, port, PortIoWidth::One)
    };
    SaveArea {
        scratch: Some(bench.ghcb.buffer_gpa()),
        ..SaveArea::request(ExitCode::PORT_IO.0, io.encode(), count)
    }
}

fn port_string(bench: &mut Bench) -> Verdict {
    bench.ghcb.fill_buffer(&[1, 2, 3, 4, 5, 6, 7, 8]);
    bench.must(&string(bench, KEEPING_PORT, PortIoDirection::Out, 8), ValidFields::empty())?;
    bench.ghcb.fill_buffer(&[0; 8]);
    bench.must(&string(bench, KEEPING_PORT, PortIoDirection::In, 4), ValidFields::empty())?;
    let mut bytes = [0; 8];
    bench.ghcb.read_buffer(&mut bytes);
    // The port keeps the last byte that went out.
    expect("what came in", [8, 8, 8, 8, 0, 0, 0, 0], bytes)
}

fn vmmcall(bench: &mut Bench) -> Verdict {
    let asked = SaveArea {
        rax: Some(u64::from(u32::MAX)),
        cpl: Some(0),
        ..SaveArea::request(ExitCode::VMMCALL.0, 0, 0)
    };
    bench.must(&asked, ValidFields::RAX).map(drop)
}

fn mmio(bench: &mut Bench) -> Verdict {
    const LOCAL_APIC: u64 = 0xfee0_0000;
    const VERSION: u64 = 0x30;
    const X2APIC: u64 = 1 << 10;
    if bench.read_msr(Msr::APIC_BASE)? & X2APIC != 0 {
        return skip("the local APIC has no address in x2APIC mode");
    }
    bench.ghcb.fill_buffer(&[0; 8]);
    let asked = SaveArea {
        scratch: Some(bench.ghcb.buffer_gpa()),
        ..SaveArea::request(ExitCode::MMIO_READ.0, LOCAL_APIC + VERSION, 4)
    };
    bench.must(&asked, ValidFields::empty())?;
    let mut bytes = [0; 8];
    bench.ghcb.read_buffer(&mut bytes);
    let [version, ..] = bytes;
    require((0x10..=0x7f).contains(&version), "version 10 to 7F", bytes)
}

fn features(bench: &mut Bench) -> Verdict {
    let asked = SaveArea::request(ExitCode::HYPERVISOR_FEATURES.0, 0, 0);
    let outputs = bench.must(&asked, ValidFields::EXIT_INFO_2)?;
    let by_msr = request(&AskHypervisorFeatures)?;
    expect("features", by_msr, HypervisorFeatures::from_bits_retain(outputs.exit_info_2))
}

fn needs_apic_ids() -> Verdict {
    match request(&AskHypervisorFeatures)?.contains(HypervisorFeatures::APIC_ID_LIST) {
        true => Ok(()),
        false => skip("the hypervisor does not offer the list of APIC IDs"),
    }
}

fn apic_ids(bench: &mut Bench) -> Verdict {
    needs_apic_ids()?;
    let page = bench.shared_page()?;
    let asked =
        SaveArea { rax: Some(1), ..SaveArea::request(ExitCode::GET_APIC_IDS.0, page.gpa(), 0) };
    expect("pages", 1, bench.must(&asked, ValidFields::RAX)?.rax)?;
    let mut bytes = vec![0; 4096];
    page.load(0, &mut bytes);
    let list = ApicIdList::parse(&bytes)
        .map_err(|error| crate::verdict::failed(alloc::format!("expected a list, got: {error}")))?;
    let mut ids: Vec<u32> = list.ids().collect();
    expect("number of IDs", bench.guest.processors as usize, ids.len())?;
    ids.sort_unstable();
    ids.dedup();
    expect("number of different IDs", bench.guest.processors as usize, ids.len())
}

fn apic_ids_too_few(bench: &mut Bench) -> Verdict {
    needs_apic_ids()?;
    let asked = SaveArea { rax: Some(0), ..SaveArea::request(ExitCode::GET_APIC_IDS.0, 0, 0) };
    expect("pages", 1, bench.must(&asked, ValidFields::RAX)?.rax)
}

fn missing_code(bench: &mut Bench) -> Verdict {
    let asked = SaveArea { exit_code: None, ..cpuid_request(0) };
    refused(bench, &asked, MalformedInput::MISSING_INPUT)
}

fn missing_register(bench: &mut Bench) -> Verdict {
    let asked = SaveArea { rcx: None, ..cpuid_request(0) };
    refused(bench, &asked, MalformedInput::MISSING_INPUT)?;
    let asked = SaveArea { scratch: None, ..string(bench, DELAY_PORT, PortIoDirection::Out, 1) };
    refused(bench, &asked, MalformedInput::MISSING_INPUT)
}

fn usage(bench: &mut Bench) -> Verdict {
    bench.ghcb.prepare(&cpuid_request(0));
    bench.ghcb.set_usage(0x7777);
    let answer = bench.ghcb.exit();
    bench.ghcb.set_usage(0);
    let expected = ExitOutcome::MalformedInput(MalformedInput::INVALID_USAGE).answer();
    let words = |area: &SaveArea| (area.exit_info_1.map(|w| w as u32), area.exit_info_2);
    expect("answer", words(&expected), words(&answer))
}

fn unknown_event(bench: &mut Bench) -> Verdict {
    let asked = SaveArea::request(0x8000_7777, 0, 0);
    refused(bench, &asked, MalformedInput::INVALID_EVENT)
}

fn scratch_outside(bench: &mut Bench) -> Verdict {
    let private = bench.private_page()?;
    let asked = SaveArea {
        scratch: Some(private.gpa()),
        ..string(bench, DELAY_PORT, PortIoDirection::Out, 1)
    };
    refused(bench, &asked, MalformedInput::INVALID_SCRATCH_AREA)
}

fn scratch_too_long(bench: &mut Bench) -> Verdict {
    let count = SHARED_BUFFER_SIZE as u64 + 1;
    let asked = string(bench, DELAY_PORT, PortIoDirection::Out, count);
    refused(bench, &asked, MalformedInput::INVALID_SCRATCH_AREA)
}

fn answer_is_marked(bench: &mut Bench) -> Verdict {
    let answer = bench.ghcb.answer(&SaveArea::request(ExitCode::WBINVD.0, 0, 0));
    let least = ValidFields::EXIT_INFO_1 | ValidFields::EXIT_INFO_2;
    require(answer.valid_fields().contains(least), "both words marked", answer)
}
