//! A host for tests: small, and strict about what the server may touch.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec;
use alloc::vec::Vec;

use abi_snp::PageSize;
use abi_snp::ghcb::{GuestFrame, GuestRequestStatus, PageOperation, PortIoWidth};
use abi_x86::Msr;

use crate::cpuid::{CpuidQuery, CpuidResult};
use crate::ghcb::host::{
    Cpuid, DeviceMemory, GeneralProtection, GuestRequests, Hypercall, Hypercalls, InterruptControl,
    InvalidCommand, NoDevice, PageStateRefused, PageStates, PerformanceCounters, Ports,
    SpecialRegisters, TimeStampCounter,
};
use crate::gpa::Gpa;
use crate::guest_memory::{GuestMemory, NoMemory};
use crate::processors::ProcessorIndex;
use crate::reverse_map::Encryption;

/// Pages of memory, from address 0 on.
pub(crate) const PAGES: u64 = 32;

/// Where there is a device: 8 bytes.
pub(crate) const DEVICE: Gpa = Gpa(0xfee0_0000);

/// The only special register that takes any value.
pub(crate) const SCRATCH_REGISTER: Msr = Msr(0x1234);

/// What an access to a platform came to, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    ReadPort(u16, PortIoWidth),
    WritePort(u16, PortIoWidth, u32),
    ReadDevice(u32, Gpa, usize),
    WriteDevice(u32, Gpa, Vec<u8>),
    Cpuid(u32, CpuidQuery),
    Hypercall(u32, Hypercall),
    Interrupt(u32, u64),
    NmiCompleted(u32),
    PageState(GuestFrame, PageSize, PageOperation),
    GuestRequest(GuestFrame, GuestFrame),
}

pub(crate) struct FakeHost {
    memory: Vec<u8>,
    pub(crate) shared: BTreeSet<u64>,
    pub(crate) accesses: Vec<Access>,
    pub(crate) msrs: BTreeMap<u32, u64>,
    pub(crate) certificates: Vec<u8>,
    pub(crate) status: GuestRequestStatus,
    /// Pages that do not change their state.
    pub(crate) stubborn: BTreeSet<u64>,
    next_port_value: u32,
}

impl FakeHost {
    /// A host with all memory shared.
    pub(crate) fn new() -> Self {
        Self {
            memory: vec![0; (PAGES * PageSize::Size4K.bytes()) as usize],
            shared: (0..PAGES).collect(),
            accesses: Vec::new(),
            msrs: BTreeMap::from([(SCRATCH_REGISTER.0, 0), (Msr::TSC_AUX.0, 7)]),
            certificates: Vec::new(),
            status: GuestRequestStatus::SUCCESS,
            stubborn: BTreeSet::new(),
            next_port_value: 0x0403_0201,
        }
    }

    /// What was done since the last time.
    pub(crate) fn take_accesses(&mut self) -> Vec<Access> {
        core::mem::take(&mut self.accesses)
    }

    /// Memory as the guest sees it.
    pub(crate) fn bytes(&self, gpa: u64, length: usize) -> &[u8] {
        &self.memory[gpa as usize..][..length]
    }

    pub(crate) fn bytes_mut(&mut self, gpa: u64, length: usize) -> &mut [u8] {
        &mut self.memory[gpa as usize..][..length]
    }

    /// The range of memory; panics if the server should not touch it.
    fn range(
        &self,
        gpa: Gpa,
        encryption: Encryption,
        length: usize,
    ) -> Result<core::ops::Range<usize>, NoMemory> {
        assert_eq!(encryption, Encryption::Shared, "a hypervisor has no key");
        let end = gpa.0.checked_add(length as u64).ok_or(NoMemory(gpa))?;
        let size = PageSize::Size4K.bytes();
        for page in gpa.0 / size..end.div_ceil(size) {
            assert!(self.shared.contains(&page), "touches page {page:#x}, which is not shared");
        }
        Ok(gpa.0 as usize..end as usize)
    }
}

impl GuestMemory for FakeHost {
    fn read(&self, gpa: Gpa, encryption: Encryption, bytes: &mut [u8]) -> Result<(), NoMemory> {
        bytes.copy_from_slice(&self.memory[self.range(gpa, encryption, bytes.len())?]);
        Ok(())
    }

    fn write(&mut self, gpa: Gpa, encryption: Encryption, bytes: &[u8]) -> Result<(), NoMemory> {
        let range = self.range(gpa, encryption, bytes.len())?;
        self.memory[range].copy_from_slice(bytes);
        Ok(())
    }
}

impl PageStates for FakeHost {
    fn is_shared(&self, frame: GuestFrame) -> bool {
        self.shared.contains(&frame.number())
    }

