//! The machine and the guest, made from the launch file.

use abi_simulator::launch::{CpuidAdditions, LaunchFile, LaunchStep, Options};
use abi_simulator::report::{End, Report};
use abi_simulator::{LOW_MEMORY_LIMIT, launch};
use abi_snp::ghcb::SevInformation;
use abi_snp::{CpuidPage, PageSize, PageType, PlatformInfo, SevFeatures, Vmpl, Vmsa};
use abi_x86::{Cr4, Efer, SIZE_2M};
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use apic::Bus;
use core::num::NonZeroU8;
use frame_pool::AddressRange;
use machine::cpuid::{Cpuid, CpuidFacts, CpuidPolicy, CpuidResult, TranslationBroadcast};
use machine::firmware_configuration::FirmwareConfiguration;
use machine::ghcb::{Configuration, Server};
use machine::hostile::{Machine, Scenario};
use machine::launch::{
    AuthorKey, FinishParameters, Identity, Launch, LaunchPage, LaunchedGuest, PageContent,
    StartParameters, Zeros,
};
use machine::pci::Pci;
use machine::processor::{Broadcasts, MODELLED_FEATURES, Offer, StateComponents};
use machine::processors::{LaunchState, SaveAreaPage, Target};
use machine::reverse_map::{Assignment, Encryption, MemoryRange, ReverseMap};
use machine::security_processor::{EndorsementKey, EndorsementKeys, SecurityProcessor};
use machine::{
    ChipMasks, Gpa, GuestMemory, LegacyInterruptControllers, LevelCounts, Marks, Platform,
    ReportVersion, Schedule, TscFrequency,
};
use nested_paging::CBit;
use zerocopy::FromBytes;

use super::core::Core;
use super::guest::Guest;
use super::trace::Tracer;
use super::world::World;
use crate::clock::Clock;
use crate::exit_counts::ExitCounts;
use crate::extended_state::{self, Registers};
use crate::guest_ram::GuestRam;
use crate::instruction::cpuid;
use crate::memory::Memory;
use crate::pci_configuration::QemuPci;
use crate::svm::Svm;
use crate::vcpu::Vcpu;
use crate::views::{Paging, Views};
use crate::{io_apic, reporter};

/// Bits that memory encryption takes away from physical addresses: as on
/// processors of family 0x19, model 0x11 *from memory*.
const PHYSICAL_ADDRESS_REDUCTION: u8 = 6;

/// What guests may have set in CR4: what the emulated processor has, and no
/// more than the reduced CPUID says.
const CR4: Cr4 = Cr4::VME
    .union(Cr4::PVI)
    .union(Cr4::TSD)
    .union(Cr4::DE)
    .union(Cr4::PSE)
    .union(Cr4::PAE)
    .union(Cr4::MCE)
    .union(Cr4::PGE)
    .union(Cr4::PCE)
    .union(Cr4::OSFXSR)
    .union(Cr4::OSXMMEXCPT)
    .union(Cr4::UMIP)
    .union(Cr4::LA57)
    .union(Cr4::FSGSBASE)
    .union(Cr4::SMEP)
    .union(Cr4::SMAP);

/// What every guest may have in XCR0.
const SSE: StateComponents = StateComponents::X87.union(StateComponents::SSE);

/// The launch cannot be had, or is refused.
fn refuse(error: impl ToString) -> End {
    End::Refused { text: error.to_string() }
}

