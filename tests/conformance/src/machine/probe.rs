//! What can be put to the test, and what it came to.
//!
//! A [`Probe`] can be made of any values by safe code; that none of them harms
//! Rust's memory is argued for each at [`Probe::trial`].

use abi_snp::ghcb::MsrRequest;
use abi_snp::{PagePermissions, PageSize, Vmpl};
use abi_svsm::CallRegisters;
use abi_x86::{Msr, Rflags};

use super::instructions::{self, Instruction};
use super::memory::Page;
use super::registers::{Registers, Trap, Trial};

/// An instruction with its operands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Probe {
    Cpuid {
        leaf: u32,
        subleaf: u32,
    },
    ReadMsr(Msr),
    /// WRMSR of a register that [`may_write`] names.
    WriteMsr(Msr, u64),
    Rdtsc,
    Rdtscp,
    Rdpmc(u32),
    Wbinvd,
    Invd,
    Monitor(Page),
    Mwait,
    Vmmcall {
        rax: u64,
    },
    ReadDr7,
    /// MOV to DR7 of its value after a reset.
    WriteDr7,
    InByte(u16),
    OutByte(u16, u8),
    InWord(u16),
    /// REP OUTSB of so many bytes from the start of a page.
    OutString(u16, Page, u64),
    Pvalidate {
        page: Page,
        size: PageSize,
        validation: Validation,
    },
    /// PVALIDATE with any ECX and EDX.
    PvalidateRaw {
        page: Page,
        ecx: u64,
        edx: u64,
    },
    Rmpadjust {
        page: Page,
        size: PageSize,
        permissions: Permissions,
    },
    /// RMPADJUST of 4 KiB with any RDX.
    RmpadjustRaw {
        page: Page,
        rdx: u64,
    },
    Rmpquery {
        page: Page,
        vmpl: Vmpl,
    },
    /// A value for the GHCB MSR, VMGEXIT, and the value afterwards.
    Exit(u64),
    /// A call of the module that this guest is below, with these registers
    /// [SVSM 58019 §5]. That it is one stands in the calling area. What is
    /// named there, or in lists, must not be the program itself.
    ModuleCall(CallRegisters),
    /// Reads 8 bytes.
    Read(Page, usize),
    /// Writes 8 bytes.
    Write(Page, usize, u64),
    /// Exchanges 8 bytes, in one piece even if the host writes there.
    Exchange(Page, usize, u64),
    /// Calls the code at the start of the page, which [`Page::make_return`] has
    /// put there.
    Call(Page),
    /// Waits for an interrupt.
    Halt,
    /// Takes the interrupts that wait.
    TakeInterrupts,
    ReadCr8,
    /// Waits with interrupts off.
    HaltForGood,
    /// An exception without an interrupt table.
    TripleFault,
    /// An instruction that there is not.
    Undefined,
    Invlpgb {
        rax: u64,
        ecx: u64,
        edx: u64,
    },
    Tlbsync,
}

/// What PVALIDATE does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validation {
    Rescind = 0,
    Validate = 1,
}

/// What RMPADJUST sets [APM 24594 RMPADJUST].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permissions {
    pub(crate) vmpl: Vmpl,
    pub(crate) allowed: PagePermissions,
    pub(crate) content: Content,
}

/// What a page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Ordinary,
    SaveArea,
}

impl Permissions {
    /// Everything, for an ordinary page.
    pub(crate) fn all(vmpl: Vmpl) -> Self {
        let allowed = PagePermissions::all() - PagePermissions::SUPERVISOR_SHADOW_STACK;
        Self { vmpl, allowed, content: Content::Ordinary }
    }

    pub(super) fn rdx(self) -> u64 {
        let save_area = match self.content {
            Content::Ordinary => 0,
            Content::SaveArea => 1 << 16,
        };
        save_area | u64::from(self.allowed.bits()) << 8 | u64::from(self.vmpl.number())
    }
}

/// Where a probe runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// At privilege level 0.
    Supervisor,
    /// At privilege level 3, with IOPL 3.
    User,
}

