//! What a guest tells on its console.

/// Begins the line that says how the script ended; the status follows as a
/// decimal number.
pub const EXIT_STATUS: &str = "svsm-guest: exit status ";

/// How the script ended, from all that a guest wrote to its console: 0 to 255
/// as the shell counts, or `None` where it did not come to an end.
///
/// The last such line counts: a script may write one, too, but the end is told
/// after it.
#[must_use]
pub fn exit_status(console: &str) -> Option<u8> {
    let status = |line: &str| line.trim_end().strip_prefix(EXIT_STATUS)?.parse().ok();
    console.lines().rev().find_map(status)
}

#[cfg(test)]
mod tests {
    use super::exit_status;

    #[test]
    fn the_last_line_counts() {
        let console = "[1.0] Run /init\r\nsvsm-guest: exit status 1\r\nmore\r\n\
                       svsm-guest: exit status 42\r\n[2.0] reboot: Power down\r\n";
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
}