/// Launches the guest of the launch file.
pub(super) fn launch(svm: &Svm, mut memory: Memory, file: &'static [u8]) -> Result<Guest, End> {
    let file = LaunchFile::parse(file).map_err(refuse)?;
    let options = &file.options;
    check_options(options)?;
    let has_xsave = options.cpuid_policy == launch::CpuidPolicy::XSAVE;
    extended_state::enable(if has_xsave { Registers::Avx } else { Registers::Sse });
    let clock = Clock::measure();
    let c_bit = c_bit(options)?;
    let ranges = memory_ranges(&file);
    let covered: Vec<MemoryRange> = ranges
        .iter()
        .map(|range| MemoryRange { start: Gpa(range.start), bytes: range.size() })
        .collect();
    let mut reverse_map = ReverseMap::new(&covered).map_err(refuse)?;
    let mut ram = GuestRam::new(&mut memory, &ranges).map_err(refuse)?;
    let mut server = server(options)?;
    let scenario = scenario(&file, &ranges)?;
    let platform = platform(&file, &clock)?;
    let guest = load(&file, &platform, &mut reverse_map, &mut ram, &mut server)?;
    reporter::send(&Report::Started {
        simulator: env!("CARGO_PKG_VERSION").to_string(),
        launch_digest: guest.measurement.to_string(),
        vcpus: options.vcpus,
    });
    let cpuid = platform.cpuid.clone();
    let security_processor = SecurityProcessor::new(platform, endorsement_keys(&file)?, guest);

    let mut views = Views::new(c_bit);
    let mut cores = Vec::new();
    for index in server.processors().indices() {
        let tables = views.tables(&mut memory, Vmpl::Vmpl0, Paging::On).map_err(refuse)?;
        let vcpu = Vcpu::new(svm, &mut memory, tables);
        let vcpu = vcpu.ok_or_else(|| refuse("there is not enough memory for a processor"))?;
        cores.push(Core::new(index, vcpu));
    }
    let ids: Vec<u32> = (0..options.vcpus).collect();
    let bus = Bus::new(&ids, clock.frequency()).map_err(refuse)?;
    io_apic::prepare();
    Ok(Guest {
        world: World {
            memory,
            ram,
            reverse_map,
            views,
            clock,
            bus,
            cpuid,
            registers: vec![machine::SpecialRegisters::default(); ids.len()],
            legacy_interrupts: LegacyInterruptControllers::default(),
            pci: Pci::find(&mut QemuPci).map_err(refuse)?,
            firmware_configuration: FirmwareConfiguration::default(),
            security_processor,
            certificates: file.certificates,
            nmis_completed: 0,
            end: None,
            console_bytes: 0,
            tracer: Tracer(options.trace),
            marks: Marks::default(),
            broadcasts: Broadcasts::default(),
            levels: LevelCounts::new(ids.len()),
        },
        server,
        cores,
        on_processor: None,
        offer: Offer {
            features: options.sev_features,
            cr4: if has_xsave { CR4 | Cr4::OSXSAVE } else { CR4 },
            efer: Efer::all(),
            xcr0: if has_xsave { SSE | StateComponents::AVX } else { SSE },
        },
        schedule: Schedule::new(options.time_slice_ns, options.schedule_seed),
        exits: ExitCounts::new(),
        save_areas_entered: 0,
        alarm_ns: None,
        scenario,
        injections: ids.iter().map(|_| VecDeque::new()).collect(),
    })
}

/// What a hostile host does.
fn scenario(file: &LaunchFile<'_>, memory: &[AddressRange]) -> Result<Scenario, End> {
    let has_memory =
        |gpa: Gpa| memory.iter().any(|range| range.start <= gpa.0 && gpa.0 < range.end);
    let machine = Machine { processors: file.options.vcpus, has_memory: &has_memory };
    Scenario::parse(file.scenario, &machine).map_err(refuse)
}

/// Refuses what this program does not do.
fn check_options(options: &Options) -> Result<(), End> {
    let beyond = options.sev_features.difference(OFFERED_FEATURES);
    if !beyond.is_empty() {
        return Err(refuse(format!("the simulator does not offer the SEV features {beyond}")));
    }
    let policy = options.cpuid_policy;
    if policy == launch::CpuidPolicy::FULL {
        return Err(refuse(format!(
            "the simulator does not offer CPUID policy {policy}: use `reduced` or `xsave`"
        )));
    }
    if policy == launch::CpuidPolicy::XSAVE && !has_avx() {
        return Err(refuse(format!("CPUID policy {policy} takes a processor with AVX")));
    }
    Ok(())
}

/// Whether the emulated processor has XSAVE and AVX.
fn has_avx() -> bool {
    const XSAVE_AND_AVX: u32 = 1 << 26 | 1 << 28;
    cpuid(1, 0).ecx & XSAVE_AND_AVX == XSAVE_AND_AVX
}

/// SEV features that have their effect here.
const OFFERED_FEATURES: SevFeatures = SevFeatures::SNP_ACTIVE
    .union(SevFeatures::RESTRICTED_INJECTION)
    .union(SevFeatures::ALTERNATE_INJECTION)
    .union(SevFeatures::DEBUG_SWAP)
    .union(SevFeatures::PREVENT_HOST_IBS)
    .union(SevFeatures::BTB_ISOLATION)
    .union(SevFeatures::SECURE_TSC)
    .union(SevFeatures::SMT_PROTECTION)
    .union(SevFeatures::IBPB_ON_ENTRY);

const _: () = assert!(MODELLED_FEATURES.contains(OFFERED_FEATURES));

fn c_bit(options: &Options) -> Result<CBit, End> {
    let number = u8::try_from(options.c_bit).ok().and_then(CBit::new);
    number.ok_or_else(|| refuse(format!("C-bit {} is not possible", options.c_bit)))
}

