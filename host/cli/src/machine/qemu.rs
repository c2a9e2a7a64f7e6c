//! The part of QEMU's command line that all machines share.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::project::Project;

/// QEMU for a machine with one processor, a serial port and nothing else, which
/// ends where it would reset. The serial port is the standard input and output.
/// Processor model, memory and what to start are to be added.
///
/// # Errors
///
/// QEMU is missing and cannot be had.
pub(crate) fn qemu(project: &Project) -> Result<Command> {
    let mut qemu = Command::new(project.toolbox.qemu()?);
    qemu.args(["-machine", "q35,accel=tcg", "-smp", "1", "-no-reboot"]);
    qemu.args(["-nodefaults", "-display", "none"]);
    qemu.args(["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]);
    Ok(qemu)
}

/// `before` and a path as one argument of options separated by commas: QEMU
/// takes two commas for one that belongs to a value.
pub(crate) fn path_in_option(before: &str, path: &Path) -> OsString {
    let mut argument = before.as_bytes().to_vec();
    for byte in path.as_os_str().as_bytes() {
        argument.push(*byte);
        if *byte == b',' {
            argument.push(b',');
        }
    }
    OsString::from_vec(argument)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::path_in_option;

    #[test]
    fn commas_in_paths_are_doubled() {
        assert_eq!(path_in_option("file=", Path::new("a,b/c")), "file=a,,b/c");
        assert_eq!(path_in_option("", Path::new("plain")), "plain");
    }
}
