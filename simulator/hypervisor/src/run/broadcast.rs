//! INVLPGB and TLBSYNC.
//!
//! No emulated processor has them, and there is nothing left to do: all virtual
//! processors take turns on one processor of this machine, which forgets all
//! translations, the guest's and those of nested page tables, at each entry. So
//! who goes on behind the exit, and every other one, has forgotten everything.

use abi_simulator::launch::Trace;
use abi_simulator::report::End;
use alloc::format;
use machine::cpuid::TranslationBroadcast;
use machine::processor::{BroadcastRefused, InvalidationOperands, Operation};

use super::guest::{Guest, Turn};
use crate::vcpu::Exit;

impl Guest {
    /// INVLPGB or TLBSYNC, which the exit reports as #UD: where the machine has
    /// none, that is right.
    pub(super) fn broadcast(
        &mut self,
        number: usize,
        operation: Operation,
        exit: &Exit,
    ) -> Result<Turn, End> {
        if self.world.cpuid.facts().broadcast == TranslationBroadcast::Missing {
            return self.pass_exception_on(number, exit);
        }
        let instruction = self.instruction(number)?;
        let core = &mut self.cores[number];
        let execution = core.execution();
        let save = core.vcpu.save().clone();
        let operands = InvalidationOperands {
            rax: instruction.implicit_address(&save),
            ecx: core.vcpu.registers.rcx as u32,
            edx: core.vcpu.registers.rdx as u32,
        };
        let broadcasts = &mut self.world.broadcasts;
        let done = match operation {
            Operation::Invlpgb => {
                let invalidation = broadcasts.invlpgb(operands, &execution);
                self.world.tracer.tell(Trace::PAGES, || {
                    format!("processor {number}: INVLPGB, {operands:x?}: {invalidation:x?}")
                });
                invalidation.map(drop)
            }
            _ => broadcasts.tlbsync(&execution),
        };
        let core = &mut self.cores[number];
        match done {
            Ok(()) => core.skip(instruction.length()),
            Err(BroadcastRefused(vector)) => core.raise(vector, Some(0)),
        }
        Ok(Turn::GoesOn)
    }
}
