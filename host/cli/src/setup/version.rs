//! Versions of programs and Debian packages.

use std::fmt;
use std::str::FromStr;

/// Three numbers that order as one expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    pub(crate) const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// The first word of `text` that is a version, as programs print it:
    /// `QEMU emulator version 10.0.2 (Debian …)`, `mdbook v0.5.4`.
    pub(crate) fn first_in(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(|word| word.strip_prefix('v').unwrap_or(word).parse().ok())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The text is not `major.minor` or `major.minor.patch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAVersion;

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads `major.minor` or `major.minor.patch`, all decimal.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let mut numbers = text.split('.').map(|number| {
            let decimal = number.bytes().all(|byte| byte.is_ascii_digit());
            number.parse().ok().filter(|_| decimal).ok_or(NotAVersion)
        });
        let major = numbers.next().ok_or(NotAVersion)??;
        let minor = numbers.next().ok_or(NotAVersion)??;
        let patch = numbers.next().unwrap_or(Ok(0))?;
        match numbers.next() {
            None => Ok(Self { major, minor, patch }),
            Some(_) => Err(NotAVersion),
        }
    }
}

/// The part of a Debian package version that upstream gave: without epoch,
/// Debian's revision and what follows a `+` (repacked sources, rebuilds)
/// [Debian Policy 4.7 §5.6.12].
pub(crate) fn upstream(debian_version: &str) -> &str {
    let without_epoch = debian_version.split_once(':').map_or(debian_version, |(_, rest)| rest);
    let without_revision =
        without_epoch.rsplit_once('-').map_or(without_epoch, |(version, _)| version);
    without_revision.split(['+', '~']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Version, upstream};

    #[test]
    fn programs() {
        let of = Version::first_in;
        let qemu = "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1~bpo12+1)\nCopyright";
        assert_eq!(of(qemu), Some(Version::new(10, 0, 2)));
        assert_eq!(of("mdbook v0.5.4"), Some(Version::new(0, 5, 4)));
        assert_eq!(of("cargo-deny 0.20.2\n"), Some(Version::new(0, 20, 2)));
        assert_eq!(of("QEMU emulator version 7.2"), Some(Version::new(7, 2, 0)));
        assert_eq!(of("no version here"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn what_is_no_version() {
        for text in ["7", "1.2.3.4", "1.+2", "1..2", "-1.2", "99999999999.1", "1.2.x", ""] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn order_is_numeric() {
        assert!(Version::new(10, 0, 2) > Version::new(7, 2, 0));
        assert!(Version::new(7, 2, 0) <= Version::new(7, 2, 19));
    }

    #[test]
    fn debian_versions() {
        assert_eq!(upstream("1.95.0+dfsg1-2~bpo13+1"), "1.95.0");
        assert_eq!(upstream("1:10.0.2+ds-2+deb13u1~bpo12+1"), "10.0.2");
        assert_eq!(upstream("2022.11-6+deb12u2"), "2022.11");
        assert_eq!(upstream("1.95.0~beta.4+dfsg1-1"), "1.95.0");
        assert_eq!(upstream(""), "");
    }
}
