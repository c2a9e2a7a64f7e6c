//! The command line.

use clap::{Parser, Subcommand};

use crate::{bench, build, check, clean, doc, endorsement, fuzz, image, run, setup, test, tpm};

/// What a person can type.
#[derive(Debug, Parser)]
#[command(
    name = "svsm",
    bin_name = "cargo svsm",
    version,
    about = "Builds, measures, runs and tests the Secure VM Service Module",
    disable_help_subcommand = true,
    after_help = "\
Examples:
  cargo svsm setup --dry-run                  what is needed, and what is there
  cargo svsm build                            the image, in target/svsm/release
  cargo svsm image measure target/svsm/release/svsm.igvm
  cargo svsm run                              a guest below the module, simulated
  cargo svsm test                             everything that must pass

Each command provides what it needs by itself, in ~/.cache/svsm (or SVSM_CACHE,
or XDG_CACHE_HOME/svsm).

Exit codes: 0 all is well; 1 what was asked for failed or was found wrong;
2 the command line is wrong.

NO_COLOR, CLICOLOR, TERM=dumb and CI=true make the output plain."
)]
pub(crate) struct CommandLine {
    /// Use no network, as with CARGO_NET_OFFLINE=true: what is missing is an error
    #[arg(long, global = true)]
    pub(crate) offline: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find or provide what the other commands need
    Setup(setup::Arguments),
    /// Build an image from a manifest
    Build(build::Arguments),
    /// Inspect, measure, compare and sign IGVM files
    #[command(subcommand)]
    Image(image::Arguments),
    /// Run a guest in the platform simulator
    Run(Box<run::Arguments>),
    /// Export the simulated processor's certificates, verify attestation reports
    #[command(subcommand)]
    Endorsement(endorsement::Arguments),
    /// Serve the TPM 2.0 device without a module
    #[command(subcommand)]
    Tpm(tpm::Arguments),
    /// Check the source: style, lints, documentation, rules of the tree
    Check(check::Arguments),
    /// Run all checks and tests, fast to slow
    Test(test::Arguments),
    /// Measure, and compare with what others do
    #[command(subcommand)]
    Bench(bench::Arguments),
    /// Run fuzz targets
    Fuzz(fuzz::Arguments),
    /// Make the book and the API documentation
    Doc(doc::Arguments),
    /// Delete what the other commands have made
    Clean(clean::Arguments),
}

#[cfg(test)]
mod tests;
