//! A small guest with every exit shown.
//!
//! It does once what the simulator lives on: CPUID, a model-specific register,
//! a port, VMGEXIT, memory that appears when it is touched, HLT. The platform
//! below answers as a platform would, so the guest only gets to its end if it
//! sees the answers.

use abi_svm::{ExitCode, IoDirection, IoExit, NestedFault};
use abi_x86::{ExceptionVector, Msr};

use abi_snp::PageSize;
use nested_paging::{Access, View};

use super::layout::{NOWHERE, PROGRAM};
use super::tally::Tally;
use super::test_guest::{SetupError, TestGuest};
use crate::console::println;
use crate::exit_counts::ExitCounts;
use crate::exit_loop::{self, Next, Platform};
use crate::memory::Memory;
use crate::nested_memory::NestedMemory;
use crate::page::{PAGE_SIZE, Page};
use crate::vcpu::{Exit, Vcpu};

/// What the guest does; at its end it has added up what it was answered.
const CODE: [u8; 38] = [
    0x31, 0xc0, // xor eax, eax
    0x0f, 0xa2, // cpuid
    0x89, 0xc6, // mov esi, eax
    0xb9, 0x31, 0x01, 0x01, 0xc0, // mov ecx, 0xc0010131
    0x0f, 0x32, // rdmsr
    0x01, 0xc6, // add esi, eax
    0x0f, 0x30, // wrmsr
    0xba, 0xf8, 0x03, 0x00, 0x00, // mov edx, 0x3f8
    0xb0, b'!', // mov al, '!'
    0xee, // out dx, al
    0xec, // in al, dx
    0xf3, 0x0f, 0x01, 0xd9, // rep vmmcall (VMGEXIT)
    0x01, 0x34, 0x25, 0x08, 0x00, 0x01, 0x00, // add [0x10008], esi
    0xf4, // hlt
];

const CPUID_ANSWER: u32 = 0x1000;
const REGISTER_ANSWER: u32 = 0x0200;
const PORT_ANSWER: u8 = 0x30;

/// Bytes of the instructions that the platform steps over.
const CPUID_LENGTH: u64 = 2;
const RDMSR_LENGTH: u64 = 2;
const VMGEXIT: [u8; 4] = [0xf3, 0x0f, 0x01, 0xd9];

/// The platform of the tour.
struct Tour<'a> {
    nested: &'a mut NestedMemory,
    memory: &'a mut Memory,
    /// The page that appeared when the guest touched it.
    appeared: Option<&'static Page>,
    /// The page with the code, to read instructions from.
    code: &'static Page,
    /// The last byte that the guest sent to the port.
    sent: Option<u8>,
    vmgexits: u32,
    /// The register that the guest wrote last, and what.
    written: Option<(u32, u32)>,
}

/// Runs the guest, and checks what it got to see.
///
/// # Errors
///
/// The memory that appeared cannot be unmapped again.
pub(super) fn run(
    guest: &mut TestGuest,
    memory: &mut Memory,
    tally: &mut Tally,
) -> Result<(), SetupError> {
    println!("tour: each exit of a small guest");
    guest.load(&CODE);
    let mut counts = ExitCounts::new();
    let mut tour = Tour {
        code: guest.private_page(PROGRAM),
        nested: &mut guest.nested,
        memory,
        appeared: None,
        sent: None,
        vmgexits: 0,
        written: None,
    };
    let last = exit_loop::run(&mut guest.vcpu, &mut tour, &mut counts);
    let Tour { appeared, sent, vmgexits, written, .. } = tour;
    println!("{counts}");
    tally.check("tour ends with HLT", (ExitCode::HLT, end()), (last.code, last.rip));
    let sum = u64::from(CPUID_ANSWER + REGISTER_ANSWER);
    let stored = appeared.map(|page| page.word(1));
    tally.check("tour adds up answers in memory that appears", Some(sum), stored);
    tally.check("tour writes to the port", Some(b'!'), sent);
    let al = guest.vcpu.save().rax as u8;
    tally.check("tour reads from the port", PORT_ANSWER, al);
    tally.check("tour calls the platform", 1, vmgexits);
    let expected = Some((Msr::SEV_STATUS.0, REGISTER_ANSWER));
    tally.check("tour writes a register", expected, written);
    for (code, count) in [
        (ExitCode::CPUID, 1),
        (ExitCode::MSR, 2),
        (ExitCode::IO, 2),
        (ExitCode::NESTED_PAGE_FAULT, 1),
        (ExitCode::HLT, 1),
    ] {
        tally.check(format_args!("tour counts {code}"), count, counts.of(code));
    }
    let nowhere = guest.address(NOWHERE, View::Private);
    guest.nested.unmap(memory, nowhere, PageSize::Size4K)?;
    Ok(())
}

/// Where HLT is.
const fn end() -> u64 {
    PROGRAM + CODE.len() as u64 - 1
}

/// Lets the guest go on behind an instruction.
fn step(vcpu: &mut Vcpu, length: u64) -> Next {
    vcpu.save().rip += length;
    Next::Resume
}

impl Platform for Tour<'_> {
    fn observe(&mut self, exit: &Exit) {
        println!(
            "  {:#06x} {:#05x} {}: {:#x} {:#x}",
            exit.rip, exit.code.0, exit.code, exit.info_1, exit.info_2
        );
    }

    fn cpuid(&mut self, vcpu: &mut Vcpu) -> Next {
        vcpu.save().rax = CPUID_ANSWER.into();
        vcpu.registers.rbx = 0;
        vcpu.registers.rcx = 0;
        vcpu.registers.rdx = 0;
        step(vcpu, CPUID_LENGTH)
    }

    fn port(&mut self, vcpu: &mut Vcpu, access: IoExit, next_rip: u64) -> Next {
        let save = vcpu.save();
        match access.direction() {
            IoDirection::Out => self.sent = Some(save.rax as u8),
            IoDirection::In => save.rax = save.rax & !0xff | u64::from(PORT_ANSWER),
        }
        save.rip = next_rip;
        Next::Resume
    }

    fn read_register(&mut self, vcpu: &mut Vcpu) -> Next {
        vcpu.save().rax = REGISTER_ANSWER.into();
        vcpu.registers.rdx = 0;
        step(vcpu, RDMSR_LENGTH)
    }

    fn write_register(&mut self, vcpu: &mut Vcpu) -> Next {
        self.written = Some((vcpu.registers.rcx as u32, vcpu.save().rax as u32));
        step(vcpu, RDMSR_LENGTH)
    }

    fn exception(&mut self, vcpu: &mut Vcpu, vector: ExceptionVector) -> Next {
        let offset = (vcpu.save().rip - PROGRAM) as usize;
        let is_vmgexit =
            (offset..).zip(VMGEXIT).all(|(offset, byte)| self.code.byte(offset) == byte);
        if vector != ExceptionVector::INVALID_OPCODE || !is_vmgexit {
            return Next::Stop;
        }
        self.vmgexits += 1;
        step(vcpu, VMGEXIT.len() as u64)
    }

    fn nested_fault(&mut self, _vcpu: &mut Vcpu, _fault: NestedFault, address: u64) -> Next {
        let Some(page) = self.memory.take_page() else { return Next::Stop };
        let address = address - address % PAGE_SIZE as u64;
        match self.nested.map(self.memory, address, page, Access::all()) {
            Ok(()) => {
                self.appeared = Some(page);
                Next::Resume
            }
            Err(_) => Next::Stop,
        }
    }

    fn halt(&mut self, _vcpu: &mut Vcpu) -> Next {
        Next::Stop
    }
}
