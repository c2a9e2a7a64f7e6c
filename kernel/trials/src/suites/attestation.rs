//! The security processor answers.

extern crate alloc;

use abi_boot::Platform;
use abi_snp::{
    CertificateKind, CertificateTable, DerivedKey, DerivedKeyRequest, Digest, GuestFields, RootKey,
    SecretsPage,
};
use alloc::vec::Vec;
use guest_calls::{ReportFailure, Reports};
use hal::heap::TryPush;
use hal::memory::statistics;
use hal::println;
use hal::security_processor::{needs_time_stamp_parameters, take_secrets};
use hal::sync::Once;
use kernel_attestation::{
    GuestReports, RequestError, derived_key, report, report_with_certificates,
    time_stamp_parameters,
};
use tasks::{Affinity, Priority, TaskOptions, TaskRegisters, spawn};

use crate::trial::{Failure, Outcome, Trial, check, equal, failure};

/// The tests.
pub(super) const TRIALS: &[Trial] = &[
    Trial { name: "attestation::keys_are_taken_out_of_the_page", run: keys_are_taken_out },
    Trial { name: "attestation::reports_are_about_this_machine", run: reports_are_right },
    Trial { name: "attestation::calls_of_guests_get_reports", run: guests_get_reports },
    Trial { name: "attestation::certificates_come_with_reports", run: certificates_come },
    Trial { name: "attestation::derived_keys_come_again", run: derived_keys_come_again },
    Trial { name: "attestation::tasks_of_all_processors_take_turns", run: tasks_take_turns },
    Trial { name: "attestation::counters_of_processors_agree", run: counters_agree },
];

/// The secrets page as the start has left it, if there is one.
static SECRETS: Once<&'static SecretsPage> = Once::new();

/// Keeps the secrets page for the tests.
pub(crate) fn keep(secrets: Option<&'static mut SecretsPage>) {
    if let Some(secrets) = secrets {
        assert!(SECRETS.set(secrets).is_ok(), "the tests are entered once");
    }
}

/// Whether there is a security processor to ask.
fn is_there() -> bool {
    hal::image::boot_block().platform == Platform::SNP
}

/// What was asked for; prints why not.
fn answered<T>(answer: Result<T, RequestError>) -> Result<T, Failure> {
    answer.map_err(|error| {
        println!("\n  {error}");
        failure("the security processor answers")
    })
}

fn keys_are_taken_out() -> Outcome {
    check(take_secrets().is_none(), "nobody gets the page a second time")?;
    let Some(secrets) = SECRETS.get() else {
        return check(!is_there(), "there is a page on SEV-SNP");
    };
    for (key, is_left) in secrets.vmpck.iter().zip([false, false, true, true]) {
        equal(*key.expose() != [0; 32], is_left, "keys of the guest's levels are left")?;
    }
    Ok(())
}

fn reports_are_right() -> Outcome {
    for data in [[0x5a; 64], [0; 64]] {
        let answer = report(data);
        if !is_there() {
            return equal(answer.err(), Some(RequestError::Unavailable), "a report of nobody");
        }
        let report = answered(answer)?;
        equal(report.report_data, data, "report data")?;
        equal(report.vmpl, 0, "the level")?;
        check(report.version() >= 2, "version 2 or later")?;
        check(report.measurement != Digest::ZERO, "a measurement")?;
    }
    Ok(())
}

fn guests_get_reports() -> Outcome {
    let report = GuestReports.report([7; 64]);
    if !is_there() {
        return equal(report.err(), Some(ReportFailure::Refused), "a report of nobody");
    }
    let found = report.ok().map(|report| (report.report_data, report.vmpl));
    equal(found, Some(([7; 64], 0)), "report data and level")
}

/// How much memory the host can see.
fn shared_bytes() -> u64 {
    statistics().kinds.iter().find(|(name, _)| *name == "shared with host").map_or(0, |kind| kind.1)
}

fn certificates_come() -> Outcome {
    if !is_there() {
        return Ok(());
    }
    let mut bytes = 0;
    for round in 0..3 {
        let (report, certificates) = answered(report_with_certificates([round; 64]))?;
        equal(report.report_data, [round; 64], "report data")?;
        let table = CertificateTable::parse(certificates.as_bytes())
            .map_err(|_| failure("a table of certificates"))?;
        for kind in [CertificateKind::VCEK, CertificateKind::ASK, CertificateKind::ARK] {
            let certificate = table.find(kind).ok_or_else(|| failure("VCEK, ASK and ARK come"))?;
            check(certificate.len() > 500, "they have a size that certificates have")?;
        }
        equal(certificates.as_bytes().len(), table.size(), "nothing comes behind them")?;
        let shared = shared_bytes();
        check(round == 0 || shared == bytes, "pages for certificates are shared once")?;
        bytes = shared;
    }
    Ok(())
}

fn derived_keys_come_again() -> Outcome {
    if !is_there() {
        return Ok(());
    }
    let plain = DerivedKeyRequest::new(RootKey::ENDORSEMENT_KEY, 0);
    let mut measured = plain;
    measured.fields = GuestFields::MEASUREMENT;
    let same = |one: &DerivedKey, other: &DerivedKey| one.expose() == other.expose();
    let first = answered(derived_key(&plain))?;
    check(*first.expose() != [0; 32], "a key that is not zero")?;
    check(same(&first, &answered(derived_key(&plain))?), "the same again")?;
    check(!same(&first, &answered(derived_key(&measured))?), "another one for the measurement")
}

/// Runs `work` on each processor at the same time, with the processor's number.
/// Gives what comes of it, in the processors' order.
fn on_all_processors<T: Send + 'static>(
    work: fn(usize) -> T,
) -> Result<impl Iterator<Item = T>, Failure> {
    let mut all = Vec::new();
    let options = |index| TaskOptions {
        name: "asks",
        priority: Priority::Service,
        affinity: Affinity::Only(index),
        stack_pages: 8,
        registers: TaskRegisters::Kernel,
    };
    // Refused behind the last processor.
    while let Ok(task) = spawn(options(all.len()), {
        let index = all.len();
        move || work(index)
    }) {
        all.try_push(task).map_err(|_| failure("there was no memory"))?;
    }
    Ok(all.into_iter().map(tasks::JoinHandle::join))
}

fn tasks_take_turns() -> Outcome {
    if !is_there() {
        return Ok(());
    }
    let all_right = on_all_processors(|processor| {
        (0..4).all(|round| {
            let data = [(processor * 16 + round) as u8; 64];
            report(data).is_ok_and(|report| report.report_data == data)
        })
    })?;
    for is_right in all_right {
        check(is_right, "everybody gets the report that it asked for")?;
    }
    Ok(())
}

fn counters_agree() -> Outcome {
    if needs_time_stamp_parameters() {
        let info = answered(time_stamp_parameters())?;
        check(info.scale != 0, "the security processor tells a scale")?;
    }
    for _ in 0..4 {
        // Between the two looks of this processor each other one looks.
        let mut last = hal::time::count();
        for processor in 0.. {
            let options = TaskOptions {
                name: "looks",
                priority: Priority::Service,
                affinity: Affinity::Only(processor),
                stack_pages: 2,
                registers: TaskRegisters::Kernel,
            };
            let Ok(task) = spawn(options, hal::time::count) else {
                check(processor > 0, "there is a processor")?;
                break;
            };
            let count = task.join();
            check(count > last, "a later look finds a higher count, whoever looks")?;
            last = count;
        }
        check(hal::time::count() > last, "a later look finds a higher count")?;
    }
    Ok(())
}
