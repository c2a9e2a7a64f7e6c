//! The machine around the virtual processors: what the guest asks the
//! hypervisor for.
//!
//! Implements the traits of `machine::ghcb`'s hosts, one `impl` for each
//! concern.

use abi_simulator::launch::Trace;
use abi_simulator::report::End;
use abi_snp::ghcb::{GuestFrame, GuestRequestStatus, PageOperation, PortIoWidth};
use abi_snp::{FirmwareStatus, GuestMessage, PageSize};
use abi_x86::Msr;
use alloc::format;
use alloc::vec::Vec;
use apic::{Bus, LocalApic, Moment};
use machine::cpuid::{CpuidQuery, CpuidResult};
use machine::firmware_configuration::{self, FirmwareConfiguration};
use machine::ghcb::{
    Cpuid, DeviceMemory, GeneralProtection, GuestRequests, Hypercall, Hypercalls, InterruptControl,
    InvalidCommand, NoDevice, PageStateRefused, PageStates, PerformanceCounters, Ports,
    SpecialRegisters, TimeStampCounter,
};
use machine::pci::{DeviceRegister, Pci};
use machine::processor::Broadcasts;
use machine::processors::ProcessorIndex;
use machine::reverse_map::{Assignment, Encryption, PageState, ReverseMap};
use machine::security_processor::SecurityProcessor;
use machine::{
    Gpa, GuestMemory, LegacyInterruptControllers, LevelCounts, MARK, Marks, NoMemory, kvm_clock,
};
use zerocopy::IntoBytes;

use super::trace::Tracer;
use crate::clock::{Clock, ticks};
use crate::device_memory;
use crate::device_ports;
use crate::guest_ram::GuestRam;
use crate::memory::Memory;
use crate::pci_configuration::QemuPci;
use crate::port::Width;
use crate::views::Views;
use crate::wall_clock;

/// The machine around the virtual processors.
pub(super) struct World {
    pub(super) memory: Memory,
    pub(super) ram: GuestRam,
    pub(super) reverse_map: ReverseMap,
    pub(super) views: Views,
    pub(super) clock: Clock,
    pub(super) bus: Bus,
    pub(super) cpuid: machine::cpuid::Cpuid,
    pub(super) registers: Vec<machine::SpecialRegisters>,
    pub(super) legacy_interrupts: LegacyInterruptControllers,
    pub(super) pci: Pci,
    pub(super) firmware_configuration: FirmwareConfiguration,
    pub(super) security_processor: SecurityProcessor,
    pub(super) certificates: &'static [u8],
    /// Processors whose guest has said that it is done with an NMI.
    pub(super) nmis_completed: u32,
    /// What a device has made of the run.
    pub(super) end: Option<End>,
    pub(super) console_bytes: u64,
    pub(super) tracer: Tracer,
    pub(super) marks: Marks,
    /// INVLPGB and TLBSYNC.
    pub(super) broadcasts: Broadcasts,
    /// What levels have executed.
    pub(super) levels: LevelCounts,
}

/// Where the interrupt controllers are in memory [Intel SDM 3A §11.4.1;
/// 82093AA data sheet].
const LOCAL_APIC: u64 = 0xfee0_0000;
const IO_APIC: u64 = 0xfec0_0000;

/// The port that takes the machine into a sleeping state, and the bit that
/// does it [ACPI 6.5 §4.8.3.2.1].
const POWER_CONTROL: u16 = 0x604;
const SLEEP_ENABLE: u32 = 1 << 13;

/// The reset port, and the bit that resets [Intel ICH9 data sheet §13.7.5].
const RESET_CONTROL: u16 = 0xcf9;
const RESET: u32 = 1 << 2;

/// The keyboard controller's port, and its command that resets.
const KEYBOARD_COMMAND: u16 = 0x64;
const KEYBOARD_RESET: u32 = 0xfe;

/// The first serial port.
const CONSOLE: u16 = 0x3f8;

impl World {
    pub(super) fn moment(&self) -> Moment {
        let time_stamp = ticks();
        Moment { nanoseconds: self.clock.nanoseconds(time_stamp), time_stamp }
    }

    /// Writes the guest's clock where it wants it.
    fn write_clock(&mut self, value: u64) -> Result<(), GeneralProtection> {
        let Some(address) = kvm_clock::clock_address(value) else { return Ok(()) };
        let Moment { nanoseconds, time_stamp } = self.moment();
        let reference = kvm_clock::Reference { time_stamp, nanoseconds };
        let bytes = kvm_clock::clock(reference, self.clock.frequency());
        self.write_shared(address, &bytes)
    }

    /// Writes when the machine was started.
    fn write_wall_clock(&mut self, value: u64) -> Result<(), GeneralProtection> {
        let since_start = self.clock.now() / 1_000_000_000;
        let started = wall_clock::seconds().saturating_sub(since_start);
        self.write_shared(Gpa(value), &kvm_clock::wall_clock(started as u32))
    }

