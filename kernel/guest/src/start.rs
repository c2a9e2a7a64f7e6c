//! The guest starts: from a payload that the builder placed to its first
//! instruction.
//!
//! 1. All memory that is not the module's becomes the guest's
//!    ([`acceptance`](crate::acceptance)); all processors help.
//! 2. So do the pages that were launched with the image.
//! 3. What only the module knows is filled in: the memory map, the processors,
//!    the guest's secrets and CPUID pages.
//! 4. The first virtual processor gets its save area, and every processor a task
//!    that runs the guest when there is nothing else to do.

use abi_boot::{BootBlock, GuestStart, PAGE_SIZE, Part, PartKind};
use abi_snp::{CpuidPage, PageSize, SecretsPage, SevFeatures};
use direct_boot::{
    MemoryKind, MemoryMap, MemoryRange, ModuleDescription, enable_processors, hand_on_cpuid,
    hand_on_secrets, write_memory_map,
};
use guest_calls::{GuestCalls, Registry};
use hal::guest::Guests;
use hal::heap::{TryPush, try_box};
use hal::{OutOfMemory, StopReason, stop};
use kernel_log::{log_for_host, log_for_tenant};
use page_state::{ChunkPart, Owner, PageAccount, PageState};
use tasks::{Affinity, Priority, TaskOptions, TaskRegisters, spawn};
use zerocopy::{FromBytes, FromZeros, IntoBytes};

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::acceptance::Acceptance;
use crate::first_processor::save_area;
use crate::level::GUEST;
use crate::machine::GuestMachine;
use crate::pages::{PageError, give, memory, read, write};
use crate::run::{Calls, run};

/// What the guest runs on.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// What the builder placed.
    pub block: BootBlock<'static>,
    /// The account of all pages; `None` on a platform that has none.
    pub table: Option<&'static PageAccount>,
    /// Processors that run.
    pub processors: u32,
    /// What the security processor gave the machine, without the keys that the
    /// module keeps; `None` on a platform that has none.
    pub secrets: Option<&'static SecretsPage>,
}

/// Pages of the stack of a task that accepts memory.
const ACCEPTING_STACK_PAGES: u32 = 4;

/// Pages of the stack of a task that runs the guest.
const GUEST_STACK_PAGES: u32 = 4;

/// Virtual processors that the guest can have at a time, for each processor: one
/// that runs, and one that is to take its place.
const VCPUS_PER_PROCESSOR: usize = 2;

/// Features of the module's own level that the guest does not get: Linux ends
/// when it finds one of the first two, and for the last its save areas would
/// have to say more than they do.
const NOT_THE_GUESTS: SevFeatures = SevFeatures::RESTRICTED_INJECTION
    .union(SevFeatures::ALTERNATE_INJECTION)
    .union(SevFeatures::SECURE_TSC);

/// The highest version of the core protocol that the module speaks.
const CORE_VERSION: u32 = 1;

/// Whether there is a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guest {
    /// The image brings none.
    None,
    /// Every processor has a task that runs it.
    Runs,
}

/// Starts the guest that the image brings, if it brings one. Stops the machine
/// if it cannot be started.
pub fn start(machine: &Machine) -> Guest {
    let Some(part) = machine.block.parts_of(PartKind::GUEST_START).next() else {
        return Guest::None;
    };
    let (Some(guests), Some(table)) = (Guests::of_platform(), machine.table) else {
        stop(StopReason::HostGuestStart)
    };
    let preparation = Preparation { machine, guests, table };
    if let Err(error) = preparation.run(part) {
        log_for_host!(Error, "the guest cannot be started: {error}");
        stop(StopReason::GuestStart)
    }
    Guest::Runs
}

