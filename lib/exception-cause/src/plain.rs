//! Instructions that raise #SS and #GP for a bad address at most.

use yaxpeax_x86::long_mode::{Instruction, Opcode, Operand, register_class};

/// How such an instruction comes by its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    /// By its operands.
    Ordinary,
    /// By its operands, and by RSP or RBP.
    Stack,
    /// By RSI and RDI.
    String,
    /// By RSP or an operand; and it goes on elsewhere, at an address that comes
    /// from there.
    Transfer,
}

impl Plain {
    /// `None` for instructions that have other reasons: privileged ones, those
    /// that load segments, all that a kernel of integers has no use for.
    pub(crate) fn of(instruction: &Instruction) -> Option<Self> {
        // In doubt, an address is what it seems with 64 bits only.
        if instruction.prefixes.address_size() || has_special_register(instruction) {
            return None;
        }
        let goes_to_operand = || {
            let operand = instruction.operand(0);
            let is_immediate =
                matches!(operand, Operand::ImmediateI8 { .. } | Operand::ImmediateI32 { .. });
            !is_immediate
        };
        match instruction.opcode() {
            Opcode::CALL | Opcode::JMP if goes_to_operand() => Some(Self::Transfer),
            Opcode::RETURN => Some(Self::Transfer),
            Opcode::PUSH | Opcode::POP | Opcode::PUSHF | Opcode::CALL => Some(Self::Stack),
            Opcode::ENTER | Opcode::LEAVE => Some(Self::Stack),
            Opcode::MOVS | Opcode::STOS | Opcode::LODS | Opcode::CMPS | Opcode::SCAS => {
                Some(Self::String)
            }
            opcode => is_ordinary(opcode).then_some(Self::Ordinary),
        }
    }
}

/// Whether an operand is a control, debug or segment register.
fn has_special_register(instruction: &Instruction) -> bool {
    let special = [register_class::CR, register_class::DR, register_class::S];
    (0..instruction.operand_count()).any(|index| match instruction.operand(index) {
        Operand::Register { reg } => special.contains(&reg.class()),
        _ => false,
    })
}

/// Arithmetic, moves and jumps of general registers.
const fn is_ordinary(opcode: Opcode) -> bool {
    use Opcode as O;
    let is_arithmetic = matches!(
        opcode,
        O::ADD
            | O::ADC
            | O::SUB
            | O::SBB
            | O::AND
            | O::OR
            | O::XOR
            | O::CMP
            | O::TEST
            | O::INC
            | O::DEC
            | O::NEG
            | O::NOT
            | O::MUL
            | O::IMUL
            | O::DIV
            | O::IDIV
            | O::SHL
            | O::SAL
            | O::SHR
            | O::SAR
            | O::ROL
            | O::ROR
            | O::RCL
            | O::RCR
            | O::SHLD
            | O::SHRD
            | O::BT
            | O::BTS
            | O::BTR
            | O::BTC
            | O::BSF
            | O::BSR
            | O::BSWAP
            | O::XADD
            | O::XCHG
            | O::CMPXCHG
    );
    let is_move = matches!(
        opcode,
        O::MOV
            | O::MOVZX
            | O::MOVSX
            | O::MOVSXD
            | O::LEA
            | O::NOP
            | O::CBW
            | O::CWDE
            | O::CDQE
            | O::CWD
            | O::CDQ
            | O::CQO
            | O::CLC
            | O::STC
            | O::CMC
            | O::CLD
            | O::STD
            | O::LFENCE
            | O::SFENCE
            | O::MFENCE
            | O::CMOVA
            | O::CMOVB
            | O::CMOVG
            | O::CMOVGE
            | O::CMOVL
            | O::CMOVLE
            | O::CMOVNA
            | O::CMOVNB
            | O::CMOVNO
            | O::CMOVNP
            | O::CMOVNS
            | O::CMOVNZ
            | O::CMOVO
            | O::CMOVP
            | O::CMOVS
            | O::CMOVZ
            | O::SETO
            | O::SETNO
            | O::SETB
            | O::SETAE
            | O::SETZ
            | O::SETNZ
            | O::SETBE
            | O::SETA
            | O::SETS
            | O::SETNS
            | O::SETP
            | O::SETNP
            | O::SETL
            | O::SETGE
            | O::SETLE
            | O::SETG
    );
    let is_jump = matches!(
        opcode,
        O::JMP
            | O::JO
            | O::JNO
            | O::JB
            | O::JNB
            | O::JZ
            | O::JNZ
            | O::JA
            | O::JNA
            | O::JS
            | O::JNS
            | O::JP
            | O::JNP
            | O::JL
            | O::JGE
            | O::JLE
            | O::JG
    );
    is_arithmetic || is_move || is_jump
}
