//! Decoding: which instruction it is, and whether the exit fits it.

use abi_snp::ghcb::{PortIoDirection, PortIoWidth};
use abi_svm::ExitCode;
use processor::TrapFrame;
use yaxpeax_arch::LengthedInstruction;
use yaxpeax_x86::long_mode::{InstDecoder, Instruction, Opcode, Operand, RegSpec, Segment};

use crate::cpuid_call::CpuidCall;
use crate::length::Length;
use crate::msr_access::{ReadMsr, WriteMsr};
use crate::port_access::{ReadPort, WritePort};
use crate::refusal::Refusal;
use crate::string_access::StringAccess;
use crate::time_stamp::ReadTimeStamp;

/// An instruction that raised #VC, with what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intercepted {
    /// CPUID.
    Cpuid(CpuidCall),
    /// IN.
    ReadPort(ReadPort),
    /// OUT.
    WritePort(WritePort),
    /// INS or OUTS.
    String(StringAccess),
    /// RDMSR.
    ReadMsr(ReadMsr),
    /// WRMSR.
    WriteMsr(WriteMsr),
    /// RDTSC or RDTSCP.
    ReadTimeStamp(ReadTimeStamp),
}

impl Intercepted {
    /// Reads the instruction that #VC interrupted. `bytes` are those at the
    /// frame's RIP: [`MAX_LENGTH`](crate::MAX_LENGTH), or fewer where memory
    /// ends. The frame's error code is that of #VC.
    ///
    /// # Errors
    ///
    /// See [`Refusal`]. The registers have not changed.
    pub fn decode(bytes: &[u8], frame: &TrapFrame) -> Result<Self, Refusal> {
        // Values from 0 to 3.
        let level = (frame.cs & 3) as u8;
        if level != 0 {
            return Err(Refusal::PrivilegeLevel(level));
        }
        let code = ExitCode(frame.error_code);
        if !is_expected(code) {
            return Err(Refusal::Unexpected { code });
        }
        let instruction =
            InstDecoder::default().decode_slice(bytes).map_err(|_| Refusal::NoInstruction)?;
        let length = Length::new(instruction.len().to_const()).ok_or(Refusal::NoInstruction)?;
        if exit_code(instruction.opcode()) != Some(code) {
            return Err(Refusal::CodeDoesNotFit { code });
        }
        if !has_usual_form(&instruction) {
            return Err(Refusal::UnusedForm);
        }
        let decoded = match instruction.opcode() {
            Opcode::CPUID => Some(Self::Cpuid(CpuidCall::new(frame, length))),
            Opcode::RDMSR => Some(Self::ReadMsr(ReadMsr::new(frame, length))),
            Opcode::WRMSR => Some(Self::WriteMsr(WriteMsr::new(frame, length))),
            Opcode::RDTSC => Some(Self::ReadTimeStamp(ReadTimeStamp::counter(length))),
            Opcode::RDTSCP => Some(Self::ReadTimeStamp(ReadTimeStamp::counter_and_aux(length))),
            Opcode::IN => read_port(&instruction, frame, length),
            Opcode::OUT => write_port(&instruction, frame, length),
            Opcode::INS => string(&instruction, PortIoDirection::In, frame, length),
            Opcode::OUTS => string(&instruction, PortIoDirection::Out, frame, length),
            _ => None,
        };
        decoded.ok_or(Refusal::NoInstruction)
    }
}

/// Whether an exit is one that the kernel causes.
const fn is_expected(code: ExitCode) -> bool {
    matches!(
        code,
        ExitCode::CPUID | ExitCode::IO | ExitCode::MSR | ExitCode::RDTSC | ExitCode::RDTSCP
    )
}

/// The exit that an instruction makes, if the kernel answers it.
fn exit_code(opcode: Opcode) -> Option<ExitCode> {
    Some(match opcode {
        Opcode::CPUID => ExitCode::CPUID,
        Opcode::RDMSR | Opcode::WRMSR => ExitCode::MSR,
        Opcode::RDTSC => ExitCode::RDTSC,
        Opcode::RDTSCP => ExitCode::RDTSCP,
        Opcode::IN | Opcode::OUT | Opcode::INS | Opcode::OUTS => ExitCode::IO,
        _ => return None,
    })
}

/// Whether prefixes are such that registers and operands say it all, or have no
/// effect on the instruction.
fn has_usual_form(instruction: &Instruction) -> bool {
    let prefixes = instruction.prefixes;
    let is_wide = prefixes.rex().is_some_and(|rex| rex.w());
    let has_usual_size = !(is_wide && prefixes.operand_size());
    // INS writes to ES, whatever the prefix.
    let has_base = instruction.opcode() == Opcode::OUTS
        && matches!(prefixes.segment(), Segment::FS | Segment::GS);
    match instruction.opcode() {
        Opcode::IN | Opcode::OUT => has_usual_size,
        Opcode::INS | Opcode::OUTS => {
            has_usual_size && !has_base && !prefixes.address_size() && !prefixes.repnz()
        }
        _ => true,
    }
}

fn read_port(instruction: &Instruction, frame: &TrapFrame, length: Length) -> Option<Intercepted> {
    let (register, port) = (instruction.operand(0), instruction.operand(1));
    let access = ReadPort::new(port_number(port, frame)?, accumulator_width(register)?, length);
    Some(Intercepted::ReadPort(access))
}

fn write_port(instruction: &Instruction, frame: &TrapFrame, length: Length) -> Option<Intercepted> {
    let (port, register) = (instruction.operand(0), instruction.operand(1));
    let (port, width) = (port_number(port, frame)?, accumulator_width(register)?);
    Some(Intercepted::WritePort(WritePort::new(frame, port, width, length)))
}

/// DX, or a byte of the instruction.
fn port_number(operand: Operand, frame: &TrapFrame) -> Option<u16> {
    match operand {
        Operand::Register { reg } if reg == RegSpec::dx() => Some(frame.rdx as u16),
        Operand::ImmediateU8 { imm } => Some(imm.into()),
        // The decoder may see the byte as a signed number.
        Operand::ImmediateI8 { imm } => Some(imm.cast_unsigned().into()),
        _ => None,
    }
}

/// AL, AX or EAX. With a REX prefix that asks for RAX, processors move 4 bytes.
fn accumulator_width(operand: Operand) -> Option<PortIoWidth> {
    match operand {
        Operand::Register { reg } if reg.num() == 0 => width(reg.width()),
        _ => None,
    }
}

/// I/O has no operands of 8 bytes: they are taken as 4 [APM 24594, IN and INS].
const fn width(bytes: u8) -> Option<PortIoWidth> {
    match bytes {
        1 => Some(PortIoWidth::One),
        2 => Some(PortIoWidth::Two),
        4 | 8 => Some(PortIoWidth::Four),
        _ => None,
    }
}

fn string(
    instruction: &Instruction,
    direction: PortIoDirection,
    frame: &TrapFrame,
    length: Length,
) -> Option<Intercepted> {
    let width = instruction.mem_size()?.bytes_size().and_then(width)?;
    let access = StringAccess::new(frame, direction, width, length);
    let access = if instruction.prefixes.rep() { access.repeated(frame) } else { access };
    Some(Intercepted::String(access))
}

#[cfg(test)]
mod tests;
