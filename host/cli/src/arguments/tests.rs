//! Tests of the command line.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use super::CommandLine;

/// What clap makes of a line.
fn kind(line: &str) -> Option<ErrorKind> {
    let words = std::iter::once("svsm").chain(line.split_whitespace());
    CommandLine::try_parse_from(words).err().map(|error| error.kind())
}

#[test]
fn the_definition_is_consistent() {
    CommandLine::command().debug_assert();
}

#[test]
fn examples_in_the_help_are_right() {
    let mut lines = 0;
    let mut pending = vec![CommandLine::command()];
    while let Some(command) = pending.pop() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        for line in help.lines().filter_map(|line| line.trim().strip_prefix("cargo svsm ")) {
            // Explanations stand behind two spaces.
            let line = line.split("  ").next().unwrap_or_default();
            assert_eq!(kind(line), None, "{line}");
            lines += 1;
        }
        pending.extend(command.get_subcommands().cloned());
    }
    assert!(lines >= 20, "only {lines} examples");
}

#[test]
fn wrong_lines_are_refused() {
    for (line, expected) in [
        ("", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("nonsense", ErrorKind::InvalidSubcommand),
        ("build --nonsense", ErrorKind::UnknownArgument),
        ("build --platform tdx", ErrorKind::ValueValidation),
        ("build --profile fast", ErrorKind::InvalidValue),
        ("image inspect", ErrorKind::MissingRequiredArgument),
        ("image diff one", ErrorKind::MissingRequiredArgument),
        ("image measure f --vmm kvm --vcpus 0", ErrorKind::ValueValidation),
        ("image sign f", ErrorKind::MissingRequiredArgument),
        ("endorsement export", ErrorKind::MissingRequiredArgument),
        ("endorsement verify", ErrorKind::MissingRequiredArgument),
        ("fuzz --seconds 1 --runs 1", ErrorKind::ArgumentConflict),
        ("tpm serve", ErrorKind::MissingRequiredArgument),
        ("tpm serve --state s --manufacture --ca c", ErrorKind::MissingRequiredArgument),
        ("tpm serve --state s --seed f", ErrorKind::MissingRequiredArgument),
        ("tpm serve --state s --protocol tis", ErrorKind::InvalidValue),
        ("bench", ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        ("bench tpm --samples 0", ErrorKind::ValueValidation),
        ("clean --yes", ErrorKind::MissingRequiredArgument),
    ] {
        assert_eq!(kind(line), Some(expected), "{line}");
    }
}

#[test]
fn offline_can_stand_anywhere() {
    for line in ["--offline test", "test --offline"] {
        let words = std::iter::once("svsm").chain(line.split_whitespace());
        assert!(CommandLine::try_parse_from(words).is_ok_and(|line| line.offline), "{line}");
    }
}
