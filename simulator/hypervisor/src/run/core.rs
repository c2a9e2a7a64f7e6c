//! A virtual processor: what of it runs now, and what it is owed.

use abi_snp::{SevFeatures, Vmsa};
use abi_svm::{Event, ExitCode};
use abi_x86::Efer;
use abi_x86::{Cr0, ExceptionVector, Rflags};
use machine::processor::{ExitRecord, Offer, RegisterFile, StateRefusal, load_vmsa, store_vmsa};
use machine::processors::{ProcessorIndex, Running};
use machine::{Cpl, Execution};
use zerocopy::FromZeros;

use crate::extended_state;
use crate::vcpu::{Exit, Vcpu};
use crate::views::Paging;

/// What the guest gets before its next instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// #VC with this error code.
    Communication(u32),
    /// This event.
    Event(Event),
}

/// A virtual processor.
pub(super) struct Core {
    pub(super) index: ProcessorIndex,
    pub(super) vcpu: Vcpu,
    /// The save area whose registers it has.
    pub(super) loaded: Option<Running>,
    /// The registers that no control block holds. Those that the processor
    /// keeps through exits are in it only while another one has the processor.
    pub(super) file: RegisterFile,
    /// The GHCB MSR of the level that runs.
    pub(super) ghcb_msr: u64,
    pub(super) due: Due,
    /// Between an NMI and the guest's word that it is done with it.
    pub(super) in_nmi: bool,
    last_exit: ExitRecord,
}

impl Core {
    pub(super) fn new(index: ProcessorIndex, vcpu: Vcpu) -> Self {
        Self {
            index,
            vcpu,
            loaded: None,
            file: RegisterFile::empty(),
            ghcb_msr: 0,
            due: Due::Nothing,
            in_nmi: false,
            last_exit: ExitRecord {
                code: ExitCode(0),
                info_1: 0,
                info_2: 0,
                interrupted: Event::NONE,
                next_rip: 0,
            },
        }
    }

    /// Takes the registers of `vmsa`.
    ///
    /// # Errors
    ///
    /// VMRUN would refuse it.
    pub(super) fn load(
        &mut self,
        running: Running,
        vmsa: &Vmsa,
        offer: &Offer,
    ) -> Result<(), StateRefusal> {
        load_vmsa(vmsa, running.vmpl, offer, self.vcpu.save(), &mut self.file)?;
        self.vcpu.registers = self.file.general.clone();
        match self.file.events {
            Some(events) => self.vcpu.set_events(events),
            // What the level before has left pending is not this one's.
            None => self.vcpu.clear_virtual_interrupt(),
        }
        self.loaded = Some(running);
        self.due = Due::Nothing;
        Ok(())
    }

    /// Stores the registers in `vmsa`. The processor must have given them back
    /// ([`Self::leave_processor`]).
    pub(super) fn store(&mut self, vmsa: &mut Vmsa) {
        self.file.general = self.vcpu.registers.clone();
        if self.file.events.is_some() {
            self.file.events = Some(self.vcpu.events());
            self.vcpu.inject(Event::NONE);
        }
        store_vmsa(self.vcpu.save(), &self.file, &self.last_exit, vmsa);
        self.loaded = None;
    }

    /// Gives this one's registers to the processor: those that stay in it
    /// through exits.
    pub(super) fn take_processor(&mut self) {
        extended_state::load(&mut self.file.extended, self.file.xcr0);
        extended_state::set_debug_addresses(self.file.dr);
        extended_state::set_tsc_aux(self.file.tsc_aux);
    }

    /// Keeps the registers that stay in the processor through exits.
    pub(super) fn leave_processor(&mut self) {
        extended_state::store(&mut self.file.extended);
        self.file.dr = extended_state::debug_addresses();
    }

    /// Changes XCR0 of the guest that the processor has.
    pub(super) fn set_xcr0(&mut self, value: u64) {
        extended_state::store(&mut self.file.extended);
        self.file.xcr0 = value;
        extended_state::load(&mut self.file.extended, value);
    }

