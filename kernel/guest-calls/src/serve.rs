//! One call, from the guest's registers and back.

use abi_svm::ExitCode;
use abi_svsm::{CallId, CallPending, CallRegisters, Protocol, ResultCode};
use page_state::DetailBlocks;

use crate::core_calls::Answer;
use crate::guest_calls::GuestCalls;
use crate::machine::{CallState, EntryRight, Inaccessible, Machine};
use crate::page_list::Caller;
use crate::page_rights::{HeldPage, SaveAreaPage, page_of_number};
use crate::registry::{Current, ServedVcpu};

/// What has become of a processor's virtual processor when the module was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// There is none for this processor: until one is made, there is nothing to
    /// run.
    NoVcpu,
    /// Another processor is making or deleting it: ask again.
    Later,
    /// It had not called. It can go on.
    NoCall,
    /// It had called and has its answer. It can go on.
    Answered {
        /// Which call it was.
        call: CallId,
        /// How it went.
        result: ResultCode,
    },
    /// It has deleted itself.
    Deleted,
    /// The host has taken its save area away: it cannot go on, and no other can
    /// be trusted to.
    SaveAreaLost,
}

impl<M: Machine, B: DetailBlocks> GuestCalls<'_, M, B> {
    /// Serves the call of the virtual processor that runs on `processor`, if
    /// there is one. To be called whenever the host has run the module there,
    /// whatever for.
    ///
    /// Until it returns, the host cannot run the virtual processor. It takes no
    /// longer than [`PAGES_PER_CALL`](crate::PAGES_PER_CALL) allows.
    ///
    /// # Panics
    ///
    /// If the registry has no such processor.
    pub fn serve(&self, processor: usize) -> Served {
        let vcpu = match self.registry.current(processor) {
            Current::None => return Served::NoVcpu,
            Current::Changing => return Served::Later,
            Current::Vcpu(vcpu) => vcpu,
        };
        self.serve_vcpu(processor, vcpu).unwrap_or(Served::SaveAreaLost)
    }

    fn serve_vcpu(&self, processor: usize, vcpu: ServedVcpu<'_>) -> Result<Served, Inaccessible> {
        let area = SaveAreaPage::new(page_of_number(vcpu.calling().save_area()));
        // First of all: what is read afterwards, the host can no longer change
        // by running it.
        let (before, pending) = {
            let calling_area = HeldPage::calling_area(vcpu.calling());
            self.machine.begin_call(area, &calling_area, ExitCode::VMGEXIT.0)?
        };
        let mut registers = before.registers;
        let call = CallId::decode(registers.rax);
        let caller = Caller { processor, vcpu: vcpu.calling() };
        let answer = match CallPending::decode(pending) {
            CallPending::No => {
                self.machine.set_entry(area, EntryRight::Allowed)?;
                return Ok(Served::NoCall);
            }
            CallPending::Reserved(_) => Answer::Result(ResultCode::INVALID_FORMAT),
            CallPending::Yes => self.answer(caller, call, &mut registers),
        };
        let result = match answer {
            Answer::Result(result) => result,
            Answer::DeleteCaller => {
                return self.delete_caller(vcpu, area, before);
            }
        };
        self.go_on(area, &before, registers, result)?;
        Ok(Served::Answered { call, result })
    }

    #[inline]
    fn answer(&self, caller: Caller<'_>, call: CallId, registers: &mut CallRegisters) -> Answer {
        match call.protocol {
            Protocol::CORE => self.answer_core(caller, registers),
            Protocol::ATTESTATION => {
                // On a copy: registers of other calls then need no memory.
                let mut own = *registers;
                let result = self.answer_attestation(caller, &mut own);
                *registers = own;
                result.into()
            }
            _ => Answer::Result(ResultCode::UNSUPPORTED_PROTOCOL),
        }
    }

    // Seldom done, so that what each call does is in one place.
    #[inline(never)]
    fn delete_caller(
        &self,
        vcpu: ServedVcpu<'_>,
        area: SaveAreaPage<'_>,
        before: CallState,
    ) -> Result<Served, Inaccessible> {
        let call = CallId::decode(before.registers.rax);
        match self.end_save_area(area, vcpu.delete()) {
            Ok(()) | Err((_, None)) => Ok(Served::Deleted),
            Err((result, Some(dying))) => {
                self.go_on(area, &before, before.registers, result)?;
                drop(dying);
                Ok(Served::Answered { call, result })
            }
        }
    }

    /// Writes the answer, then allows the host to run it.
    fn go_on(
        &self,
        area: SaveAreaPage<'_>,
        before: &CallState,
        registers: CallRegisters,
        result: ResultCode,
    ) -> Result<(), Inaccessible> {
        self.machine.end_call(area, before, &CallRegisters { rax: result.rax(), ..registers })
    }
}