    /// Writes to shared memory. Where the guest has none, it gets an exception.
    fn write_shared(&mut self, gpa: Gpa, bytes: &[u8]) -> Result<(), GeneralProtection> {
        let last = Gpa(gpa.0.checked_add(bytes.len() as u64 - 1).ok_or(GeneralProtection)?);
        let is_shared = |gpa: Gpa| {
            self.reverse_map.entry(gpa).is_some_and(|entry| entry.state() == PageState::Hypervisor)
        };
        if !is_shared(gpa) || !is_shared(last) {
            return Err(GeneralProtection);
        }
        self.ram.write(gpa, Encryption::Shared, bytes).map_err(|_| GeneralProtection)
    }

    /// Forgets what nested page tables say of a page, after the reverse map
    /// has changed.
    pub(super) fn forget(&mut self, gpa: Gpa, size: PageSize) {
        self.views
            .forget(&mut self.memory, gpa.page(size), size)
            .expect("pages of the reverse map are aligned and below the C-bit");
    }

    /// Makes a page the guest's, or the hypervisor's; what was in it is lost.
    /// The reverse map may have it in another size: pages of 2 MiB are split,
    /// and 2 MiB of small pages go one by one.
    fn assign(&mut self, gpa: Gpa, size: PageSize, assignment: Assignment) -> Result<(), ()> {
        let entry = self.reverse_map.entry(gpa).ok_or(())?;
        let is_owned = entry.state() != PageState::Hypervisor;
        match (entry.page_size(), size) {
            (PageSize::Size2M, PageSize::Size4K) if is_owned => {
                self.split(gpa).then_some(()).ok_or(())?;
            }
            (PageSize::Size4K, PageSize::Size2M) if self.is_partly_owned(gpa) => {
                return small_pages(gpa)
                    .try_for_each(|page| self.assign(page, PageSize::Size4K, assignment));
            }
            _ => {}
        }
        self.tracer.tell(Trace::PAGES, || format!("page {gpa} ({size}): {assignment:?}"));
        self.reverse_map.rmpupdate(gpa, size, assignment).map_err(drop)?;
        self.forget(gpa, size);
        let becomes_shared = assignment == Assignment::Hypervisor;
        if becomes_shared == is_owned {
            let side = if becomes_shared { Encryption::Shared } else { Encryption::Private };
            let pages = small_pages(gpa).take(size.small_pages().into());
            pages.for_each(|page| self.ram.scramble(page, side));
        }
        Ok(())
    }

    /// Whether any page of the 2 MiB at `gpa` is the guest's.
    fn is_partly_owned(&self, gpa: Gpa) -> bool {
        small_pages(gpa)
            .filter_map(|page| self.reverse_map.entry(page))
            .any(|entry| entry.state() != PageState::Hypervisor)
    }

    /// The register of `length` bytes at `gpa`; `None` if there is nothing at
    /// all: then what is read is ones, and what is written is lost, as on a PC.
    ///
    /// # Errors
    ///
    /// It is memory, or such an access is none to a register: not 1, 2, 4 or 8
    /// bytes at a multiple of that.
    fn device_register(&self, gpa: Gpa, length: usize) -> Result<Option<DeviceRegister>, NoDevice> {
        let is_memory = self.reverse_map.entry(gpa).is_some();
        if is_memory || !length.is_power_of_two() || !gpa.0.is_multiple_of(length as u64) {
            return Err(NoDevice(gpa));
        }
        Ok(self.pci.device_register(gpa, length))
    }

    /// Splits a page of 2 MiB.
    pub(super) fn split(&mut self, gpa: Gpa) -> bool {
        let large = gpa.page(PageSize::Size2M);
        let split = self.reverse_map.psmash(large).is_ok();
        self.forget(large, PageSize::Size2M);
        split
    }
}

/// The pages of 4 KiB of the 2 MiB from `gpa` on.
fn small_pages(gpa: Gpa) -> impl Iterator<Item = Gpa> {
    let count = u64::from(PageSize::Size2M.small_pages());
    (0..count).map(move |index| Gpa(gpa.0 + index * PageSize::Size4K.bytes()))
}

fn processor_number(processor: ProcessorIndex) -> u8 {
    processor.apic_id() as u8
}

impl GuestMemory for World {
    fn read(&self, gpa: Gpa, encryption: Encryption, bytes: &mut [u8]) -> Result<(), NoMemory> {
        self.ram.read(gpa, encryption, bytes)
    }

    fn write(&mut self, gpa: Gpa, encryption: Encryption, bytes: &[u8]) -> Result<(), NoMemory> {
        self.ram.write(gpa, encryption, bytes)
    }
}