/// What a probe came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// Registers afterwards: after the instruction, or when the exception came.
    pub(crate) registers: Registers,
    /// The exception that came instead of the end.
    pub(crate) trap: Option<Trap>,
    /// Whether the registers have what they started with that the instruction
    /// has no business with, see [`Probe::changes`].
    pub(crate) others_kept: bool,
}

/// Code and stack for user mode.
#[derive(Clone, Copy, Debug)]
pub(super) struct UserMode {
    /// Where the page of instructions is for user mode.
    pub(super) instructions: u64,
    /// A stack for user mode.
    pub(super) stack: Page,
}

/// Registers that no probe sets have these values: each its own.
fn marks() -> Registers {
    let mark = |number: u64| 0x5a5a_0000_c3c3_0000 | number << 40 | number;
    Registers {
        rax: mark(1),
        rbx: mark(2),
        rcx: mark(3),
        rdx: mark(4),
        rsi: mark(5),
        rdi: mark(6),
        rbp: mark(7),
        r8: mark(8),
        r9: mark(9),
        r10: mark(10),
        r11: mark(11),
        r12: mark(12),
        r13: mark(13),
        r14: mark(14),
        r15: mark(15),
        rflags: Rflags::FIXED.bits(),
    }
}

/// Frequency of the time stamp counter with Secure TSC: to be read only
/// [APM 24593 §15.36.18].
pub(crate) const GUEST_TSC_FREQUENCY: Msr = Msr(0xc001_0134);

/// Registers whose content Rust's memory does not depend on: those of the
/// hypervisor, `TSC_AUX`, and one that cannot be written.
fn may_write(msr: Msr) -> bool {
    let is_x2apic = (0x800..0x900).contains(&msr.0);
    let is_software = (0x4000_0000..0x5000_0000).contains(&msr.0);
    let others = [Msr::GHCB, Msr::TSC_AUX, Msr::APIC_BASE, GUEST_TSC_FREQUENCY];
    is_x2apic || is_software || others.contains(&msr)
}

impl Probe {
    /// The trial for this probe.
    ///
    /// INV-CF-TRIAL-1: whatever the operands, no memory changes that Rust code
    /// uses. Memory operands are [`Page`]s, which are nobody's memory; registers
    /// that are written are of no consequence (`may_write`, asserted); what the
    /// host is asked for, it could do unasked (`exit.rs`). A call of the module
    /// changes pages that it names: which ones is for its callers to see to.
    ///
    /// # Panics
    ///
    /// If it is a write to a register that must not be written.
    pub(super) fn trial(self, mode: Mode, user: Option<UserMode>) -> Trial {
        let mut registers = marks();
        let instruction = self.load(&mut registers);
        let mut trial = Trial { registers, ..Trial::EMPTY };
        trial.code = instructions::page() + instruction.offset();
        if let (Mode::User, Some(user)) = (mode, user) {
            let top = user.stack.size().bytes() as usize - 8;
            user.stack.write(top, user.instructions + Instruction::Leave.offset());
            trial.code = user.instructions + instruction.offset();
            trial.user_stack = user.stack.address() + top as u64;
            trial.registers.rflags |= Rflags::IOPL.bits();
        }
        trial
    }

