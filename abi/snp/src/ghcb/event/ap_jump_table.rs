//! Where the table of start addresses is.

/// What `SW_EXITINFO1` of `ExitCode::AP_JUMP_TABLE` asks for [GHCB 56421 2.04
/// §4.1, "AP Jump Table"]. The table itself belongs to firmware and guest; an
/// SNP guest finds its address in the secrets page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ApJumpTableAction {
    /// Keep the guest physical address in `SW_EXITINFO2`.
    Set = 0,
    /// Return the address in `SW_EXITINFO2`.
    Get = 1,
}

impl ApJumpTableAction {
    /// `SW_EXITINFO1`.
    #[must_use]
    pub const fn encode(self) -> u64 {
        self as u64
    }

    /// What `exit_info_1` asks for, `None` if there is no such action.
    #[must_use]
    pub const fn decode(exit_info_1: u64) -> Option<Self> {
        match exit_info_1 {
            0 => Some(Self::Set),
            1 => Some(Self::Get),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_survive_and_others_are_refused() {
        for (number, action) in [(0, ApJumpTableAction::Set), (1, ApJumpTableAction::Get)] {
            assert_eq!(action.encode(), number);
            assert_eq!(ApJumpTableAction::decode(number), Some(action));
        }
        assert_eq!(ApJumpTableAction::decode(2), None);
        assert_eq!(ApJumpTableAction::decode(1 << 32), None);
    }
}