impl PageStates for World {
    fn is_shared(&self, frame: GuestFrame) -> bool {
        let entry = self.reverse_map.entry(Gpa(frame.address()));
        entry.is_some_and(|entry| entry.state() == PageState::Hypervisor)
    }

    fn change_page_state(
        &mut self,
        frame: GuestFrame,
        size: PageSize,
        operation: PageOperation,
    ) -> Result<(), PageStateRefused> {
        let gpa = Gpa(frame.address());
        let refused = PageStateRefused { frame, size };
        match operation {
            PageOperation::Private => self.assign(gpa, size, Assignment::Guest),
            PageOperation::Shared => self.assign(gpa, size, Assignment::Hypervisor),
            PageOperation::Psmash => self.split(gpa).then_some(()).ok_or(()),
            // Joining takes the page back through the security processor, which
            // hypervisors do at their leisure, if at all.
            PageOperation::Unsmash => Ok(()),
        }
        .map_err(|()| refused)
    }
}

impl Ports for World {
    fn read_port(&mut self, port: u16, width: PortIoWidth) -> u32 {
        let value = match (port, width) {
            (port, _) if Pci::has(port) => self.pci.read_port(port, width, &mut QemuPci),
            (firmware_configuration::DATA, PortIoWidth::One) => {
                let byte = device_ports::read(port, Width::One) as u8;
                self.firmware_configuration.filter(byte).into()
            }
            // Nothing is read from the selector; QEMU would give data there.
            (firmware_configuration::SELECTOR, _) => u32::MAX,
            (port, PortIoWidth::One) if LegacyInterruptControllers::has(port) => {
                self.legacy_interrupts.read(port).unwrap_or(u8::MAX).into()
            }
            _ => device_ports::read(port, device_width(width)),
        };
        self.tracer.tell(Trace::DEVICES, || format!("read port {port:#x}: {value:#x}"));
        value
    }

    fn write_port(&mut self, port: u16, width: PortIoWidth, value: u32) {
        self.tracer.tell(Trace::DEVICES, || format!("write port {port:#x}: {value:#x}"));
        match port {
            POWER_CONTROL if value & SLEEP_ENABLE != 0 => self.end = Some(End::PoweredOff),
            MARK => self.marks.set(value),
            RESET_CONTROL if value & RESET != 0 => self.end = Some(End::Reset),
            KEYBOARD_COMMAND if value == KEYBOARD_RESET => self.end = Some(End::Reset),
            port if LegacyInterruptControllers::has(port) => {
                self.legacy_interrupts.write(port, value as u8);
            }
            port if Pci::has(port) => self.pci.write_port(port, width, value, &mut QemuPci),
            firmware_configuration::SELECTOR if width == PortIoWidth::Two => {
                self.firmware_configuration.select(value as u16);
                device_ports::write(port, Width::Two, value);
            }
            firmware_configuration::SELECTOR | firmware_configuration::DATA => {}
            port => {
                self.console_bytes += u64::from(port == CONSOLE);
                device_ports::write(port, device_width(width), value);
            }
        }
    }
}

fn device_width(width: PortIoWidth) -> Width {
    match width {
        PortIoWidth::One => Width::One,
        PortIoWidth::Two => Width::Two,
        PortIoWidth::Four => Width::Four,
    }
}

impl DeviceMemory for World {
    fn read_device(
        &mut self,
        processor: ProcessorIndex,
        gpa: Gpa,
        bytes: &mut [u8],
    ) -> Result<(), NoDevice> {
        let offset = (gpa.0 & 0xfff) as u16;
        let of_word = |word: u32| u64::from(word) >> (8 * (offset & 3));
        let value = match gpa.0 & !0xfff {
            LOCAL_APIC => {
                let (number, now) = (processor_number(processor), self.moment());
                of_word(self.bus.read_local(number, offset & !3, now))
            }
            IO_APIC => of_word(self.bus.read_io_apic(offset & !3)),
            _ => {
                let register = self.device_register(gpa, bytes.len())?;
                register.map_or(u64::MAX, device_memory::read)
            }
        };
        bytes.copy_from_slice(&value.to_le_bytes()[..bytes.len()]);
        self.tracer.tell(Trace::DEVICES, || format!("read {gpa}: {bytes:x?}"));
        Ok(())
    }

