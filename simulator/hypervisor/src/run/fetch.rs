//! The instruction that a processor is at.

use abi_simulator::report::End;
use abi_snp::PageSize;
use abi_svm::Event;
use abi_x86::ExceptionVector;
use alloc::format;
use machine::GuestMemory;
use machine::processor::{DecodeError, Instruction, MAX_LENGTH, instruction_address};
use machine::reverse_map::Encryption;
use page_walk::Privilege;

use super::core::{Core, Due};
use super::guest::{Guest, fault};
use super::memory_access::{Reach, Unreached};

impl Core {
    /// Owes the guest what an access leads to that did not get through.
    pub(super) fn raise_unreached(&mut self, unreached: Unreached) {
        match unreached {
            Unreached::PageFault { linear, error } => {
                self.vcpu.save().cr2 = linear;
                let event =
                    Event::exception_with_code(ExceptionVector::PAGE_FAULT, error.bits() as u32);
                self.due = Due::Event(event);
            }
            Unreached::GeneralProtection | Unreached::NoTable => {
                self.raise(ExceptionVector::GENERAL_PROTECTION, Some(0));
            }
        }
    }
}

impl Guest {
    /// The instruction that a processor is at, which it has fetched.
    pub(super) fn instruction(&mut self, number: usize) -> Result<Instruction, End> {
        self.try_instruction(number).map_err(|error| {
            let rip = self.cores[number].vcpu.save().rip;
            fault(format!("cannot read the instruction at {rip:#x}: {error}"))
        })
    }

    /// The instruction that a processor is at, if there is one.
    pub(super) fn try_instruction(&mut self, number: usize) -> Result<Instruction, DecodeError> {
        let c_bit = self.world.views.c_bit();
        let save = self.cores[number].vcpu.save();
        let reach = Reach::new(&self.world.ram, c_bit, save);
        let privilege = Privilege::of_software(save.cpl, save.rflags);
        let mut bytes = [0; MAX_LENGTH];
        let mut length = 0;
        let start = instruction_address(save);
        // One page, and the next one if the instruction may reach into it.
        while length < MAX_LENGTH {
            let linear = start.wrapping_add(length as u64);
            let page = PageSize::Size4K.bytes();
            let count = ((page - linear % page) as usize).min(MAX_LENGTH - length);
            let fetch = reach.translate(linear, page_walk::Access::Fetch, privilege);
            let Ok((gpa, _)) = fetch else { break };
            let part = &mut bytes[length..length + count];
            // Fetches are private, whatever the mapping says.
            if reach.ram.read(gpa, Encryption::Private, part).is_err() {
                break;
            }
            length += count;
        }
        Instruction::decode(&bytes[..length], save)
    }
}
