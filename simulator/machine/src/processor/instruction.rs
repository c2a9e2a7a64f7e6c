//! Reading the instruction at which a guest exited.
//!
//! The emulated processor tells neither which instruction it is nor how long.
//! This names those that the model or the hypervisor acts on; of all others it
//! knows the length.

use abi_svm::{ExitCode, SaveArea};
use iced_x86::{Code, Decoder, DecoderError, DecoderOptions, Mnemonic, OpKind, Register};

use crate::processor::code_size::CodeSize;
use crate::processor::registers::{GeneralRegister, GeneralRegisters};

/// Bytes of the longest instruction [APM 24594 §1.1].
pub const MAX_LENGTH: usize = 15;

/// Why bytes are not an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It takes more bytes to tell.
    #[error("the instruction may be longer than the bytes that could be read")]
    TooShort,
    /// No processor knows these bytes; #UD is right.
    #[error("the bytes are no instruction")]
    Unknown,
}

/// What an instruction does, as far as it matters at an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// PVALIDATE.
    Pvalidate,
    /// RMPADJUST.
    Rmpadjust,
    /// RMPQUERY.
    Rmpquery,
    /// VMGEXIT, with either prefix.
    Vmgexit,
    /// VMMCALL.
    Vmmcall,
    /// CPUID.
    Cpuid,
    /// RDMSR.
    Rdmsr,
    /// WRMSR.
    Wrmsr,
    /// HLT.
    Hlt,
    /// PAUSE.
    Pause,
    /// IN, INS, OUT or OUTS: the exit tells the rest.
    PortIo,
    /// RDTSC.
    Rdtsc,
    /// RDTSCP.
    Rdtscp,
    /// RDPMC.
    Rdpmc,
    /// RDPRU.
    Rdpru,
    /// INVD.
    Invd,
    /// WBINVD.
    Wbinvd,
    /// WBNOINVD.
    Wbnoinvd,
    /// INVLPG.
    Invlpg,
    /// INVLPGB.
    Invlpgb,
    /// TLBSYNC.
    Tlbsync,
    /// MONITOR or MONITORX.
    Monitor,
    /// MWAIT or MWAITX.
    Mwait,
    /// XSETBV.
    Xsetbv,
    /// XSAVEC.
    Xsavec,
    /// XSAVES.
    Xsaves,
    /// XRSTOR.
    Xrstor,
    /// XRSTORS.
    Xrstors,
    /// CLGI.
    Clgi,
    /// STGI.
    Stgi,
    /// MOV to a register from CR`number`.
    ReadControl {
        /// 0 to 15.
        number: u8,
        /// Where to.
        register: GeneralRegister,
    },
    /// MOV from a register to CR`number`.
    WriteControl {
        /// 0 to 15.
        number: u8,
        /// Where from.
        register: GeneralRegister,
    },
    /// MOV to a register from DR`number`.
    ReadDebug {
        /// 0 to 15.
        number: u8,
        /// Where to.
        register: GeneralRegister,
    },
    /// MOV from a register to DR`number`.
    WriteDebug {
        /// 0 to 15.
        number: u8,
        /// Where from.
        register: GeneralRegister,
    },
    /// Something else.
    Other,
}