/// Why a guest cannot be started.
#[derive(Debug, thiserror::Error)]
enum NotStarted {
    #[error("{0}")]
    GuestStart(abi_boot::GuestStartError),
    #[error("the image does not say how it is entered")]
    NoContent,
    #[error("the machine has no secrets page")]
    NoSecrets,
    #[error("page {0:#x}: {1}")]
    Page(u64, PageError),
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    #[error(transparent)]
    MemoryMap(#[from] direct_boot::MemoryMapError),
    #[error(transparent)]
    TooManyRanges(#[from] direct_boot::TooManyRanges),
    #[error(transparent)]
    Processors(#[from] direct_boot::MadtError),
    #[error(transparent)]
    Secrets(#[from] direct_boot::SecretsError),
    #[error(transparent)]
    Cpuid(#[from] direct_boot::CpuidError),
    #[error(transparent)]
    FirstVcpu(#[from] guest_calls::BootVcpuError),
    #[error(transparent)]
    Task(#[from] tasks::SpawnError),
}

struct Preparation<'a> {
    machine: &'a Machine,
    guests: Guests,
    table: &'static PageAccount,
}

impl Preparation<'_> {
    fn run(&self, part: &Part) -> Result<(), NotStarted> {
        let content = hal::image::content(part).ok_or(NotStarted::NoContent)?;
        let start = GuestStart::parse(content).map_err(NotStarted::GuestStart)?;
        self.accept_memory()?;
        self.tell_memory(&start)?;
        self.tell_processors(&start)?;
        self.tell_secrets(&start)?;
        self.tell_cpuid(&start)?;
        let features = self.make_save_area(&start)?;
        for part in self.machine.block.guest_parts() {
            if part.gpa != start.save_area {
                give(self.guests, self.table, part).map_err(at(part.gpa))?;
            }
        }
        log_for_tenant!(Info, "guest: enters {:#x} at {GUEST}", start.instruction);
        if let Err(reason) = self.guests.announce(GUEST, start.save_area, features) {
            stop(reason)
        }
        self.run_guest(&start, features)
    }

    /// Every processor gets a task that runs the guest.
    fn run_guest(&self, start: &GuestStart, features: SevFeatures) -> Result<(), NotStarted> {
        let ids = apic_ids()?;
        let registry =
            Registry::new(&ids, ids.len() * VCPUS_PER_PROCESSOR).map_err(|_| OutOfMemory)?;
        registry.set_first_vcpu(start.save_area / PAGE_SIZE, start.calling_area / PAGE_SIZE)?;
        let machine = GuestMachine::new(self.guests, self.table)?;
        let calls = GuestCalls::new(machine, self.table, registry, features);
        let calls: &'static Calls = Box::leak(try_box(calls)?);
        let guests = self.guests;
        for processor in 0..self.machine.processors as usize {
            let options = TaskOptions {
                name: "guest",
                priority: Priority::Guest,
                affinity: Affinity::Only(processor),
                stack_pages: GUEST_STACK_PAGES,
                registers: TaskRegisters::Kernel,
            };
            drop(spawn(options, move || run(guests, calls, processor))?);
        }
        Ok(())
    }

    /// All processors accept what memory there is.
    fn accept_memory(&self) -> Result<(), NotStarted> {
        let acceptance = try_box(Acceptance::new(self.guests, self.table))?;
        let acceptance: &'static Acceptance = Box::leak(acceptance);
        acceptance.make_private();
        let mut helpers = Vec::new();
        for processor in 1..self.machine.processors as usize {
            let options = TaskOptions {
                name: "accept memory",
                priority: Priority::Service,
                affinity: Affinity::Only(processor),
                stack_pages: ACCEPTING_STACK_PAGES,
                registers: TaskRegisters::Kernel,
            };
            helpers.try_push(spawn(options, || acceptance.help())?)?;
        }
        acceptance.help();
        for helper in helpers {
            helper.join();
        }
        if self.guests.check_own_memory().is_err() {
            log_for_tenant!(Error, "guest: the host has taken memory of the module's");
            stop(StopReason::HostTookPage)
        }
        let counts = acceptance.counts();
        log_for_tenant!(
            Info,
            "guest: accepted {} pages of 2 MiB and {} of 4 KiB, {} split",
            counts.large,
            counts.small,
            counts.split
        );
        Ok(())
    }

    /// The memory map.
    fn tell_memory(&self, start: &GuestStart) -> Result<(), NotStarted> {
        let block = &self.machine.block;
        let reserved = |base, size| MemoryRange { base, size, kind: MemoryKind::Reserved };
        let mut taken = Vec::new();
        taken.try_push(reserved(block.region_base, block.region_size))?;
        for part in block.guest_parts() {
            match part.kind {
                PartKind::GUEST_RESERVED | PartKind::GUEST_PLATFORM_DATA => {
                    taken.try_push(reserved(part.gpa, part.size))?;
                }
                PartKind::GUEST_ACPI_TABLES => {
                    let (base, size) = (part.gpa, part.size);
                    taken.try_push(MemoryRange { base, size, kind: MemoryKind::AcpiTables })?;
                }
                _ => {}
            }
        }
        let map = MemoryMap::new(memory(self.table), &taken)?;
        let mut page = try_box([0; PAGE_SIZE as usize])?;
        self.read(start.boot_parameters, page.as_mut_slice())?;
        write_memory_map(&mut page, map.ranges())?;
        self.write(start.boot_parameters, page.as_slice())
    }

    /// The table of processors.
    fn tell_processors(&self, start: &GuestStart) -> Result<(), NotStarted> {
        let ids = apic_ids()?;
        let mut table = try_box([0; PAGE_SIZE as usize])?;
        let table = table.get_mut(..start.madt_size as usize).ok_or(NotStarted::NoContent)?;
        self.read(start.madt, table)?;
        enable_processors(table, &ids)?;
        self.write(start.madt, table)
    }

    /// The secrets page.
    fn tell_secrets(&self, start: &GuestStart) -> Result<(), NotStarted> {
        let block = &self.machine.block;
        let module = ModuleDescription {
            base: block.region_base,
            size: block.region_size,
            calling_area: start.calling_area,
            max_version: CORE_VERSION,
            guest_level: GUEST,
        };
        let mut page = try_box(SecretsPage::new_zeroed())?;
        hand_on_secrets(self.machine.secrets.ok_or(NotStarted::NoSecrets)?, &module, &mut page)?;
        self.write(start.secrets, page.as_bytes())
    }

    /// The CPUID page.
    fn tell_cpuid(&self, start: &GuestStart) -> Result<(), NotStarted> {
        let part = self.machine.block.parts_of(PartKind::CPUID).next();
        let own = part.and_then(hal::image::content).ok_or(NotStarted::NoContent)?;
        let own = CpuidPage::ref_from_bytes(own).map_err(|_| NotStarted::NoContent)?;
        self.write(start.cpuid, hand_on_cpuid(own)?.as_bytes())
    }

    /// The save area of the guest's first virtual processor. Returns its
    /// features.
    fn make_save_area(&self, start: &GuestStart) -> Result<SevFeatures, NotStarted> {
        let features = self.guests.own_features().difference(NOT_THE_GUESTS);
        let content = save_area(start, self.machine.block.c_bit_mask, features)?;
        self.write(start.save_area, content.as_bytes())?;
        let make = || -> Result<(), PageError> {
            let page = ChunkPart::page(start.save_area / PAGE_SIZE);
            let owned = PageState::Validated(Owner::Module);
            let claim = self.table.claim(page, owned, PageState::SaveArea)?;
            self.guests.page(start.save_area, PageSize::Size4K)?.make_save_area(GUEST)?;
            claim.commit();
            Ok(())
        };
        make().map_err(at(start.save_area))?;
        Ok(features)
    }

    fn read(&self, gpa: u64, bytes: &mut [u8]) -> Result<(), NotStarted> {
        read(self.guests, gpa, bytes).map_err(at(gpa))
    }

    fn write(&self, gpa: u64, bytes: &[u8]) -> Result<(), NotStarted> {
        write(self.guests, gpa, bytes).map_err(at(gpa))
    }
}

/// The APIC identifiers of all processors, in the order of their numbers.
fn apic_ids() -> Result<Vec<u32>, OutOfMemory> {
    let mut ids = Vec::new();
    for processor in hal::processors::running() {
        ids.try_push(processor.apic_id())?;
    }
    Ok(ids)
}

fn at(gpa: u64) -> impl Fn(PageError) -> NotStarted {
    move |error| NotStarted::Page(gpa, error)
}
