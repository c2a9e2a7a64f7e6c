//! What an exit leads to.
//!
//! [`machine::processor::disposition`] says what an SEV-SNP processor would
//! have made of it; this does it.

use abi_simulator::launch::Trace;
use abi_simulator::report::End;
use abi_svm::ExitCode;
use abi_x86::{Cr0, Cr4, ExceptionVector, Msr};
use alloc::format;
use alloc::string::ToString;
use machine::Cpl;
use machine::processor::{
    Disposition, GUEST_TSC_FREQUENCY, Intercept, Operation, Resume, disposition, is_possible_xcr0,
    sev_status,
};
use machine::reverse_map::{FaultKind, Outcome, Registers, Translation};

use super::guest::{Guest, Turn, fault};
use super::memory_access::{Reach, Unreached};
use page_walk::Privilege;

use crate::clock::ticks;
use crate::vcpu::Exit;

/// A write to CR0 is intercepted to see paging go on and off.
const CR0_WRITE: ExitCode = ExitCode(0x10);

/// Registers of the guest's own that the emulated processor lacks, or shares
/// with the host.
const XSS: Msr = Msr(0xda0);
const SPEC_CTRL: Msr = Msr(0x48);
const PRED_CMD: Msr = Msr(0x49);

impl Guest {
    /// Handles an exit.
    pub(super) fn handle(&mut self, number: usize, exit: &Exit) -> Result<Turn, End> {
        let core = &mut self.cores[number];
        let msr = Msr(core.vcpu.registers.rcx as u32);
        let cpl = core.execution().cpl;
        let intercept = Intercept { code: exit.code, info_1: exit.info_1, msr, cpl };
        match disposition(&intercept, core.file.features) {
            Disposition::Privileged => {
                core.raise(ExceptionVector::GENERAL_PROTECTION, Some(0));
                Ok(Turn::GoesOn)
            }
            _ if exit.code == CR0_WRITE => self.write_cr0(number),
            _ if matches!(exit.code, ExitCode::RDTSC | ExitCode::RDTSCP) => self.time_stamp(number),
            Disposition::AutomaticExit(resume) => self.automatic_exit(number, exit, resume),
            Disposition::Communication => {
                core.raise(ExceptionVector::VMM_COMMUNICATION, Some(exit.code.0));
                Ok(Turn::GoesOn)
            }
            Disposition::ReflectedCommunication => {
                Err(fault(format!("the guest asked for #VC to be reflected ({})", exit.code)))
            }
            Disposition::OwnMsr => self.own_msr(number, exit.info_1 == 1, msr),
            Disposition::Execute => self.execute(number, exit),
            Disposition::Refused => Err(End::InvalidSaveArea {
                vcpu: number as u32,
                vmpl: core.file.vmpl.number(),
                text: "the emulated processor refuses its registers".to_string(),
            }),
        }
    }

    fn automatic_exit(&mut self, number: usize, exit: &Exit, resume: Resume) -> Result<Turn, End> {
        if exit.code == ExitCode::NESTED_PAGE_FAULT {
            return self.memory_fault(number, exit);
        }
        if resume == Resume::NextInstruction {
            self.skip_instruction(number)?;
        }
        match exit.code {
            ExitCode::HLT => {
                let index = self.cores[number].index;
                self.server.processors_mut().halt(index);
                // Others may look at the save area of a processor that waits.
                self.unload(number);
                Ok(Turn::Yields)
            }
            ExitCode::PAUSE => Ok(Turn::Yields),
            ExitCode::SHUTDOWN => {
                let core = &mut self.cores[number];
                let vmpl = core.file.vmpl.number();
                Err(End::TripleFault { vcpu: number as u32, vmpl, rip: core.vcpu.save().rip })
            }
            _ => Ok(Turn::GoesOn),
        }
    }

    /// Goes on behind the instruction that the processor is at.
    fn skip_instruction(&mut self, number: usize) -> Result<(), End> {
        let instruction = self.instruction(number)?;
        self.cores[number].skip(instruction.length());
        Ok(())
    }

