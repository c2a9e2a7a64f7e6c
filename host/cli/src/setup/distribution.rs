//! Which Linux distribution this is, from `os-release`.

/// The distribution, as far as installing software differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Distribution {
    /// Its name for people.
    pub(crate) name: String,
    /// `debian`, `ubuntu`, `fedora`, `arch`, …, with those it descends from.
    lineage: Vec<String>,
    /// Release name such as `bookworm`.
    pub(crate) codename: String,
}

/// Families that install software in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Debian,
    Fedora,
    Arch,
    Other,
}

impl Distribution {
    /// Reads `/etc/os-release`, or `/usr/lib/os-release` where that is missing
    /// [os-release(5)].
    pub(crate) fn detect() -> Self {
        let read = |file: &str| std::fs::read_to_string(file).ok();
        let text = read("/etc/os-release").or_else(|| read("/usr/lib/os-release"));
        Self::parse(&text.unwrap_or_default())
    }

    pub(crate) fn parse(text: &str) -> Self {
        let value = |wanted: &str| {
            let field = text.lines().filter_map(|line| line.trim().split_once('='));
            let mut found = field.filter(|(key, _)| *key == wanted);
            found.next_back().map(|(_, value)| unquoted(value)).unwrap_or_default()
        };
        let mut lineage = vec![value("ID")];
        lineage.extend(value("ID_LIKE").split_whitespace().map(str::to_owned));
        Self { name: value("PRETTY_NAME"), lineage, codename: value("VERSION_CODENAME") }
    }

    /// The family, by the closest known ancestor.
    pub(crate) fn family(&self) -> Family {
        let known = self.lineage.iter().find_map(|id| match id.as_str() {
            "debian" | "ubuntu" => Some(Family::Debian),
            "fedora" | "rhel" | "centos" => Some(Family::Fedora),
            "arch" => Some(Family::Arch),
            _ => None,
        });
        known.unwrap_or(Family::Other)
    }

    /// Whether this is Debian itself, not a descendant with archives of its
    /// own.
    pub(crate) fn is_debian(&self) -> bool {
        self.lineage.first().is_some_and(|id| id == "debian")
    }
}

/// Values may stand in single or double quotes.
fn unquoted(value: &str) -> String {
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(value).to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Distribution, Family};

    #[test]
    fn debian() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        let found = Distribution::parse(text);
        assert_eq!((found.family(), found.codename.as_str()), (Family::Debian, "bookworm"));
        assert!(found.is_debian());
        assert_eq!(found.name, "Debian GNU/Linux 12 (bookworm)");
    }

    #[test]
    fn ubuntu_is_like_debian_but_is_not() {
        let found = Distribution::parse("ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n");
        assert_eq!(found.family(), Family::Debian);
        assert!(!found.is_debian());
    }

    #[test]
    fn descendants_are_known_by_their_ancestors() {
        let family = |text| Distribution::parse(text).family();
        assert_eq!(family("ID=linuxmint\nID_LIKE='ubuntu debian'"), Family::Debian);
        assert_eq!(family("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\""), Family::Fedora);
        assert_eq!(family("ID=fedora"), Family::Fedora);
        assert_eq!(family("ID=manjaro\nID_LIKE=arch"), Family::Arch);
        assert_eq!(family("ID=nixos"), Family::Other);
    }

    #[test]
    fn rubbish_is_another_family() {
        assert_eq!(Distribution::parse("").family(), Family::Other);
        assert_eq!(Distribution::parse("no equals sign\n=\nID=\n\u{0}").family(), Family::Other);
    }
}