    /// Runs the guest until it exits.
    pub(super) fn run(&mut self) -> Exit {
        let exit = self.vcpu.run();
        self.last_exit = ExitRecord {
            code: exit.code,
            info_1: exit.info_1,
            info_2: exit.info_2,
            interrupted: exit.interrupted.unwrap_or(Event::NONE),
            next_rip: exit.rip,
        };
        exit
    }

    /// The last exit is another one on a processor that knows the instruction,
    /// which the emulated one does not: what the save area tells of.
    pub(super) fn name_exit(&mut self, code: ExitCode) {
        (self.last_exit.code, self.last_exit.info_1, self.last_exit.info_2) = (code, 0, 0);
    }

    /// What runs, as the rules of the reverse map look at it.
    pub(super) fn execution(&mut self) -> Execution {
        let cpl = Cpl::from_low_bits(self.vcpu.save().cpl);
        Execution { vmpl: self.file.vmpl, cpl, features: self.file.features }
    }

    pub(super) fn paging(&mut self) -> Paging {
        if self.vcpu.save().cr0.contains(Cr0::PG) { Paging::On } else { Paging::Off }
    }

    /// Whether nothing but #HV is injected.
    pub(super) fn is_restricted(&self) -> bool {
        self.file.features.contains(SevFeatures::RESTRICTED_INJECTION)
    }

    /// Whether all that it gets stands in its save area: nothing is injected.
    pub(super) fn has_events_of_its_own(&self) -> bool {
        self.file.events.is_some()
    }

    /// Whether interrupts and NMIs of its local APIC are delivered as such.
    pub(super) fn takes_vectors(&self) -> bool {
        !self.is_restricted() && !self.has_events_of_its_own()
    }

    /// Whether an interrupt ends HLT: the guest takes interrupts, or #HV tells
    /// it of them, which nothing masks. A guest that gets none goes on behind
    /// HLT, for it may have something to do of which nobody else knows.
    pub(super) fn can_be_woken(&mut self) -> bool {
        !self.takes_vectors() || self.vcpu.save().rflags.contains(Rflags::IF)
    }

    /// Goes on behind an instruction of `length` bytes.
    pub(super) fn skip(&mut self, length: u8) {
        let save = self.vcpu.save();
        save.rip = machine::processor::next_rip(save, length);
        save.rflags.remove(Rflags::RF);
        self.vcpu.leave_interrupt_shadow();
    }

    /// Owes the guest an exception, with its error code if it has one.
    pub(super) fn raise(&mut self, vector: ExceptionVector, code: Option<u64>) {
        self.due = match code {
            _ if vector == ExceptionVector::VMM_COMMUNICATION => {
                Due::Communication(code.unwrap_or(0) as u32)
            }
            Some(code) => Due::Event(Event::exception_with_code(vector, code as u32)),
            None => Due::Event(Event::exception(vector)),
        };
    }

    /// EDX:EAX.
    pub(super) fn edx_eax(&mut self) -> u64 {
        let low = self.vcpu.save().rax as u32;
        u64::from(self.vcpu.registers.rdx as u32) << 32 | u64::from(low)
    }

    /// Sets EDX:EAX, with the upper halves zero.
    pub(super) fn set_edx_eax(&mut self, value: u64) {
        self.vcpu.save().rax = value & 0xffff_ffff;
        self.vcpu.registers.rdx = value >> 32;
    }

    /// CR0 takes a new value, as MOV to CR0 has it: with paging on, EFER.LME
    /// makes EFER.LMA [APM 24593 §14.6.1].
    pub(super) fn set_cr0(&mut self, value: Cr0) {
        let save = self.vcpu.save();
        save.cr0 = value | Cr0::ET;
        let long = save.efer.contains(Efer::LME) && value.contains(Cr0::PG);
        save.efer.set(Efer::LMA, long);
    }
}

/// An empty save area to fill.
pub(super) fn blank_vmsa() -> Vmsa {
    Vmsa::new_zeroed()
}
