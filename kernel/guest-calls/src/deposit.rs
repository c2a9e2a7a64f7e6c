//! `SVSM_CORE_DEPOSIT_MEM` and `SVSM_CORE_WITHDRAW_MEM`: memory that the guest
//! gives the module, and takes back.

use abi_svsm::core_protocol::{DepositEntry, WithdrawHeader};
use abi_svsm::{ListAddress, ResultCode};
use page_state::{ChunkPart, Claim, DetailBlocks};
use zerocopy::IntoBytes;

use crate::access::part_of;
use crate::guest_calls::GuestCalls;
use crate::level::{GUESTS, MODULES};
use crate::machine::{Machine, OpenPage};
use crate::page_list::{Budget, Caller};
use crate::page_rights::ClaimedPage;
use crate::validation::{Failure, finish};

/// Entries of one call, until it ends with [`ResultCode::INCOMPLETE`]: each has
/// all processors forget what they may do with a page.
const DEPOSITS_PER_CALL: u32 = 64;
/// Pages that one call gives back.
const WITHDRAWALS_PER_CALL: usize = 64;

impl<M: Machine, B: DetailBlocks> GuestCalls<'_, M, B> {
    /// Takes the pages of a list.
    #[inline(never)]
    pub(crate) fn deposit(&self, caller: Caller<'_>, list: ListAddress) -> ResultCode {
        let result = self.walk(caller, list, Budget(DEPOSITS_PER_CALL), |word, budget| {
            budget.spend(1);
            let entry = DepositEntry::decode(word)?;
            let claim = self.claim(part_of(entry.page, entry.size), GUESTS, MODULES)?;
            let done = self.take(&claim);
            finish(claim, done)
        });
        self.tell_memory_available(caller.processor);
        result
    }

    fn take(&self, claim: &Claim<'_, B>) -> Result<(), Failure> {
        let page = self.open(claim)?;
        let undo = |code| match page.permit() {
            Ok(()) => Failure::Undone(code),
            Err(_) => Failure::Unknown(code),
        };
        page.forbid().map_err(|error| undo(error.into()))?;
        self.machine.forget_everywhere();
        let accepted = self.machine.accept(ClaimedPage::of(claim));
        accepted.map_err(|_| undo(ResultCode::INVALID_REQUEST))
    }

    /// Gives pages back, and writes their addresses to the list.
    #[inline(never)]
    pub(crate) fn withdraw(&self, caller: Caller<'_>, list: ListAddress) -> Result<(), ResultCode> {
        if list.capacity() == 0 {
            return Err(ResultCode::INVALID_PARAMETER);
        }
        let held = self.hold(caller.processor, caller.vcpu, list.page())?;
        let mut addresses = [0_u64; WITHDRAWALS_PER_CALL];
        let room = list.capacity().min(WITHDRAWALS_PER_CALL);
        let mut count = 0;
        for address in &mut addresses[..room] {
            let Some(page) = self.give_back() else { break };
            *address = page;
            count += 1;
        }
        let header = WithdrawHeader::new(count);
        let entries = addresses[..usize::from(count)].as_bytes();
        let written = self
            .machine
            .write(&held, list.offset() + size_of::<WithdrawHeader>(), entries)
            .and_then(|()| self.machine.write(&held, list.offset(), header.as_bytes()));
        drop(held);
        self.tell_memory_available(caller.processor);
        Ok(written?)
    }

    /// Makes a page the guest's that the module does not need, cleared; its
    /// address. `None` if there is none, or the module keeps it for now.
    fn give_back(&self) -> Option<u64> {
        let page = self.machine.give_up()?;
        let Ok(claim) = self.claim(ChunkPart::page(page.number()), MODULES, GUESTS) else {
            self.machine.take_back(page);
            return None;
        };
        let given = self.open(&claim).is_ok_and(|open| {
            // The guest must not see what the module had there.
            open.clear().is_ok() && open.permit().is_ok()
        });
        if given {
            claim.commit();
            Some(page.address())
        } else {
            drop(claim);
            self.machine.take_back(page);
            None
        }
    }
}
