//! Protocol 0: which call is done where.

use abi_svsm::attestation;
use abi_svsm::core_protocol::{
    self, CoreCall, ProtocolQuery, ProtocolVersions, ValidationAction, ValidationEntry,
    VtomRequest, VtomSupport,
};
use abi_svsm::{CallRegisters, GuestPage, ListAddress, Protocol, ResultCode};
use page_state::DetailBlocks;

use crate::guest_calls::GuestCalls;
use crate::machine::Machine;
use crate::page_list::{Budget, Caller};
use crate::validation::PAGES_PER_CALL;
use crate::vcpu_life::NewVcpuPages;

/// What becomes of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It goes on with this result.
    Result(ResultCode),
    /// It asks to be deleted itself.
    DeleteCaller,
}

impl From<Result<(), ResultCode>> for Answer {
    fn from(result: Result<(), ResultCode>) -> Self {
        Self::Result(result.err().unwrap_or(ResultCode::SUCCESS))
    }
}

/// The versions of a protocol that there are.
fn versions(protocol: Protocol) -> Option<ProtocolVersions> {
    match protocol {
        Protocol::CORE => Some(ProtocolVersions::only(core_protocol::VERSION)),
        Protocol::ATTESTATION => Some(ProtocolVersions::only(attestation::VERSION)),
        _ => None,
    }
}

impl<M: Machine, B: DetailBlocks> GuestCalls<'_, M, B> {
    /// Answers a call of this protocol, in the registers but RAX.
    pub(crate) fn answer_core(&self, caller: Caller<'_>, registers: &mut CallRegisters) -> Answer {
        let call = match CoreCall::decode(registers) {
            Ok(call) => call,
            Err(code) => return Answer::Result(code),
        };
        // Calls that do more are functions of their own, never inlined: what they
        // put on the stack costs the others nothing.
        match call {
            CoreCall::RemapCallingArea { calling_area } => {
                self.remap_calling_area(caller, calling_area).into()
            }
            CoreCall::Validate { list } => Answer::Result(self.validate_list(caller, list)),
            CoreCall::CreateVcpu { save_area, calling_area, apic_id } => {
                self.create_vcpu(caller, NewVcpuPages { save_area, calling_area, apic_id }).into()
            }
            CoreCall::DeleteVcpu { save_area } => self.delete(caller, save_area),
            CoreCall::DepositMemory { list } => Answer::Result(self.deposit(caller, list)),
            CoreCall::WithdrawMemory { list } => self.withdraw(caller, list).into(),
            CoreCall::QueryProtocol(ProtocolQuery { protocol, version }) => {
                registers.rcx = versions(protocol).map_or(0, |versions| versions.answer(version));
                Answer::Result(ResultCode::SUCCESS)
            }
            CoreCall::ConfigureVtom(VtomRequest::Query) => {
                VtomSupport::None.encode(registers);
                Answer::Result(ResultCode::SUCCESS)
            }
            CoreCall::ConfigureVtom(VtomRequest::Configure(_)) => {
                Answer::Result(ResultCode::INVALID_REQUEST)
            }
        }
    }

    #[inline(never)]
    fn validate_list(&self, caller: Caller<'_>, list: ListAddress) -> ResultCode {
        let mut has_rescinded = false;
        let result = self.walk(caller, list, Budget(PAGES_PER_CALL), |word, budget| {
            let entry = ValidationEntry::decode(word)?;
            match entry.action {
                ValidationAction::Validate => budget.spend(entry.size.small_pages().into()),
                ValidationAction::Rescind => {
                    budget.spend(1);
                    has_rescinded = true;
                }
            }
            self.change_validation(entry)
        });
        if has_rescinded {
            self.machine.forget_everywhere();
        }
        result
    }

    #[inline(never)]
    fn delete(&self, caller: Caller<'_>, save_area: GuestPage) -> Answer {
        if save_area.number() != caller.vcpu.save_area() {
            self.delete_vcpu(save_area).into()
        } else if caller.vcpu.is_first() {
            Answer::Result(ResultCode::INVALID_PARAMETER)
        } else {
            Answer::DeleteCaller
        }
    }
}
