//! What is known of single scripts of tpm2-tools 5.4: which fail and why. All
//! others have to pass.

use anyhow::{Result, bail};

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Passed,
    /// It found that it cannot run here.
    Skipped,
    Failed,
}

impl Ending {
    /// The meaning of the code that a shell ended with, if it was not killed:
    /// 77 is what automake's tests skip themselves with.
    pub(super) const fn of(code: Option<i32>) -> Self {
        match code {
            Some(0) => Self::Passed,
            Some(77) => Self::Skipped,
            _ => Self::Failed,
        }
    }
}

/// What an ending is worth, if it is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    /// It failed as it is known to, for this reason.
    Known(&'static str),
}

/// Something that is known of a script.
struct Known {
    script: &'static str,
    kind: Kind,
    reason: &'static str,
}

enum Kind {
    /// It fails and says this.
    Fails(&'static str),
    /// It is not played.
    IsLeftOut,
}

const KNOWN: [Known; 6] = [
    Known {
        script: "abrmd_policycphash",
        kind: Kind::Fails("ERROR: Specify single value for NV Index"),
        reason: "takes the only NV index that it finds for its own; here are certificates besides",
    },
    Known {
        script: "abrmd_policynv",
        kind: Kind::Fails("ERROR: Esys_PolicyNV(0x126)"),
        reason: "expects -127 > -126, as libtpms compares signed numbers; they are of two's \
                 complement [TPM 2.0 Part 2 §6.8, TPM_EO], and later versions of the script agree",
    },
    Known { script: "eventlog", kind: Kind::IsLeftOut, reason: NO_TPM },
    Known {
        script: "getekcertificate",
        kind: Kind::IsLeftOut,
        reason: "asks a server of Intel's for a certificate of an Intel TPM",
    },
    Known { script: "rc_decode", kind: Kind::IsLeftOut, reason: NO_TPM },
    Known { script: "toggle_options", kind: Kind::IsLeftOut, reason: NO_TPM },
];

const NO_TPM: &str = "tests the tools alone, and asks a TPM nothing";

fn known(script: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.script == script)
}

/// Why a script is not played, if so.
pub(super) fn left_out(script: &str) -> Option<&'static str> {
    known(script).filter(|known| matches!(known.kind, Kind::IsLeftOut)).map(|known| known.reason)
}

/// What is known of scripts that are not there, with reasons.
pub(super) fn stale(scripts: &[String]) -> Vec<(&'static str, &'static str)> {
    let gone = |known: &&Known| !scripts.iter().any(|script| script == known.script);
    KNOWN.iter().filter(gone).map(|known| (known.script, known.reason)).collect()
}

/// Compares a script's ending, and what it said, with what is known of it.
///
/// # Errors
///
/// It is not as it should be: it failed, or skipped itself; or it is known to
/// fail, and passed or failed otherwise.
pub(super) fn judge(script: &str, ending: Ending, output: &str) -> Result<Verdict> {
    let known = known(script).and_then(|known| match known.kind {
        Kind::Fails(says) => Some((says, known.reason)),
        Kind::IsLeftOut => None,
    });
    match (ending, known) {
        (Ending::Passed, None) => Ok(Verdict::Passed),
        (Ending::Failed, None) => bail!("the script failed"),
        (Ending::Failed, Some((says, reason))) if output.contains(says) => {
            Ok(Verdict::Known(reason))
        }
        (Ending::Failed, Some((says, reason))) => {
            bail!("it is known to fail ({reason}), but did not say `{says}`")
        }
        (Ending::Passed, Some((_, reason))) => bail!("it passed, and is known to fail: {reason}"),
        (Ending::Skipped, _) => bail!("the script skipped itself"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ending, KNOWN, Verdict, judge, left_out, stale};

    fn complaint(script: &str, ending: Ending, output: &str) -> String {
        judge(script, ending, output).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn codes_have_the_meaning_of_automake() {
        assert_eq!(Ending::of(Some(0)), Ending::Passed);
        assert_eq!(Ending::of(Some(77)), Ending::Skipped);
        assert_eq!(Ending::of(Some(1)), Ending::Failed);
        assert_eq!(Ending::of(None), Ending::Failed);
    }

    #[test]
    fn others_have_to_pass() {
        assert!(matches!(judge("sign", Ending::Passed, ""), Ok(Verdict::Passed)));
        assert_eq!(complaint("sign", Ending::Failed, ""), "the script failed");
        assert_eq!(complaint("sign", Ending::Skipped, ""), "the script skipped itself");
    }

    #[test]
    fn who_is_known_to_fail_has_to_fail_in_that_way() {
        let (script, said) = ("abrmd_policynv", "ERROR: Esys_PolicyNV(0x126) - it failed");
        assert!(matches!(judge(script, Ending::Failed, said), Ok(Verdict::Known(_))));
        assert!(complaint(script, Ending::Failed, "ERROR").contains("did not say"));
        assert!(complaint(script, Ending::Passed, said).contains("it passed"));
        assert!(complaint(script, Ending::Skipped, said).contains("skipped"));
    }

    #[test]
    fn what_is_known_is_of_scripts_that_are_there() {
        let all: Vec<String> = KNOWN.iter().map(|known| known.script.to_owned()).collect();
        assert!(all.is_sorted() && stale(&all).is_empty());
        assert_eq!(stale(&all[1..]).len(), 1);
        assert!(left_out("getekcertificate").is_some() && left_out("create").is_none());
    }
}
