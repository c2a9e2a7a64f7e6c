//! Judges attestation reports: `svsm-oracle CERTIFICATES REPORT…`, where
//! `CERTIFICATES` is a folder that `svsm endorsement export` wrote.
//!
//! One line for each report; the exit code is 0 if all hold, 1 if one does not,
//! and 2 if the command line is wrong.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(folder), reports) = (arguments.next(), arguments.collect::<Vec<_>>()) else {
        return usage();
    };
    if reports.is_empty() {
        return usage();
    }
    let mut code = ExitCode::SUCCESS;
    for path in reports {
        let verdict = std::fs::read(&path).and_then(|report| svsm_oracle::judge(&folder, &report));
        match verdict {
            Ok(()) => println!("{}: holds", path.display()),
            Err(error) => {
                println!("{}: does NOT hold: {error}", path.display());
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

fn usage() -> ExitCode {
    eprintln!("usage: svsm-oracle CERTIFICATES REPORT…");
    ExitCode::from(2)
}
