//! Running other programs and saying what went wrong with them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// A command as a person would type it, with the folder it runs in left out.
pub(crate) fn show(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={}", name.to_string_lossy(), quoted(value)))
    });
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted);
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+~%@".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Runs a command without input and returns what it wrote to its standard
/// output.
///
/// # Errors
///
/// It cannot be started, or it fails; the message carries what it wrote to its
/// standard error stream.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = output_of(command)?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` failed ({}):\n{}", show(command), output.status, errors.trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command can be started and succeeds; what it writes is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    output_of(command).is_ok_and(|output| output.status.success())
}

fn output_of(command: &mut Command) -> Result<Output> {
    command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", command.get_program().to_string_lossy()))
}

/// Looks a program up in the folders of `PATH`.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| is_program(file))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{capture, on_path, show, succeeds};

    #[test]
    fn shows_what_can_be_typed_again() {
        let mut command = Command::new("cargo");
        command.args(["build", "a b", "it's", ""]).env("RUSTDOCFLAGS", "-D warnings");
        command.env_remove("RUSTFLAGS");
        assert_eq!(show(&command), r"RUSTDOCFLAGS='-D warnings' cargo build 'a b' 'it'\''s' ''");
    }

    #[test]
    fn captures_output() {
        let text = capture(Command::new("sh").args(["-c", "echo out; echo err >&2"]));
        assert_eq!(text.ok().as_deref(), Some("out\n"));
    }

    #[test]
    fn a_failure_carries_the_error_stream() {
        let error = capture(Command::new("sh").args(["-c", "echo why >&2; exit 3"]));
        let message = error.map_err(|error| error.to_string()).unwrap_err();
        assert!(message.contains("exit status: 3") && message.contains("why"), "{message}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = capture(&mut Command::new("no-such-program-here"));
        let message = error.map_err(|error| error.to_string()).unwrap_err();
        assert!(message.contains("no-such-program-here"), "{message}");
        assert!(!succeeds(&mut Command::new("no-such-program-here")));
    }

    #[test]
    fn finds_programs() {
        assert!(on_path("sh").is_some());
        assert!(on_path("no-such-program-here").is_none());
    }
}