    fn write_device(
        &mut self,
        processor: ProcessorIndex,
        gpa: Gpa,
        bytes: &[u8],
    ) -> Result<(), NoDevice> {
        self.tracer.tell(Trace::DEVICES, || format!("write {gpa}: {bytes:x?}"));
        let offset = (gpa.0 & 0xfff) as u16;
        // Registers are words, and only whole ones are written.
        let value = bytes.first_chunk().map(|word| u32::from_le_bytes(*word));
        let value = value.filter(|_| offset.is_multiple_of(4));
        match gpa.0 & !0xfff {
            LOCAL_APIC => {
                if let Some(value) = value {
                    let (number, now) = (processor_number(processor), self.moment());
                    self.bus.write_local(number, offset, value, now);
                }
            }
            IO_APIC => {
                if let Some(value) = value {
                    self.bus.write_io_apic(offset, value);
                }
            }
            _ => {
                let mut value = [0; 8];
                value[..bytes.len()].copy_from_slice(bytes);
                if let Some(register) = self.device_register(gpa, bytes.len())? {
                    device_memory::write(register, u64::from_le_bytes(value));
                }
            }
        }
        Ok(())
    }
}

impl Cpuid for World {
    fn cpuid(&mut self, processor: ProcessorIndex, query: CpuidQuery) -> CpuidResult {
        self.cpuid.answer(query, processor.apic_id())
    }
}

impl SpecialRegisters for World {
    fn read_msr(&mut self, processor: ProcessorIndex, msr: Msr) -> Result<u64, GeneralProtection> {
        let number = processor_number(processor);
        if LocalApic::has_msr(msr) {
            let now = self.moment();
            return self.bus.read_msr(number, msr, now).map_err(|_| GeneralProtection);
        }
        self.registers.get(usize::from(number)).ok_or(GeneralProtection)?.read(msr)
    }

    fn write_msr(
        &mut self,
        processor: ProcessorIndex,
        msr: Msr,
        value: u64,
    ) -> Result<(), GeneralProtection> {
        let number = processor_number(processor);
        if LocalApic::has_msr(msr) {
            let now = self.moment();
            let written = self.bus.write_msr(number, msr, value, now);
            return written.map(drop).map_err(|_| GeneralProtection);
        }
        match msr {
            kvm_clock::SYSTEM_TIME => self.write_clock(value),
            kvm_clock::WALL_CLOCK => self.write_wall_clock(value),
            _ => self
                .registers
                .get_mut(usize::from(number))
                .ok_or(GeneralProtection)?
                .write(msr, value),
        }
    }
}

impl TimeStampCounter for World {
    fn time_stamp(&mut self, _: ProcessorIndex) -> u64 {
        ticks()
    }
}

impl PerformanceCounters for World {
    /// There are none.
    fn performance_counter(&mut self, _: ProcessorIndex, _: u32) -> Result<u64, GeneralProtection> {
        Err(GeneralProtection)
    }
}

impl Hypercalls for World {
    /// There are none: what KVM answers to calls that it does not know
    /// [Linux Documentation/virt/kvm/x86/hypercalls.rst].
    fn hypercall(&mut self, _: ProcessorIndex, _: Hypercall) -> u64 {
        const NO_SUCH_CALL: i64 = -1000;
        NO_SUCH_CALL as u64
    }
}

impl InterruptControl for World {
    fn send_interrupt(
        &mut self,
        processor: ProcessorIndex,
        command: u64,
    ) -> Result<(), InvalidCommand> {
        const INTERRUPT_COMMAND: Msr = Msr(0x830);
        let now = self.moment();
        let written =
            self.bus.write_msr(processor_number(processor), INTERRUPT_COMMAND, command, now);
        written.map(drop).map_err(|_| InvalidCommand(command))
    }

    fn nmi_completed(&mut self, processor: ProcessorIndex) {
        self.nmis_completed |= 1 << processor_number(processor);
    }
}

impl GuestRequests for World {
    fn guest_request(&mut self, request: GuestFrame, response: GuestFrame) -> GuestRequestStatus {
        let mut question = GuestMessage::zeroed();
        let at = Gpa(request.address());
        if self.ram.read(at, Encryption::Shared, question.as_mut_bytes()).is_err() {
            return firmware_status(FirmwareStatus::INVALID_ADDRESS);
        }
        let mut answer = GuestMessage::zeroed();
        let result = self.security_processor.guest_request(&mut question, &mut answer);
        self.tracer.tell(Trace::SECURITY_PROCESSOR, || match &result {
            Ok(()) => format!("guest message at {request} answered"),
            Err(refusal) => format!("guest message at {request} refused: {refusal}"),
        });
        if let Err(refusal) = result {
            return firmware_status(refusal.status());
        }
        let at = Gpa(response.address());
        match self.ram.write(at, Encryption::Shared, answer.as_bytes()) {
            Ok(()) => GuestRequestStatus::SUCCESS,
            Err(_) => firmware_status(FirmwareStatus::INVALID_ADDRESS),
        }
    }

    fn certificate_table(&mut self) -> Vec<u8> {
        self.certificates.to_vec()
    }
}

/// The security processor's refusal.
fn firmware_status(status: FirmwareStatus) -> GuestRequestStatus {
    GuestRequestStatus { hypervisor_error: 0, firmware_status: status }
}