impl Operation {
    /// The code of the exit that a processor makes at this instruction, if it
    /// is one that can be intercepted and only the instruction decides about the
    /// code.
    ///
    /// For emulated processors that report another: #UD for VMGEXIT and
    /// VMMCALL, RDTSC for RDTSCP, WBINVD for INVD.
    #[must_use]
    pub const fn exit_code(self) -> Option<ExitCode> {
        Some(match self {
            Self::Vmgexit => ExitCode::VMGEXIT,
            Self::Vmmcall => ExitCode::VMMCALL,
            Self::Cpuid => ExitCode::CPUID,
            Self::Rdmsr | Self::Wrmsr => ExitCode::MSR,
            Self::Hlt => ExitCode::HLT,
            Self::Pause => ExitCode::PAUSE,
            Self::PortIo => ExitCode::IO,
            Self::Rdtsc => ExitCode::RDTSC,
            Self::Rdtscp => ExitCode::RDTSCP,
            Self::Rdpmc => ExitCode::RDPMC,
            Self::Rdpru => ExitCode::RDPRU,
            Self::Invd => ExitCode::INVD,
            Self::Wbinvd | Self::Wbnoinvd => ExitCode::WBINVD,
            Self::Invlpg => ExitCode::INVLPG,
            Self::Invlpgb => ExitCode::INVLPGB,
            Self::Tlbsync => ExitCode::TLBSYNC,
            Self::Monitor => ExitCode::MONITOR,
            Self::Mwait => ExitCode::MWAIT,
            Self::Xsetbv => ExitCode::XSETBV,
            Self::Clgi => ExitCode::CLGI,
            Self::Stgi => ExitCode::STGI,
            Self::ReadControl { number, .. } => ExitCode(number as u64),
            Self::WriteControl { number, .. } => ExitCode(0x10 + number as u64),
            Self::ReadDebug { number, .. } => ExitCode(0x20 + number as u64),
            Self::WriteDebug { number, .. } => ExitCode(0x30 + number as u64),
            Self::Pvalidate
            | Self::Rmpadjust
            | Self::Rmpquery
            | Self::Xsavec
            | Self::Xsaves
            | Self::Xrstor
            | Self::Xrstors
            | Self::Other => return None,
        })
    }
}

/// A decoded instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    decoded: iced_x86::Instruction,
    operation: Operation,
}

impl Instruction {
    /// Reads the instruction at the start of `bytes`, which are those at the
    /// guest's RIP: up to [`MAX_LENGTH`], or as many as could be read.
    ///
    /// # Errors
    ///
    /// [`DecodeError::TooShort`] if there are not enough bytes,
    /// [`DecodeError::Unknown`] if they are no instruction in this mode.
    pub fn decode(bytes: &[u8], save: &SaveArea) -> Result<Self, DecodeError> {
        let bits = CodeSize::of(save).bits();
        let mut decoder = Decoder::with_ip(bits, bytes, save.rip, DecoderOptions::AMD);
        let decoded = decoder.decode();
        match decoder.last_error() {
            DecoderError::None => Ok(Self { decoded, operation: operation(&decoded) }),
            DecoderError::NoMoreBytes if bytes.len() < MAX_LENGTH => Err(DecodeError::TooShort),
            _ => Err(DecodeError::Unknown),
        }
    }

    /// What it does.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// Its bytes, 1 to 15.
    #[must_use]
    pub fn length(&self) -> u8 {
        // Fits: no instruction is longer than 15 bytes.
        self.decoded.len() as u8
    }

    /// The linear address of its memory operand, if it has one that is written
    /// out: that of INVLPG or XSAVEC, not that which MONITOR finds in RAX.
    #[must_use]
    pub fn memory_address(&self, save: &SaveArea, general: &GeneralRegisters) -> Option<u64> {
        let is_memory = |operand: &u32| self.decoded.op_kind(*operand) == OpKind::Memory;
        let operand = (0..self.decoded.op_count()).find(is_memory)?;
        let size = CodeSize::of(save);
        let address = self.decoded.virtual_address(operand, 0, |register, _, _| {
            address_part(register, size, save, general)
        })?;
        Some(if size == CodeSize::Bits64 { address } else { CodeSize::Bits32.cut(address) })
    }

    /// RAX as an address of the instruction's address size: the linear address
    /// of PVALIDATE, RMPADJUST and RMPQUERY, and what INVLPGB takes.
    #[must_use]
    pub fn implicit_address(&self, save: &SaveArea) -> u64 {
        match self.decoded.code() {
            Code::Pvalidatew | Code::Invlpgbw => CodeSize::Bits16.cut(save.rax),
            Code::Pvalidated | Code::Invlpgbd => CodeSize::Bits32.cut(save.rax),
            _ => save.rax,
        }
    }
}

