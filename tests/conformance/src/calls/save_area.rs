//! Save areas that must not run, and virtual processors that there are not.

use abi_snp::{SevFeatures, Vmsa};
use abi_svsm::{CallRegisters, ResultCode};
use abi_x86::Efer;
use alloc::format;
use alloc::vec::Vec;

use crate::bench::Bench;
use crate::checks::Check;
use crate::vcpus::{create, delete, remap};
use crate::verdict::{Verdict, expect, failed, skip};

const PARAMETER: ResultCode = ResultCode::INVALID_PARAMETER;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "create/other-levels",
        source: "SVSM 58019 §6.3",
        hardware: "a save area for another level than the guest's is an invalid parameter, and \
                   stays the guest's page",
        run: other_levels,
    },
    Check {
        name: "create/other-features",
        source: "SVSM 58019 §6.3",
        hardware: "a save area with other features than the guest's first one is an invalid \
                   parameter",
        run: other_features,
    },
    Check {
        name: "create/without-svme",
        source: "SVSM 58019 §6.3",
        hardware: "a save area that cannot run is an invalid parameter",
        run: without_svme,
    },
    Check {
        name: "create/unknown-processor",
        source: "SVSM 58019 §6.3",
        hardware: "a processor that there is not is an invalid parameter",
        run: unknown_processor,
    },
    Check {
        name: "create/too-many",
        source: "SVSM 58019 §6.3; the result is this module's",
        hardware: "there is an end to virtual processors, and all can be deleted again",
        run: too_many,
    },
    Check {
        name: "delete/twice",
        source: "SVSM 58019 §6.4",
        hardware: "a save area is deleted once, and is an ordinary page then",
        run: twice,
    },
    Check {
        name: "remap/there-and-back",
        source: "SVSM 58019 §6.1",
        hardware: "calls are announced in the new calling area, and the old one is the guest's",
        run: there_and_back,
    },
];

/// The processor that hostile save areas are made for. It is not started before
/// these checks are over: a processor serves the save area that was made last.
pub(super) const SPARE: u32 = 3;

/// Starts all processors but the spare one.
pub(super) fn start(bench: &mut Bench) -> Verdict {
    if bench.guest.processors <= SPARE {
        return skip("the machine has too few processors");
    }
    bench.start_vcpus(SPARE)
}

/// A save area with this change must be refused, and stay an ordinary page.
fn refused_with(bench: &mut Bench, what: &str, change: impl FnOnce(&mut Vmsa)) -> Verdict {
    let page = bench.idle_vcpu_page(change)?;
    let area = bench.private_page()?;
    bench.refused(what, create(page, area, SPARE), PARAMETER)?;
    page.write(0, 0x1234);
    expect("what was written to the page", 0x1234, page.read(0))?;
    // It is no save area that could be deleted.
    bench.refused(what, delete(page), PARAMETER)
}

fn other_levels(bench: &mut Bench) -> Verdict {
    start(bench)?;
    for vmpl in [0, 1, 3, 4, 0xff] {
        refused_with(bench, &format!("VMPL {vmpl}"), |area| area.vmpl = vmpl)?;
    }
    Ok(())
}

fn other_features(bench: &mut Bench) -> Verdict {
    start(bench)?;
    let own = bench.features();
    for features in [
        SevFeatures::empty(),
        own ^ SevFeatures::SNP_ACTIVE,
        own ^ SevFeatures::RESTRICTED_INJECTION,
        own ^ SevFeatures::ALTERNATE_INJECTION,
        own ^ SevFeatures::SECURE_TSC,
        SevFeatures::from_bits_retain(own.bits() | 1 << 63),
        SevFeatures::from_bits_retain(u64::MAX),
    ] {
        refused_with(bench, &format!("{features:?}"), |area| area.sev_features = features)?;
    }
    Ok(())
}

fn without_svme(bench: &mut Bench) -> Verdict {
    start(bench)?;
    refused_with(bench, "no SVME", |area| area.efer.remove(Efer::SVME))?;
    refused_with(bench, "all zeros", |area| *area = Vmsa::zeroed())
}

fn unknown_processor(bench: &mut Bench) -> Verdict {
    let page = bench.idle_vcpu_page(|_| {})?;
    let area = bench.private_page()?;
    for processor in [bench.guest.processors, 0xff, u32::MAX] {
        bench.refused("unknown processor", create(page, area, processor), PARAMETER)?;
    }
    Ok(())
}

fn too_many(bench: &mut Bench) -> Verdict {
    /// More than there can be for these processors.
    const MANY: usize = 64;
    start(bench)?;
    let mut made = Vec::new();
    let refused = loop {
        if made.len() == MANY {
            return Err(failed(format!("expected an end, got {MANY} virtual processors")));
        }
        let page = bench.idle_vcpu_page(|_| {})?;
        let area = bench.private_page()?;
        let got = bench.call(create(page, area, SPARE))?;
        match ResultCode::from_rax(got.rax) {
            ResultCode::SUCCESS => made.push(page),
            other => break other,
        }
    };
    expect("result", ResultCode::INVALID_REQUEST, refused)?;
    for page in made {
        bench.succeeds("result of deleting", delete(page))?;
        page.write(0, 1);
    }
    Ok(())
}

fn twice(bench: &mut Bench) -> Verdict {
    start(bench)?;
    let page = bench.idle_vcpu_page(|_| {})?;
    let area = bench.private_page()?;
    bench.succeeds("result of making", create(page, area, SPARE))?;
    let again = create(page, area, SPARE);
    bench.refused("making it twice", again, ResultCode::INVALID_ADDRESS)?;
    bench.refused("moving to it", remap(page), ResultCode::INVALID_ADDRESS)?;
    let low = CallRegisters { rcx: page.gpa() | 8, ..delete(page) };
    bench.refused("unaligned", low, PARAMETER)?;
    bench.succeeds("result of deleting", delete(page))?;
    bench.refused("deleting it twice", delete(page), PARAMETER)?;
    page.write(0, 0x5678);
    expect("what was written to the page", 0x5678, page.read(0))
}

fn there_and_back(bench: &mut Bench) -> Verdict {
    let old = bench.caller().area(0);
    let new = bench.private_page()?;
    // A call that was never made.
    new.write(0, !0);
    bench.succeeds("result", remap(new))?;
    expect("pending byte of the new one", 0, new.read(0) & 0xff)?;
    let caller = bench.caller.as_mut();
    caller.into_iter().for_each(|caller| caller.set_area(0, new));
    bench.succeeds("result in the same place", remap(new))?;
    // Nobody's any more: it can be rescinded.
    bench.caller().rescind(&bench.guest, old.gpa())?;
    bench.refused("page that is not validated", remap(old), ResultCode::INVALID_ADDRESS)?;
    let again = bench.caller().validate_words(&bench.guest, &[old.gpa() | 4])?;
    expect("validating it again", (ResultCode::SUCCESS, 1), again)?;
    bench.succeeds("result of going back", remap(old))?;
    let caller = bench.caller.as_mut();
    caller.into_iter().for_each(|caller| caller.set_area(0, old));
    Ok(())
}