    /// MOV to CR0, CLTS or LMSW.
    fn write_cr0(&mut self, number: usize) -> Result<Turn, End> {
        let instruction = self.instruction(number)?;
        let core = &mut self.cores[number];
        let new = match instruction.operation() {
            Operation::WriteControl { register, .. } => {
                let registers = core.vcpu.registers.clone();
                Cr0::from_bits_retain(register.get(core.vcpu.save(), &registers))
            }
            other => return Err(fault(format!("write to CR0 by {other:?} is not emulated"))),
        };
        core.set_cr0(new);
        core.skip(instruction.length());
        Ok(Turn::GoesOn)
    }

    /// RDTSC or RDTSCP with a counter that the emulated processor cannot show. It
    /// reports both as RDTSC.
    fn time_stamp(&mut self, number: usize) -> Result<Turn, End> {
        let instruction = self.instruction(number)?;
        let core = &mut self.cores[number];
        core.set_edx_eax(core.file.tsc.at(ticks()));
        if instruction.operation() == Operation::Rdtscp {
            core.vcpu.registers.rcx = core.file.tsc_aux.into();
        }
        core.skip(instruction.length());
        Ok(Turn::GoesOn)
    }

    /// RDMSR or WRMSR of a register that the processor keeps for the guest.
    fn own_msr(&mut self, number: usize, writes: bool, msr: Msr) -> Result<Turn, End> {
        let instruction = self.instruction(number)?;
        let core = &mut self.cores[number];
        if writes {
            let value = core.edx_eax();
            match msr {
                Msr::GHCB => {
                    core.ghcb_msr = value;
                    self.server.processors_mut().set_ghcb_msr(core.index, value);
                }
                Msr::PAT => core.vcpu.save().g_pat = value,
                Msr::TSC_AUX => {
                    core.file.tsc_aux = value as u32;
                    crate::extended_state::set_tsc_aux(value as u32);
                }
                XSS => core.file.xss = value,
                SPEC_CTRL => core.file.spec_ctrl = value,
                // Predictions cannot be seen here.
                PRED_CMD => {}
                _ => {
                    core.raise(ExceptionVector::GENERAL_PROTECTION, Some(0));
                    return Ok(Turn::GoesOn);
                }
            }
        } else {
            let value = match msr {
                Msr::GHCB => core.ghcb_msr,
                Msr::SEV_STATUS => sev_status(core.file.features),
                Msr::PAT => core.vcpu.save().g_pat,
                Msr::TSC_AUX => core.file.tsc_aux.into(),
                GUEST_TSC_FREQUENCY => {
                    core.file.tsc.megahertz(self.world.security_processor.platform().tsc_khz)
                }
                XSS => core.file.xss,
                SPEC_CTRL => core.file.spec_ctrl,
                _ => {
                    core.raise(ExceptionVector::GENERAL_PROTECTION, Some(0));
                    return Ok(Turn::GoesOn);
                }
            };
            core.set_edx_eax(value);
        }
        core.skip(instruction.length());
        Ok(Turn::GoesOn)
    }

    /// An instruction that the emulated processor does not know.
    fn execute(&mut self, number: usize, exit: &Exit) -> Result<Turn, End> {
        let Ok(instruction) = self.try_instruction(number) else {
            return self.pass_exception_on(number, exit);
        };
        match instruction.operation() {
            Operation::Vmgexit => {
                self.cores[number].name_exit(ExitCode::VMGEXIT);
                self.cores[number].skip(instruction.length());
                self.vmgexit(number)
            }
            Operation::Vmmcall => {
                let code = ExitCode::VMMCALL.0;
                self.cores[number].raise(ExceptionVector::VMM_COMMUNICATION, Some(code));
                Ok(Turn::GoesOn)
            }
            operation @ (Operation::Pvalidate | Operation::Rmpadjust | Operation::Rmpquery) => {
                self.page_instruction(number, operation, instruction.length())
            }
            Operation::Xsetbv if self.has_xsave() => self.write_xcr0(number, instruction.length()),
            operation @ (Operation::Invlpgb | Operation::Tlbsync) => {
                self.broadcast(number, operation, exit)
            }
            _ => self.pass_exception_on(number, exit),
        }
    }

    /// Whether the guest has XSAVE, and so XSETBV.
    fn has_xsave(&self) -> bool {
        self.offer.cr4.contains(Cr4::OSXSAVE)
    }