    /// Puts the operands into registers.
    fn load(self, registers: &mut Registers) -> Instruction {
        match self {
            Self::Cpuid { leaf, subleaf } => {
                (registers.rax, registers.rcx) = (leaf.into(), subleaf.into());
                Instruction::Cpuid
            }
            Self::ReadMsr(msr) => {
                registers.rcx = msr.0.into();
                Instruction::Rdmsr
            }
            Self::WriteMsr(msr, value) => {
                assert!(may_write(msr), "{msr:?} must not be written");
                registers.rcx = msr.0.into();
                (registers.rax, registers.rdx) = (value & 0xffff_ffff, value >> 32);
                Instruction::Wrmsr
            }
            Self::Rdtsc => Instruction::Rdtsc,
            Self::Rdtscp => Instruction::Rdtscp,
            Self::Rdpmc(counter) => {
                registers.rcx = counter.into();
                Instruction::Rdpmc
            }
            Self::Wbinvd => Instruction::Wbinvd,
            // With SEV-SNP it is always intercepted, so no cache loses what it
            // holds [APM 24593 §15.34.9].
            Self::Invd => Instruction::Invd,
            Self::Monitor(page) => {
                (registers.rax, registers.rcx, registers.rdx) = (page.address(), 0, 0);
                Instruction::Monitor
            }
            Self::Mwait => {
                (registers.rax, registers.rcx) = (0, 0);
                Instruction::Mwait
            }
            Self::Vmmcall { rax } => {
                registers.rax = rax;
                Instruction::Vmmcall
            }
            Self::ReadDr7 => Instruction::ReadDr7,
            Self::WriteDr7 => {
                registers.rax = abi_x86::reset::DR7;
                Instruction::WriteDr7
            }
            Self::InByte(port) => {
                registers.rdx = port.into();
                Instruction::InByte
            }
            Self::OutByte(port, byte) => {
                (registers.rdx, registers.rax) = (port.into(), byte.into());
                Instruction::OutByte
            }
            Self::InWord(port) => {
                registers.rdx = port.into();
                Instruction::InWord
            }
            Self::OutString(port, page, count) => {
                registers.rdx = port.into();
                (registers.rsi, registers.rcx) = (page.address(), count);
                Instruction::OutString
            }
            Self::Pvalidate { page, size, validation } => {
                registers.rax = page.address();
                (registers.rcx, registers.rdx) = (size as u64, validation as u64);
                Instruction::Pvalidate
            }
            Self::PvalidateRaw { page, ecx, edx } => {
                registers.rax = page.address();
                (registers.rcx, registers.rdx) = (ecx, edx);
                Instruction::Pvalidate
            }
            Self::Rmpadjust { page, size, permissions } => {
                registers.rax = page.address();
                (registers.rcx, registers.rdx) = (size as u64, permissions.rdx());
                Instruction::Rmpadjust
            }
            Self::RmpadjustRaw { page, rdx } => {
                registers.rax = page.address();
                (registers.rcx, registers.rdx) = (PageSize::Size4K as u64, rdx);
                Instruction::Rmpadjust
            }
            Self::Rmpquery { page, vmpl } => {
                registers.rax = page.address();
                registers.rdx = vmpl.number().into();
                Instruction::Rmpquery
            }
            // What is forgotten is looked up again.
            Self::Invlpgb { rax, ecx, edx } => {
                (registers.rax, registers.rcx, registers.rdx) = (rax, ecx, edx);
                Instruction::Invlpgb
            }
            Self::Tlbsync => Instruction::Tlbsync,
            Self::Exit(value) => {
                registers.rcx = Msr::GHCB.0.into();
                (registers.rax, registers.rdx) = (value & 0xffff_ffff, value >> 32);
                Instruction::Exit
            }
            Self::ModuleCall(call) => {
                let request = MsrRequest::RunVmpl(Vmpl::Vmpl0).encode();
                registers.rcx = Msr::GHCB.0.into();
                (registers.rax, registers.rdx) = (request & 0xffff_ffff, request >> 32);
                (registers.r10, registers.r11, registers.r12) = (call.rax, call.rcx, call.rdx);
                (registers.r8, registers.r9) = (call.r8, call.r9);
                Instruction::ModuleCall
            }
            Self::Read(page, offset) => {
                registers.rax = inside(page, offset);
                Instruction::Read
            }
            Self::Write(page, offset, value) => {
                (registers.rax, registers.rdx) = (inside(page, offset), value);
                Instruction::Write
            }
            Self::Exchange(page, offset, value) => {
                (registers.rax, registers.rdx) = (inside(page, offset), value);
                Instruction::Exchange
            }
            Self::Call(page) => {
                registers.rax = page.address();
                Instruction::Call
            }
            Self::Halt => Instruction::Halt,
            Self::TakeInterrupts => Instruction::TakeInterrupts,
            Self::ReadCr8 => Instruction::ReadCr8,
            Self::HaltForGood => Instruction::HaltForGood,
            Self::TripleFault => Instruction::TripleFault,
            Self::Undefined => Instruction::Undefined,
        }
    }

