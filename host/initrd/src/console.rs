//! What a guest tells on its console.

use sha2::{Digest, Sha256};

/// Begins the line that says how the script ended; the status follows as a
/// decimal number, then in brackets the script's [`mark`].
pub const EXIT_STATUS: &str = "svsm-guest: exit status ";

/// Tells scripts apart: the first 16 hexadecimal digits of SHA-256 of the
/// script.
///
/// No script writes its own mark by accident, nor does anything that it shows,
/// unless that is the console of a run of the same script.
#[must_use]
pub fn mark(script: &str) -> String {
    Sha256::digest(script).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// How the script ended, from all that a guest wrote to its console: 0 to 255
/// as the shell counts, or `None` where it did not come to an end.
///
/// The last such line counts: a script may write one, too, but the end is told
/// after it.
#[must_use]
pub fn exit_status(console: &str) -> Option<u8> {
    console.lines().rev().find_map(|line| status(line)?.0.parse().ok())
}

/// How `script` ended, as [`exit_status`] tells it; `None` also where such a
/// line is not about this script, as where a script that switched the machine
/// off has written it.
#[must_use]
pub fn exit_status_of(script: &str, console: &str) -> Option<u8> {
    let mark = format!("({})", mark(script));
    console.lines().rev().find_map(|line| {
        let (status, rest) = status(line)?;
        if rest == mark { status.parse().ok() } else { None }
    })
}

/// The status that a line tells, and what follows it.
fn status(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_end().strip_prefix(EXIT_STATUS)?;
    Some(line.split_once(' ').unwrap_or((line, "")))
}

#[cfg(test)]
mod tests {
    use super::{exit_status, exit_status_of, mark};

    #[test]
    fn the_last_line_counts() {
        let console = "[1.0] Run /init\r\nsvsm-guest: exit status 1\r\nmore\r\n\
                       svsm-guest: exit status 42 (00)\r\n[2.0] reboot: Power down\r\n";
        assert_eq!(exit_status(console), Some(42));
    }

    #[test]
    fn other_lines_do_not() {
        for console in [
            "",
            "exit status 0",
            "echo svsm-guest: exit status 0",
            "svsm-guest: exit status",
            "svsm-guest: exit status 256",
            "svsm-guest: exit status -1",
            "svsm-guest: exit status 0x1",
        ] {
            assert_eq!(exit_status(console), None, "{console}");
        }
    }

    #[test]
    fn lines_about_other_scripts_do_not_count() {
        let script = "exit 7";
        let told =
            |status: u8, of: &str| format!("svsm-guest: exit status {status} ({})\r\n", mark(of));
        assert_eq!(exit_status_of(script, &told(7, script)), Some(7));
        let both = told(7, script) + &told(0, "exit 0");
        assert_eq!(exit_status_of(script, &both), Some(7));
        for other in [told(0, "exit 0"), "svsm-guest: exit status 0\n".to_owned()] {
            assert_eq!(exit_status_of(script, &other), None);
        }
    }
}
