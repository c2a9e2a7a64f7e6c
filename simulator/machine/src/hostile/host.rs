//! A host whose answers go through a scenario.
//!
//! [`HostileHost`] stands between the server of the GHCB protocol and the
//! machine, so that it does not matter by which protocol the guest asks.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use abi_snp::PageSize;
use abi_snp::ghcb::{GuestFrame, GuestRequestStatus, PageOperation, PortIoWidth};
use abi_x86::Msr;

use crate::cpuid::{CpuidQuery, CpuidResult};
use crate::ghcb::{
    Cpuid, DeviceMemory, GeneralProtection, GuestRequests, Host, Hypercall, Hypercalls,
    InterruptControl, InvalidCommand, NoDevice, PageStateRefused, PageStates, PerformanceCounters,
    Ports, SpecialRegisters, TimeStampCounter,
};
use crate::gpa::Gpa;
use crate::guest_memory::{GuestMemory, NoMemory};
use crate::hostile::answer::{Answer, Field};
use crate::hostile::deed::Deed;
use crate::hostile::hits::{Hits, Verdict};
use crate::hostile::occasion::Occasion;
use crate::hostile::scenario::Scenario;
use crate::processors::{ProcessorIndex, Target};
use crate::reverse_map::Encryption;

/// A host that serves a request of `target` as a scenario wants.
pub(super) struct HostileHost<'a, H> {
    pub(super) host: &'a mut H,
    pub(super) scenario: &'a mut Scenario,
    pub(super) target: Target,
}

impl<H> HostileHost<'_, H> {
    fn meet(&mut self, occasion: Occasion) -> Hits {
        self.scenario.meet(self.target, occasion)
    }

    /// What is to be done instead of serving the request. It counts as done
    /// then, unless it is done later.
    fn verdict(&mut self, hits: &Hits) -> Option<Verdict> {
        let (rule, verdict) = hits.verdict()?;
        match verdict {
            Verdict::Deny => self.scenario.note_done(rule, format!("refused ({hits})")),
            Verdict::Ignore => self.scenario.note_done(rule, format!("ignored ({hits})")),
            Verdict::Delay { .. } => {}
        }
        Some(verdict)
    }

    fn tamper_with_value(&mut self, hits: &Hits, value: u64) -> u64 {
        let answer = self.scenario.tamper(hits, Answer::of_word(Field::Value, value));
        answer.get(Field::Value).unwrap_or(value)
    }
}

impl<H: Host> GuestMemory for HostileHost<'_, H> {
    fn read(&self, gpa: Gpa, encryption: Encryption, bytes: &mut [u8]) -> Result<(), NoMemory> {
        self.host.read(gpa, encryption, bytes)
    }

    fn write(&mut self, gpa: Gpa, encryption: Encryption, bytes: &[u8]) -> Result<(), NoMemory> {
        self.host.write(gpa, encryption, bytes)
    }
}

impl<H: Host> PageStates for HostileHost<'_, H> {
    fn is_shared(&self, frame: GuestFrame) -> bool {
        self.host.is_shared(frame)
    }

    fn change_page_state(
        &mut self,
        frame: GuestFrame,
        size: PageSize,
        operation: PageOperation,
    ) -> Result<(), PageStateRefused> {
        let gpa = Gpa(frame.address());
        let hits = self.meet(Occasion::PageState { gpa, size, operation });
        match self.verdict(&hits) {
            Some(Verdict::Deny) => Err(PageStateRefused { frame, size }),
            Some(Verdict::Delay { rule, exits }) => {
                let deed = Deed::ChangePageState { frame, size, operation };
                self.scenario.wait_for(rule, exits, deed);
                Ok(())
            }
            Some(Verdict::Ignore) => Ok(()),
            None => self.host.change_page_state(frame, size, operation),
        }
    }
}

impl<H: Host> Ports for HostileHost<'_, H> {
    fn read_port(&mut self, port: u16, width: PortIoWidth) -> u32 {
        let hits = self.meet(Occasion::ReadPort(port));
        let value = self.host.read_port(port, width);
        self.tamper_with_value(&hits, value.into()) as u32
    }

    fn write_port(&mut self, port: u16, width: PortIoWidth, value: u32) {
        let hits = self.meet(Occasion::WritePort { port, value });
        if self.verdict(&hits).is_none() {
            self.host.write_port(port, width, value);
        }
    }
}

