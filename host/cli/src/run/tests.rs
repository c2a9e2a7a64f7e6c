//! Tests of the arguments and of what is said about a run.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use abi_simulator::launch::{CpuidAdditions, CpuidPolicy, Trace};
use abi_simulator::report::{self, Row, Section};
use abi_snp::{SevFeatures, Vmpl};
use anyhow::{Result, anyhow};
use clap::{Args, Command, FromArgMatches};

use super::image::{Linux, Provided, Wanted};
use super::{Arguments, counts, request, usual_cpus, verdict, wanted};
use crate::failure::{Usage, Verdict};
use crate::simulation::{End, Outcome, Pace, Platform, Request, Statistics};
use crate::terminal::Terminal;

fn arguments(line: &str) -> Result<Arguments> {
    let words = std::iter::once("run").chain(line.split_whitespace());
    let matches = Arguments::augment_args(Command::new("run")).try_get_matches_from(words)?;
    Ok(Arguments::from_arg_matches(&matches)?)
}

fn parsed(line: &str) -> Result<Request> {
    let arguments = arguments(line)?;
    let cpus = arguments.cpus.unwrap_or(1);
    Ok(request(&arguments, &Provided::igvm("a.igvm".into(), String::new()), cpus))
}

fn outcome(statistics: Option<Statistics>) -> Outcome {
    let end = End::QemuEnded { status: ExitStatus::from_raw(0), messages: String::new() };
    let launch_digest = Some("ab".to_owned());
    Outcome { end, launch_digest, statistics, took: Duration::ZERO }
}

#[test]
fn what_is_started() -> Result<()> {
    let wanted = |line: &str| wanted(&arguments(line)?);
    assert_eq!(wanted("")?, Wanted::UnderModule(Linux::default()));
    assert_eq!(wanted("--guest linux")?, Wanted::UnderModule(Linux::default()));
    assert_eq!(wanted("--guest none")?, Wanted::Module);
    assert_eq!(wanted("--bare")?, Wanted::Bare(Linux::default()));
    assert_eq!(wanted("--igvm a.igvm")?, Wanted::Igvm("a.igvm".into(), String::new()));
    assert_eq!(wanted("--igvm a --append -v")?, Wanted::Igvm("a".into(), "-v".to_owned()));
    let own = Linux {
        kernel: Some("k".into()),
        initrd: Some("i".into()),
        append: Some("-v".to_owned()),
        script: None,
    };
    assert_eq!(wanted("--kernel k --initrd i --append -v")?, Wanted::UnderModule(own.clone()));
    assert_eq!(wanted("--bare --kernel k --initrd i --append -v")?, Wanted::Bare(own));
    let script = Linux { script: Some("s".into()), ..Linux::default() };
    assert_eq!(wanted("--guest-script s")?, Wanted::UnderModule(script.clone()));
    assert_eq!(wanted("--bare --guest-script s")?, Wanted::Bare(script));
    Ok(())
}

#[test]
fn a_guest_of_the_module_has_two_processors() -> Result<()> {
    let cpus = |line: &str| Ok::<_, anyhow::Error>(usual_cpus(&wanted(&arguments(line)?)?));
    for (line, expected) in
        [("", 2), ("--kernel k", 2), ("--guest none", 1), ("--bare", 1), ("--igvm a", 1)]
    {
        assert_eq!(cpus(line)?, expected, "{line}");
    }
    Ok(())
}

#[test]
fn without_a_guest_there_is_nothing_for_one() {
    for line in ["--kernel k", "--append a", "--guest-script s", "--kernel k --initrd i"] {
        let error = arguments(&format!("--guest none {line}")).and_then(|given| wanted(&given));
        assert!(error.is_err_and(|error| error.is::<Usage>()), "{line}");
    }
}

#[test]
fn defaults() -> Result<()> {
    let request = parsed("--igvm a.igvm")?;
    let platform = &request.platform;
    let default = Platform::default();
    assert_eq!((platform.cpus, platform.c_bit), (default.cpus, default.c_bit));
    assert_eq!((platform.memory, platform.cpuid), (default.memory, default.cpuid));
    assert_eq!(platform.sev_features, default.sev_features);
    assert_eq!(platform.cpuid_additions, CpuidAdditions::empty());
    assert_eq!(platform.report_version, default.report_version);
    assert_eq!((platform.trace, platform.scenario.as_ref()), (default.trace, None));
    assert_eq!((request.pace, request.debugger), (Pace::RealTime, None));
    assert_eq!((request.limit, request.expect), (None, None));
    assert_eq!((platform.vmpl, platform.schedule), (None, 0));
    Ok(())
}

#[test]
fn the_help_names_the_default_features() -> Result<()> {
    let help = Arguments::augment_args(Command::new("run")).render_long_help().to_string();
    let words: Vec<_> = help.split_whitespace().collect();
    let text = words.join(" ");
    let rest = text.split_once("[default: snp-active").map(|(_, rest)| rest);
    let more = rest.and_then(|rest| rest.split_once(']')).map(|(names, _)| names);
    let names = format!("snp-active{}", more.unwrap_or_default().replace(' ', ""));
    let features = super::values::sev_features(&names).map_err(|error| anyhow!(error))?;
    assert_eq!(features, Platform::default().sev_features);
    Ok(())
}