fn operation(decoded: &iced_x86::Instruction) -> Operation {
    match decoded.mnemonic() {
        Mnemonic::Pvalidate => Operation::Pvalidate,
        Mnemonic::Rmpadjust => Operation::Rmpadjust,
        Mnemonic::Rmpquery => Operation::Rmpquery,
        Mnemonic::Vmgexit => Operation::Vmgexit,
        Mnemonic::Vmmcall => Operation::Vmmcall,
        Mnemonic::Cpuid => Operation::Cpuid,
        Mnemonic::Rdmsr => Operation::Rdmsr,
        Mnemonic::Wrmsr => Operation::Wrmsr,
        Mnemonic::Hlt => Operation::Hlt,
        Mnemonic::Pause => Operation::Pause,
        Mnemonic::In
        | Mnemonic::Out
        | Mnemonic::Insb
        | Mnemonic::Insw
        | Mnemonic::Insd
        | Mnemonic::Outsb
        | Mnemonic::Outsw
        | Mnemonic::Outsd => Operation::PortIo,
        Mnemonic::Rdtsc => Operation::Rdtsc,
        Mnemonic::Rdtscp => Operation::Rdtscp,
        Mnemonic::Rdpmc => Operation::Rdpmc,
        Mnemonic::Rdpru => Operation::Rdpru,
        Mnemonic::Invd => Operation::Invd,
        Mnemonic::Wbinvd => Operation::Wbinvd,
        Mnemonic::Wbnoinvd => Operation::Wbnoinvd,
        Mnemonic::Invlpg => Operation::Invlpg,
        Mnemonic::Invlpgb => Operation::Invlpgb,
        Mnemonic::Tlbsync => Operation::Tlbsync,
        Mnemonic::Monitor | Mnemonic::Monitorx => Operation::Monitor,
        Mnemonic::Mwait | Mnemonic::Mwaitx => Operation::Mwait,
        Mnemonic::Xsetbv => Operation::Xsetbv,
        Mnemonic::Xsavec | Mnemonic::Xsavec64 => Operation::Xsavec,
        Mnemonic::Xsaves | Mnemonic::Xsaves64 => Operation::Xsaves,
        Mnemonic::Xrstor | Mnemonic::Xrstor64 => Operation::Xrstor,
        Mnemonic::Xrstors | Mnemonic::Xrstors64 => Operation::Xrstors,
        Mnemonic::Clgi => Operation::Clgi,
        Mnemonic::Stgi => Operation::Stgi,
        Mnemonic::Mov => special_move(decoded).unwrap_or(Operation::Other),
        _ => Operation::Other,
    }
}

/// A move to or from a control or debug register, if it is one.
fn special_move(decoded: &iced_x86::Instruction) -> Option<Operation> {
    let (to, from) = (decoded.op0_register(), decoded.op1_register());
    Some(match decoded.code() {
        Code::Mov_r32_cr | Code::Mov_r64_cr => {
            Operation::ReadControl { number: control_number(from), register: general_register(to)? }
        }
        Code::Mov_cr_r32 | Code::Mov_cr_r64 => Operation::WriteControl {
            number: control_number(to),
            register: general_register(from)?,
        },
        Code::Mov_r32_dr | Code::Mov_r64_dr => {
            Operation::ReadDebug { number: debug_number(from), register: general_register(to)? }
        }
        Code::Mov_dr_r32 | Code::Mov_dr_r64 => {
            Operation::WriteDebug { number: debug_number(to), register: general_register(from)? }
        }
        _ => return None,
    })
}

/// The number of a control register.
fn control_number(register: Register) -> u8 {
    register as u8 - Register::CR0 as u8
}

/// The number of a debug register.
fn debug_number(register: Register) -> u8 {
    register as u8 - Register::DR0 as u8
}

/// The register of 16, 32 or 64 bits. The decoder's list has them in that
/// order, each kind by number.
fn general_register(register: Register) -> Option<GeneralRegister> {
    let index = (register as usize).checked_sub(Register::AX as usize)?;
    let count = GeneralRegister::ALL.len();
    (index < 3 * count).then(|| GeneralRegister::ALL[index % count])
}

/// What a register adds to an address, before the address is cut to its size: a
/// segment adds its base.
fn address_part(
    register: Register,
    size: CodeSize,
    save: &SaveArea,
    general: &GeneralRegisters,
) -> Option<u64> {
    Some(match register {
        Register::FS => save.fs.base,
        Register::GS => save.gs.base,
        Register::ES | Register::CS | Register::SS | Register::DS if size == CodeSize::Bits64 => 0,
        Register::ES => save.es.base,
        Register::CS => save.cs.base,
        Register::SS => save.ss.base,
        Register::DS => save.ds.base,
        general_purpose => general_register(general_purpose)?.get(save, general),
    })
}

#[cfg(test)]
mod tests;