/// Where the guest has memory: also for save areas that lie outside all else,
/// as those of KVM's guests do.
fn memory_ranges(file: &LaunchFile<'_>) -> Vec<AddressRange> {
    let mut ranges: Vec<AddressRange> = file
        .memory
        .iter()
        .map(|range| AddressRange { start: range.gpa, end: range.end() })
        .collect();
    for step in &file.steps {
        let LaunchStep::Private(pages) = step else { continue };
        let page = AddressRange::of_size(pages.run.gpa, abi_x86::SIZE_4K);
        let is_inside = |range: &AddressRange| range.start <= page.start && page.end <= range.end;
        if pages.run.page_type == PageType::VMSA && !ranges.iter().any(is_inside) {
            ranges.push(page);
        }
    }
    ranges
}

/// The hypervisor's side of the GHCB protocol.
fn server(options: &Options) -> Result<Server, End> {
    let information = SevInformation {
        min_version: options.ghcb_minimum,
        max_version: options.ghcb_maximum,
        c_bit: options.c_bit as u8,
    };
    let configuration =
        Configuration::new(options.hypervisor_features(), information).map_err(refuse)?;
    Server::new(configuration, options.vcpus, options.sev_features).map_err(refuse)
}

/// The platform, as guests and verifiers see it.
fn platform(file: &LaunchFile<'_>, clock: &Clock) -> Result<Platform, End> {
    let (options, processor) = (&file.options, &file.security_processor);
    let processors = u8::try_from(options.vcpus).ok().and_then(NonZeroU8::new);
    let facts = CpuidFacts {
        policy: if options.cpuid_policy == launch::CpuidPolicy::XSAVE {
            CpuidPolicy::Xsave
        } else {
            CpuidPolicy::Reduced
        },
        broadcast: if options.cpuid_additions.contains(CpuidAdditions::INVLPGB) {
            TranslationBroadcast::Present
        } else {
            TranslationBroadcast::Missing
        },
        processor: processor.processor,
        processors: processors.ok_or_else(|| refuse("there is no processor"))?,
        c_bit: options.c_bit as u8,
        physical_address_reduction: PHYSICAL_ADDRESS_REDUCTION,
        features: options.sev_features,
    };
    let cpuid = Cpuid::new(facts, |leaf, subleaf| {
        let answer = cpuid(leaf, subleaf);
        CpuidResult { eax: answer.eax, ebx: answer.ebx, ecx: answer.ecx, edx: answer.edx }
    });
    let frequency = TscFrequency::of(clock.frequency().get());
    Ok(Platform {
        cpuid,
        firmware: processor.firmware,
        committed_firmware: processor.firmware,
        current_tcb: processor.current_tcb,
        committed_tcb: processor.committed_tcb,
        reported_tcb: processor.reported_tcb,
        mitigations: 0,
        info: PlatformInfo::ECC_ENABLED | PlatformInfo::ALIAS_CHECK_COMPLETE,
        chip_id: processor.chip_id,
        masks: ChipMasks::empty(),
        report_version: match processor.report_version {
            2 => ReportVersion::Version2,
            3 => ReportVersion::Version3,
            _ => ReportVersion::Version5,
        },
        tsc_khz: frequency.nominal_khz,
        tsc_factor: frequency.factor,
    })
}

fn endorsement_keys(file: &LaunchFile<'_>) -> Result<EndorsementKeys, End> {
    let processor = &file.security_processor;
    let vcek = EndorsementKey::from_scalar(&processor.vcek).map_err(refuse)?;
    let vlek = processor.vlek().map(EndorsementKey::from_scalar).transpose().map_err(refuse)?;
    Ok(EndorsementKeys { vcek, vlek })
}

