//! What checks work with.

use alloc::format;

use abi_snp::ghcb::{
    AssignPage, ExitCode, MsrCall, NaeError, NaeOutputs, PageAssignment, RegisterGhcb, SaveArea,
    ValidFields,
};
use abi_snp::{PageSize, SevFeatures, TscInfo};
use abi_x86::{ExceptionVector, Msr, SIZE_4K};

use crate::caller::Caller;
use crate::ghcb::{Ghcb, call, frame};
use crate::machine::{
    Guest, Mode, Outcome, Page, Permissions, Probe, Trap, Validation, View, Worker, time_stamp,
};
use crate::verdict::{Verdict, expect, failed, require};

/// Longest time to wait for another processor, in ticks of the time stamp
/// counter: some seconds.
const LONGEST_WAIT: u64 = 20_000_000_000;

/// The guest and its means to ask.
pub(crate) struct Bench {
    pub(crate) guest: Guest,
    pub(crate) ghcb: Ghcb,
    /// Which workers run, by processor and by level.
    pub(crate) started: Started,
    /// The save areas of the levels of this processor, by level.
    pub(crate) level_save_areas: [Option<Page>; 4],
    /// The save areas of other processors that a module knows, by processor.
    pub(crate) vcpu_pages: [Option<Page>; Worker::MOST_PROCESSORS as usize],
    /// What the security processor has told of the time stamp counter, with
    /// Secure TSC.
    pub(crate) tsc: Option<TscInfo>,
    /// The module that this guest is below, if it is below one.
    pub(crate) caller: Option<Caller>,
}

/// Which workers run, or wait for their level to run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Started {
    pub(crate) processors: [bool; Worker::MOST_PROCESSORS as usize],
    pub(crate) levels: [bool; 4],
}

/// Takes a page and makes it shared, by the GHCB MSR. A module has validated it.
fn shared_page(guest: &mut Guest, caller: Option<&Caller>) -> Verdict<Page> {
    let page = guest.memory.take(PageSize::Size4K, View::Shared);
    if let Some(caller) = caller {
        caller.rescind(guest, page.gpa())?;
    }
    assign(page, PageAssignment::Shared)?;
    Ok(page)
}

/// Makes a page of 4 KiB shared or private, by the GHCB MSR.
pub(crate) fn assign(page: Page, assignment: PageAssignment) -> Verdict {
    request(&AssignPage { frame: frame(page), assignment })
}

/// Asks by the GHCB MSR for something that must succeed.
pub(crate) fn request<C: MsrCall>(what: &C) -> Verdict<C::Answer> {
    call(what).map_err(|error| failed(format!("expected an answer, got: {error}")))
}

/// Fails unless the outcome is that the instruction ended.
pub(crate) fn expect_done(what: &str, outcome: &Outcome) -> Verdict {
    expect(what, None, outcome.trap)?;
    require(outcome.others_kept, "all other registers as before", outcome.registers)
}

/// Fails unless the outcome is this exception, at the instruction, with all
/// registers as they were.
pub(crate) fn expect_trap(
    probe: Probe,
    outcome: &Outcome,
    vector: ExceptionVector,
    error_code: u64,
) -> Verdict<Trap> {
    let Some(trap) = outcome.trap else {
        return Err(failed(format!("expected {vector} with code {error_code:#x}, got none")));
    };
    let expected = (vector, error_code);
    expect("exception and error code", expected, (trap.exception(), trap.error_code))?;
    require(probe.is_at(&trap), "RIP at the instruction", trap)?;
    require(outcome.others_kept, "all registers as before", outcome.registers)?;
    Ok(trap)
}

impl Bench {
    /// Makes the first shared page, the GHCB, and registers it.
    pub(crate) fn prepare(mut guest: Guest) -> Verdict<Self> {
        let caller = Caller::find(&mut guest);
        let page = shared_page(&mut guest, caller.as_ref())?;
        request(&RegisterGhcb(frame(page)))?;
        let mut bench = Self {
            guest,
            ghcb: Ghcb(page),
            started: Started::default(),
            level_save_areas: [None; 4],
            vcpu_pages: [None; Worker::MOST_PROCESSORS as usize],
            tsc: None,
            caller,
        };
        let stack = bench.private_page()?;
        bench.guest.prepare_user_mode(stack);
        Ok(bench)
    }

    /// Runs a probe here, in supervisor mode.
    pub(crate) fn probe(&self, probe: Probe) -> Outcome {
        self.guest.try_out(probe, Mode::Supervisor)
    }