    fn change_page_state(
        &mut self,
        frame: GuestFrame,
        size: PageSize,
        operation: PageOperation,
    ) -> Result<(), PageStateRefused> {
        self.accesses.push(Access::PageState(frame, size, operation));
        let pages = frame.number()..frame.number() + u64::from(size.small_pages());
        if pages.clone().any(|page| self.stubborn.contains(&page)) {
            return Err(PageStateRefused { frame, size });
        }
        for page in pages.filter(|page| *page < PAGES) {
            match operation {
                PageOperation::Private => self.shared.remove(&page),
                PageOperation::Shared => self.shared.insert(page),
                PageOperation::Psmash | PageOperation::Unsmash => false,
            };
        }
        Ok(())
    }
}

impl Ports for FakeHost {
    fn read_port(&mut self, port: u16, width: PortIoWidth) -> u32 {
        self.accesses.push(Access::ReadPort(port, width));
        let value = self.next_port_value;
        self.next_port_value = value.wrapping_add(0x1010_1010);
        value
    }

    fn write_port(&mut self, port: u16, width: PortIoWidth, value: u32) {
        self.accesses.push(Access::WritePort(port, width, value));
    }
}

impl DeviceMemory for FakeHost {
    fn read_device(
        &mut self,
        processor: ProcessorIndex,
        gpa: Gpa,
        bytes: &mut [u8],
    ) -> Result<(), NoDevice> {
        if gpa != DEVICE {
            return Err(NoDevice(gpa));
        }
        self.accesses.push(Access::ReadDevice(processor.apic_id(), gpa, bytes.len()));
        bytes.fill(0xd5);
        Ok(())
    }

    fn write_device(
        &mut self,
        processor: ProcessorIndex,
        gpa: Gpa,
        bytes: &[u8],
    ) -> Result<(), NoDevice> {
        if gpa != DEVICE {
            return Err(NoDevice(gpa));
        }
        self.accesses.push(Access::WriteDevice(processor.apic_id(), gpa, bytes.to_vec()));
        Ok(())
    }
}

impl Cpuid for FakeHost {
    fn cpuid(&mut self, processor: ProcessorIndex, query: CpuidQuery) -> CpuidResult {
        self.accesses.push(Access::Cpuid(processor.apic_id(), query));
        let CpuidQuery { leaf, subleaf, .. } = query;
        CpuidResult { eax: leaf, ebx: subleaf, ecx: !leaf, edx: 0x8000_0001 }
    }
}

impl SpecialRegisters for FakeHost {
    fn read_msr(&mut self, _: ProcessorIndex, msr: Msr) -> Result<u64, GeneralProtection> {
        self.msrs.get(&msr.0).copied().ok_or(GeneralProtection)
    }

    fn write_msr(
        &mut self,
        _: ProcessorIndex,
        msr: Msr,
        value: u64,
    ) -> Result<(), GeneralProtection> {
        *self.msrs.get_mut(&msr.0).ok_or(GeneralProtection)? = value;
        Ok(())
    }
}

impl TimeStampCounter for FakeHost {
    fn time_stamp(&mut self, processor: ProcessorIndex) -> u64 {
        0x1_2345_6780 + u64::from(processor.apic_id())
    }
}

impl PerformanceCounters for FakeHost {
    fn performance_counter(
        &mut self,
        _: ProcessorIndex,
        number: u32,
    ) -> Result<u64, GeneralProtection> {
        if number < 6 { Ok(0xff_0000_0000 + u64::from(number)) } else { Err(GeneralProtection) }
    }
}

impl Hypercalls for FakeHost {
    fn hypercall(&mut self, processor: ProcessorIndex, call: Hypercall) -> u64 {
        self.accesses.push(Access::Hypercall(processor.apic_id(), call));
        !call.rax
    }
}

impl InterruptControl for FakeHost {
    fn send_interrupt(
        &mut self,
        processor: ProcessorIndex,
        command: u64,
    ) -> Result<(), InvalidCommand> {
        if command & 1 << 13 != 0 {
            return Err(InvalidCommand(command));
        }
        self.accesses.push(Access::Interrupt(processor.apic_id(), command));
        Ok(())
    }

    fn nmi_completed(&mut self, processor: ProcessorIndex) {
        self.accesses.push(Access::NmiCompleted(processor.apic_id()));
    }
}

impl GuestRequests for FakeHost {
    fn guest_request(&mut self, request: GuestFrame, response: GuestFrame) -> GuestRequestStatus {
        self.accesses.push(Access::GuestRequest(request, response));
        self.status
    }

    fn certificate_table(&mut self) -> Vec<u8> {
        self.certificates.clone()
    }
}