impl<H: Host> Cpuid for HostileHost<'_, H> {
    fn cpuid(&mut self, processor: ProcessorIndex, query: CpuidQuery) -> CpuidResult {
        let CpuidQuery { leaf, subleaf, .. } = query;
        let hits = self.meet(Occasion::Cpuid { leaf, subleaf });
        let honest = self.host.cpuid(processor, query);
        let words = [
            (Field::Eax, honest.eax),
            (Field::Ebx, honest.ebx),
            (Field::Ecx, honest.ecx),
            (Field::Edx, honest.edx),
        ];
        let words = words.map(|(field, value)| (field, u64::from(value)));
        let answer = self.scenario.tamper(&hits, Answer::of_words(words));
        CpuidResult {
            eax: answer.get_32(Field::Eax),
            ebx: answer.get_32(Field::Ebx),
            ecx: answer.get_32(Field::Ecx),
            edx: answer.get_32(Field::Edx),
        }
    }
}

impl<H: Host> SpecialRegisters for HostileHost<'_, H> {
    fn read_msr(&mut self, processor: ProcessorIndex, msr: Msr) -> Result<u64, GeneralProtection> {
        let hits = self.meet(Occasion::ReadMsr(msr));
        if self.verdict(&hits).is_some() {
            return Err(GeneralProtection);
        }
        let value = self.host.read_msr(processor, msr)?;
        Ok(self.tamper_with_value(&hits, value))
    }

    fn write_msr(
        &mut self,
        processor: ProcessorIndex,
        msr: Msr,
        value: u64,
    ) -> Result<(), GeneralProtection> {
        let hits = self.meet(Occasion::WriteMsr(msr));
        match self.verdict(&hits) {
            Some(Verdict::Deny) => Err(GeneralProtection),
            Some(_) => Ok(()),
            None => self.host.write_msr(processor, msr, value),
        }
    }
}

impl<H: Host> GuestRequests for HostileHost<'_, H> {
    fn guest_request(&mut self, request: GuestFrame, response: GuestFrame) -> GuestRequestStatus {
        let place = Gpa(response.address());
        let hits = self.meet(Occasion::GuestRequest(place));
        let status = match self.verdict(&hits) {
            Some(_) => GuestRequestStatus::SUCCESS,
            None => self.host.guest_request(request, response),
        };
        if hits.is_empty() {
            return status;
        }
        let mut honest = Answer::of_word(Field::Status, status.encode());
        honest.page = vec![0; PageSize::Size4K.bytes() as usize];
        // The server has made sure that the page is there, and shared.
        if self.host.read(place, Encryption::Shared, &mut honest.page).is_err() {
            return status;
        }
        let before = honest.page.clone();
        let answer = self.scenario.tamper(&hits, honest);
        if answer.page != before
            && self.host.write(place, Encryption::Shared, &answer.page).is_err()
        {
            return status;
        }
        answer.get(Field::Status).map_or(status, GuestRequestStatus::decode)
    }

    fn certificate_table(&mut self) -> Vec<u8> {
        self.host.certificate_table()
    }
}

impl<H: Host> DeviceMemory for HostileHost<'_, H> {
    fn read_device(
        &mut self,
        processor: ProcessorIndex,
        gpa: Gpa,
        bytes: &mut [u8],
    ) -> Result<(), NoDevice> {
        self.host.read_device(processor, gpa, bytes)
    }

    fn write_device(
        &mut self,
        processor: ProcessorIndex,
        gpa: Gpa,
        bytes: &[u8],
    ) -> Result<(), NoDevice> {
        self.host.write_device(processor, gpa, bytes)
    }
}

impl<H: Host> TimeStampCounter for HostileHost<'_, H> {
    fn time_stamp(&mut self, processor: ProcessorIndex) -> u64 {
        self.host.time_stamp(processor)
    }
}

impl<H: Host> PerformanceCounters for HostileHost<'_, H> {
    fn performance_counter(
        &mut self,
        processor: ProcessorIndex,
        number: u32,
    ) -> Result<u64, GeneralProtection> {
        self.host.performance_counter(processor, number)
    }
}

impl<H: Host> Hypercalls for HostileHost<'_, H> {
    fn hypercall(&mut self, processor: ProcessorIndex, call: Hypercall) -> u64 {
        self.host.hypercall(processor, call)
    }
}

impl<H: Host> InterruptControl for HostileHost<'_, H> {
    fn send_interrupt(
        &mut self,
        processor: ProcessorIndex,
        command: u64,
    ) -> Result<(), InvalidCommand> {
        self.host.send_interrupt(processor, command)
    }

    fn nmi_completed(&mut self, processor: ProcessorIndex) {
        self.host.nmi_completed(processor);
    }
}