    /// XSETBV, which the emulated processor exits at only where CR4 of the guest
    /// allows it.
    fn write_xcr0(&mut self, number: usize, length: u8) -> Result<Turn, End> {
        let offered = self.offer.xcr0;
        let core = &mut self.cores[number];
        let value = core.edx_eax();
        let is_possible = core.vcpu.registers.rcx as u32 == 0 && is_possible_xcr0(value, offered);
        if is_possible && core.execution().cpl == Cpl::Cpl0 {
            core.set_xcr0(value);
            core.skip(length);
        } else {
            core.raise(ExceptionVector::GENERAL_PROTECTION, Some(0));
        }
        Ok(Turn::GoesOn)
    }

    /// The exception that was intercepted is the guest's.
    pub(super) fn pass_exception_on(&mut self, number: usize, exit: &Exit) -> Result<Turn, End> {
        let Some(vector) = exit.code.exception() else {
            // XSETBV, where there is no XSAVE.
            self.cores[number].raise(ExceptionVector::INVALID_OPCODE, None);
            return Ok(Turn::GoesOn);
        };
        let code = vector.pushes_error_code().then_some(exit.info_1);
        self.cores[number].raise(vector, code);
        Ok(Turn::GoesOn)
    }

    /// PVALIDATE, RMPADJUST or RMPQUERY.
    fn page_instruction(
        &mut self,
        number: usize,
        operation: Operation,
        length: u8,
    ) -> Result<Turn, End> {
        let instruction = self.instruction(number)?;
        let core = &mut self.cores[number];
        let execution = core.execution();
        let save = core.vcpu.save().clone();
        let registers = Registers {
            rax: instruction.implicit_address(&save),
            rcx: core.vcpu.registers.rcx,
            rdx: core.vcpu.registers.rdx,
        };
        let reach = Reach::new(&self.world.ram, self.world.views.c_bit(), &save);
        let privilege = Privilege::of_software(save.cpl, save.rflags);
        let mut touched = None;
        let translate = |linear| {
            let (gpa, encryption) = reach.translate(linear, page_walk::Access::Read, privilege)?;
            touched = Some(gpa);
            Ok(Translation { gpa, encryption })
        };
        let map = &mut self.world.reverse_map;
        let outcome: Result<Outcome, Unreached> = match operation {
            Operation::Pvalidate => map.pvalidate(&registers, &execution, translate),
            Operation::Rmpadjust => map.rmpadjust(&registers, &execution, translate),
            _ => map.rmpquery(&registers, &execution, translate),
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(unreached) => {
                self.cores[number].raise_unreached(unreached);
                return Ok(Turn::GoesOn);
            }
        };
        self.world.tracer.tell(Trace::PAGES, || {
            let Registers { rax, rcx, rdx } = registers;
            let shown = match &outcome {
                Outcome::Complete(completion) => format!("{completion:?}"),
                Outcome::Fault(broken) => format!("{broken}"),
            };
            format!("processor {number}: {operation:?} {rax:#x} {rcx:#x} {rdx:#x}: {shown}")
        });
        match outcome {
            Outcome::Complete(completion) => {
                if let Some(gpa) = touched
                    && completion.refusal.is_none()
                    && let Some(entry) = self.world.reverse_map.entry(gpa)
                {
                    self.world.forget(gpa, entry.page_size());
                }
                let core = &mut self.cores[number];
                let save = core.vcpu.save();
                save.rax = completion.rax();
                save.rflags = completion.rflags(save.rflags);
                if let Some(rcx) = completion.rcx {
                    core.vcpu.registers.rcx = rcx;
                }
                if let Some(rdx) = completion.rdx {
                    core.vcpu.registers.rdx = rdx;
                }
                core.skip(length);
            }
            Outcome::Fault(broken) => match (broken.kind.exception(), broken.kind) {
                (Some((vector, code)), kind) => {
                    let core = &mut self.cores[number];
                    if matches!(kind, FaultKind::PageNotValidated { .. }) {
                        core.vcpu.save().cr2 = registers.rax;
                    }
                    core.raise(vector, code);
                }
                // The hypervisor splits the page, and the guest tries again.
                (None, FaultKind::NestedPageFault { gpa, error })
                    if error.contains(machine::NestedFaultError::SIZE_MISMATCH)
                        && self.world.split(gpa) => {}
                (None, FaultKind::NestedPageFault { gpa, error }) => {
                    return Err(self.forbidden(number, gpa, &broken, error));
                }
                (None, _) => return Err(fault(format!("{broken}"))),
            },
        }
        Ok(Turn::GoesOn)
    }
}