/// Hands the guest's pages over, one after the other.
fn load(
    file: &LaunchFile<'_>,
    platform: &Platform,
    reverse_map: &mut ReverseMap,
    ram: &mut GuestRam,
    server: &mut Server,
) -> Result<LaunchedGuest, End> {
    let parameters =
        StartParameters { policy: file.start.policy, guest_os_workarounds: [0; 16], tsc_khz: None };
    let mut launch =
        Launch::start(platform, parameters, file.security_processor.seed).map_err(refuse)?;
    for step in &file.steps {
        match step {
            LaunchStep::Private(pages) => {
                load_run(pages, platform, &mut launch, reverse_map, ram)?;
                if pages.run.page_type == PageType::VMSA {
                    start_processor(pages, server)?;
                }
            }
            LaunchStep::Given(pages) => {
                for (gpa, size) in pages.in_largest_pages() {
                    reverse_map.rmpupdate(Gpa(gpa), size, Assignment::Guest).map_err(refuse)?;
                }
            }
            LaunchStep::Shared(pages) => {
                for (gpa, page) in (pages.gpa..).step_by(4096).zip(pages.content) {
                    ram.write(Gpa(gpa), Encryption::Shared, page).map_err(refuse)?;
                }
            }
        }
    }
    let identity = file.identity.as_deref().map(|identity| Identity {
        block: &identity.id_block,
        authentication: &identity.authentication,
        author_key: match identity.author_key() {
            launch::AuthorKey::Disabled => AuthorKey::Absent,
            launch::AuthorKey::Enabled => AuthorKey::Present,
        },
    });
    let parameters = FinishParameters { identity, host_data: file.start.host_data };
    launch.finish(parameters).map_err(refuse)
}

/// Hands neighbouring pages over.
fn load_run(
    pages: &launch::Pages<'_>,
    platform: &Platform,
    launch: &mut Launch<'_>,
    reverse_map: &mut ReverseMap,
    ram: &mut GuestRam,
) -> Result<(), End> {
    let run = pages.run;
    let at = |gpa: u64| {
        move |error: machine::launch::UpdateRefusal| {
            refuse(format!("{} page at {gpa:#x}: {error}", run.page_type))
        }
    };
    let zeros = match run.page_type {
        PageType::NORMAL => Some(Zeros::Normal),
        PageType::ZERO => Some(Zeros::Zero),
        _ => None,
    };
    if run.size == PageSize::Size2M
        && let Some(zeros) = zeros.filter(|_| pages.content.is_empty())
    {
        for gpa in (run.gpa..run.end()).step_by(SIZE_2M as usize) {
            launch
                .update_large_zeros(reverse_map, ram, Gpa(gpa), zeros, run.permissions)
                .map_err(at(gpa))?;
        }
        return Ok(());
    }
    const ZEROS: [u8; 4096] = [0; 4096];
    for (gpa, page) in pages.iter() {
        let is_zero = page.is_none();
        let page = page.unwrap_or(&ZEROS);
        let mut cpuid_page;
        let content = match run.page_type {
            PageType::NORMAL if is_zero => PageContent::NormalZeros,
            PageType::NORMAL => PageContent::Normal(page),
            PageType::VMSA => PageContent::Vmsa(page),
            PageType::ZERO => PageContent::Zero,
            PageType::UNMEASURED => PageContent::Unmeasured(page),
            PageType::SECRETS => PageContent::Secrets,
            PageType::CPUID => {
                let request = CpuidPage::ref_from_bytes(page)
                    .map_err(|_| refuse(format!("the CPUID page at {gpa:#x} cannot be read")))?;
                cpuid_page = platform.cpuid.fill(request).map_err(refuse)?;
                PageContent::Cpuid(&mut cpuid_page)
            }
            other => return Err(refuse(format!("page at {gpa:#x}: there is no type {other}"))),
        };
        let page = LaunchPage { gpa: Gpa(gpa), content, permissions: run.permissions };
        launch.update(reverse_map, ram, page).map_err(at(gpa))?;
    }
    Ok(())
}

/// Gives a processor the save area that was just launched. The first one runs,
/// the others wait for their start, as KVM has it.
fn start_processor(pages: &launch::Pages<'_>, server: &mut Server) -> Result<(), End> {
    let run = pages.run;
    let invalid =
        |text: &str| End::InvalidSaveArea { vcpu: run.vcpu, vmpl: 0, text: text.to_string() };
    let page = pages.content.first().ok_or_else(|| invalid("it has no content"))?;
    let vmsa = Vmsa::read_from_bytes(page).map_err(|_| invalid("it is not a page"))?;
    let processors = server.processors_mut();
    let processor = processors.index(run.vcpu).ok_or_else(|| invalid("no such processor"))?;
    let vmpl = Vmpl::from_number(vmsa.vmpl).ok_or_else(|| invalid("no such level"))?;
    let save_area = SaveAreaPage { gpa: Gpa(run.gpa), features: vmsa.sev_features };
    let state = if run.vcpu == 0 { LaunchState::Runs } else { LaunchState::WaitsForStartup };
    processors.launch(Target { processor, vmpl }, save_area, state).map_err(refuse)
}

/// Guests' low memory ends where this program begins.
const _: () = assert!(LOW_MEMORY_LIMIT == 0x7000_0000, "hypervisor.ld says where that is");