    /// The registers that the instruction sets, with anything but the value it
    /// started with.
    fn changes(self, registers: &mut Registers, after: &Registers) {
        let Registers { rax, rbx, rcx, rdx, rsi, r8, r9, .. } = registers;
        match self {
            Self::Cpuid { .. } => {
                (*rax, *rbx, *rcx, *rdx) = (after.rax, after.rbx, after.rcx, after.rdx);
            }
            Self::ReadMsr(_) | Self::Rdtsc | Self::Rdpmc(_) | Self::Exit(_) => {
                (*rax, *rdx) = (after.rax, after.rdx);
            }
            Self::ModuleCall(_) => {
                (*rax, *rcx, *rdx) = (after.rax, after.rcx, after.rdx);
                (*r8, *r9) = (after.r8, after.r9);
            }
            Self::Rdtscp | Self::Rmpquery { .. } => {
                (*rax, *rcx, *rdx) = (after.rax, after.rcx, after.rdx);
            }
            Self::OutString(..) => (*rcx, *rsi) = (after.rcx, after.rsi),
            Self::Vmmcall { .. }
            | Self::ReadDr7
            | Self::ReadCr8
            | Self::InByte(_)
            | Self::InWord(_)
            | Self::Pvalidate { .. }
            | Self::PvalidateRaw { .. }
            | Self::Rmpadjust { .. }
            | Self::RmpadjustRaw { .. }
            | Self::Read(..) => *rax = after.rax,
            Self::Exchange(..) => *rdx = after.rdx,
            Self::WriteMsr(..)
            | Self::Wbinvd
            | Self::Invd
            | Self::Monitor(_)
            | Self::Mwait
            | Self::WriteDr7
            | Self::OutByte(..)
            | Self::Write(..)
            | Self::Call(_)
            | Self::Halt
            | Self::TakeInterrupts
            | Self::HaltForGood
            | Self::TripleFault
            | Self::Undefined
            | Self::Invlpgb { .. }
            | Self::Tlbsync => {}
        }
    }

    /// What the trial for this probe came to.
    pub(super) fn outcome(self, ended: &Trial, user: Option<UserMode>) -> Outcome {
        let registers = ended.registers;
        let mut trap = (ended.trapped != 0).then_some(ended.trap);
        // In user mode, this exception is the end.
        let left = user.map(|user| user.instructions + Instruction::Leave.offset());
        if trap.is_some_and(|trap| Some(trap.rip) == left) {
            trap = None;
        }
        let mut expected = marks();
        self.load(&mut expected);
        if trap.is_none() {
            self.changes(&mut expected, &registers);
        }
        expected.rflags = registers.rflags;
        Outcome { registers, trap, others_kept: expected == registers }
    }

    /// Where the instruction is, in the mode that `trap` came from.
    pub(crate) fn is_at(self, trap: &Trap) -> bool {
        let instruction = self.load(&mut marks());
        trap.rip % abi_x86::SIZE_4K == instruction.offset()
    }
}

impl Outcome {
    /// EDX:EAX.
    pub(crate) fn edx_eax(&self) -> u64 {
        self.registers.rdx << 32 | self.registers.rax & 0xffff_ffff
    }

    /// The registers of a call of the module.
    pub(crate) fn call_registers(&self) -> CallRegisters {
        let Registers { rax, rcx, rdx, r8, r9, .. } = self.registers;
        CallRegisters { rax, rcx, rdx, r8, r9 }
    }

    /// Whether the carry flag is set.
    pub(crate) fn carry(&self) -> bool {
        self.registers.rflags & Rflags::CF.bits() != 0
    }
}

fn inside(page: Page, offset: usize) -> u64 {
    let offset = offset as u64;
    assert!(offset + 8 <= page.size().bytes(), "offset {offset:#x} is not in the page");
    page.address() + offset
}

impl Page {
    /// Puts a return instruction at its start, to be called.
    pub(crate) fn make_return(self) {
        const RETURN: u64 = 0xc3;
        self.write(0, RETURN);
    }
}
