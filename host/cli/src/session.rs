//! What holds for a whole call of the program.

use crate::terminal::Terminal;

/// Whom to talk to, and whether the network may be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    pub(crate) terminal: Terminal,
    pub(crate) network: Network,
}

/// Whether the network may be used, by this program and those it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// What is missing may be fetched.
    Allowed,
    /// What is missing is an error.
    Forbidden,
}

impl Network {
    /// What the variable `CARGO_NET_OFFLINE` says, which cargo itself follows.
    pub(crate) fn as_for_cargo(cargo_net_offline: Option<&str>) -> Self {
        if cargo_net_offline == Some("true") { Self::Forbidden } else { Self::Allowed }
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn cargo_s_variable_counts() {
        assert_eq!(Network::as_for_cargo(None), Network::Allowed);
        assert_eq!(Network::as_for_cargo(Some("false")), Network::Allowed);
        assert_eq!(Network::as_for_cargo(Some("true")), Network::Forbidden);
    }
}