#[test]
fn everything_else() -> Result<()> {
    let line = "--igvm a.igvm --cpus 16 --memory 8G --c-bit 47 \
                --sev-features 0x9 --cpuid xsave --invlpgb --report-version 5 --vmpl 2 --hostile h --disk d \
                --fw-cfg opt/a=b \
                --vsock v --serial none --expect -- --timeout 5 --icount --schedule 7 --trace ghcb --gdb 1234";
    let request = parsed(line)?;
    let platform = &request.platform;
    assert_eq!((platform.cpus, platform.memory, platform.c_bit), (16, 8 << 30, 47));
    let features = SevFeatures::SNP_ACTIVE | SevFeatures::RESTRICTED_INJECTION;
    assert_eq!((platform.sev_features, platform.cpuid), (features, CpuidPolicy::XSAVE));
    assert_eq!(platform.cpuid_additions, CpuidAdditions::INVLPGB);
    assert_eq!((platform.report_version, platform.trace), (5, Trace::GHCB));
    assert_eq!((platform.vmpl, platform.schedule), (Some(Vmpl::Vmpl2), 7));
    assert_eq!(platform.scenario.as_deref(), Some(Path::new("h")));
    assert_eq!(request.devices.disk.as_deref(), Some(Path::new("d")));
    assert_eq!(request.devices.vsock.as_deref(), Some(Path::new("v")));
    let items: Vec<_> = request.devices.items.iter().map(|item| item.name.as_str()).collect();
    assert_eq!(items, ["opt/a"]);
    assert_eq!((request.pace, request.debugger), (Pace::Instructions, Some(1234)));
    assert_eq!(request.limit, Some(Duration::from_secs(5)));
    assert_eq!(request.expect.as_deref(), Some("--"));
    Ok(())
}

#[test]
fn tracing_without_a_list_means_exits() -> Result<()> {
    assert_eq!(parsed("--igvm a --trace")?.platform.trace, Trace::EXITS);
    assert_eq!(parsed("--trace --igvm a")?.platform.trace, Trace::EXITS);
    Ok(())
}

#[test]
fn wrong_lines_are_refused() {
    for (line, expected) in [
        ("--igvm a --kernel b", "cannot be used with"),
        ("--igvm a --initrd b", "cannot be used with"),
        ("--initrd a", "--kernel"),
        ("--igvm a --bare", "cannot be used with"),
        ("--igvm a --guest linux", "cannot be used with"),
        ("--igvm a --guest-script b", "cannot be used with"),
        ("--bare --guest linux", "cannot be used with"),
        ("--guest-script a --expect b", "cannot be used with"),
        ("--kernel k --initrd i --guest-script a", "cannot be used with"),
        ("--guest windows", "possible values"),
        ("--igvm a --cpus 17", "17 is not in 1..=16"),
        ("--igvm a --memory 3", "multiple of 2M"),
        ("--igvm a --c-bit 35", "35 is not in 36..=51"),
        ("--igvm a --sev-features x", "restricted-injection"),
        ("--igvm a --serial tcp", "file:PATH"),
        ("--igvm a --timeout 0", "0 is not in"),
        ("--igvm a --gdb 0", "0 is not in"),
        ("--igvm a --vmpl 4", "a privilege level, 0 to 3"),
    ] {
        let error = parsed(line).map_err(|error| error.to_string());
        assert!(error.as_ref().is_err_and(|text| text.contains(expected)), "{line}: {error:?}");
    }
}

#[test]
fn counts_are_written_for_machines() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("counts.json");
    let rows = vec![Row { name: "CPUID".to_owned(), count: 7 }];
    let sections = vec![Section { name: "exits".to_owned(), rows }];
    counts(&outcome(Some(Statistics::new(sections))), &path, Terminal::plain())?;
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    assert_eq!(json["statistics"][0]["rows"][0]["count"], 7);
    assert_eq!(json["launch_digest"], "ab");
    assert!(json["end"].as_str().is_some_and(|end| end.contains("QEMU ended by itself")));
    Ok(())
}

#[test]
fn nothing_counted_writes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("counts.json");
    counts(&outcome(None), &path, Terminal::plain())?;
    assert!(!path.exists());
    Ok(())
}

#[test]
fn an_expected_text_is_all_that_counts() {
    assert_eq!(verdict(&End::Expected, Some("login:"), None), Verdict::Good);
    for end in [End::Told(report::End::PoweredOff), End::Left] {
        assert_eq!(verdict(&end, None, None), Verdict::Good);
        assert_eq!(verdict(&end, Some("login:"), None), Verdict::Bad);
    }
}

#[test]
fn a_script_s_status_is_the_run_s() {
    let off = End::Told(report::End::PoweredOff);
    for status in [0, 1, 42] {
        assert_eq!(verdict(&off, None, Some(Some(status))), Verdict::Status(status));
        // It says that the script ended, but the guest did not go off.
        assert_eq!(verdict(&End::Left, None, Some(Some(status))), Verdict::Bad);
    }
    assert_eq!(verdict(&off, None, Some(None)), Verdict::Bad);
}

#[test]
fn every_other_end_is_bad() {
    let time_out = End::TimeOut(Duration::from_secs(5));
    for end in [outcome(None).end, time_out, End::Told(report::End::Reset)] {
        assert_eq!(verdict(&end, None, None), Verdict::Bad, "{end}");
    }
}