    /// Asks for an event by the page.
    pub(crate) fn ask(
        &self,
        request: &SaveArea,
        asked: ValidFields,
    ) -> Result<NaeOutputs, NaeError> {
        self.ghcb.ask(request, asked)
    }

    /// Asks for an event by the page that must succeed.
    pub(crate) fn must(&self, request: &SaveArea, asked: ValidFields) -> Verdict<NaeOutputs> {
        self.ask(request, asked).map_err(|error| {
            let event = request.exit_code.map(ExitCode);
            failed(format!("expected an answer to {event:?}, got: {error}"))
        })
    }

    /// Writes a register that the hypervisor has.
    pub(crate) fn write_msr(&self, msr: Msr, value: u64) -> Verdict {
        let request = SaveArea {
            rax: Some(value & 0xffff_ffff),
            rcx: Some(msr.0.into()),
            rdx: Some(value >> 32),
            ..SaveArea::request(ExitCode::MSR.0, 1, 0)
        };
        self.must(&request, ValidFields::empty()).map(drop)
    }

    /// Reads a register that the hypervisor has.
    pub(crate) fn read_msr(&self, msr: Msr) -> Verdict<u64> {
        let request =
            SaveArea { rcx: Some(msr.0.into()), ..SaveArea::request(ExitCode::MSR.0, 0, 0) };
        let outputs = self.must(&request, ValidFields::RAX | ValidFields::RDX)?;
        Ok(outputs.rdx << 32 | outputs.rax & 0xffff_ffff)
    }

    /// A page that both sides can read and write.
    pub(crate) fn shared_page(&mut self) -> Verdict<Page> {
        shared_page(&mut self.guest, self.caller.as_ref())
    }

    /// A page that was made private in pieces of 4 KiB, not yet validated.
    pub(crate) fn assigned_page(&mut self, size: PageSize) -> Verdict<Page> {
        let page = self.guest.memory.take(size, View::Private);
        for index in 0..u64::from(size.small_pages()) {
            let part = page.gpa() + index * SIZE_4K;
            let frame = abi_snp::ghcb::GuestFrame::at(part).expect("parts are aligned");
            request(&AssignPage { frame, assignment: PageAssignment::Private })?;
        }
        Ok(page)
    }

    /// A private page of 4 KiB, validated; a module has done so with all pages.
    pub(crate) fn private_page(&mut self) -> Verdict<Page> {
        if self.caller.is_some() {
            return Ok(self.guest.memory.take(PageSize::Size4K, View::Private));
        }
        let page = self.assigned_page(PageSize::Size4K)?;
        self.pvalidate(page, Validation::Validate)?;
        Ok(page)
    }

    /// PVALIDATE that must change the page's state.
    pub(crate) fn pvalidate(&self, page: Page, validation: Validation) -> Verdict {
        let outcome = self.probe(Probe::Pvalidate { page, size: page.size(), validation });
        expect_done("exception of PVALIDATE", &outcome)?;
        expect("return code of PVALIDATE", 0, outcome.registers.rax)?;
        expect("carry of PVALIDATE", false, outcome.carry())
    }

    /// RMPADJUST that must succeed.
    pub(crate) fn rmpadjust(&self, page: Page, permissions: Permissions) -> Verdict {
        let outcome = self.probe(Probe::Rmpadjust { page, size: page.size(), permissions });
        expect_done("exception of RMPADJUST", &outcome)?;
        expect("return code of RMPADJUST", 0, outcome.registers.rax)
    }

    /// The features that this guest runs with.
    pub(crate) fn features(&self) -> SevFeatures {
        let status = self.probe(Probe::ReadMsr(Msr::SEV_STATUS)).edx_eax();
        SevFeatures::from_bits_retain(status >> 2)
    }

    /// Whether the processor's CPUID page has this bit of EAX in leaf
    /// 8000_001F.
    pub(crate) fn has_encryption_feature(&self, bit: u32) -> bool {
        let entries = self.guest.cpuid.entries().unwrap_or_default();
        let leaf = entries.iter().find(|entry| entry.eax_in == 0x8000_001f);
        leaf.is_some_and(|leaf| leaf.eax & 1 << bit != 0)
    }

    /// Waits until there is something.
    pub(crate) fn wait_for<T>(
        &self,
        mut look: impl FnMut() -> Option<T>,
        complaint: &str,
    ) -> Verdict<T> {
        let start = time_stamp();
        while time_stamp().wrapping_sub(start) < LONGEST_WAIT {
            if let Some(found) = look() {
                return Ok(found);
            }
            core::hint::spin_loop();
        }
        Err(failed(complaint.into()))
    }
}
