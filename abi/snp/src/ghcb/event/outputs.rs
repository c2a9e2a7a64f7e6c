//! A guest's check of an answer.

use crate::ghcb::event::exception::{RequestedException, RequestedExceptionError};
use crate::ghcb::event::outcome::{ExitOutcome, MalformedInput};
use crate::ghcb::save_area::SaveArea;
use crate::ghcb::valid_fields::ValidFields;

/// What an event returned. Whether the values are true is for the caller to
/// judge.
///
/// Fields that were not asked for are zero, whatever the hypervisor gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NaeOutputs {
    /// RAX.
    pub rax: u64,
    /// RBX.
    pub rbx: u64,
    /// RCX.
    pub rcx: u64,
    /// RDX.
    pub rdx: u64,
    /// `SW_EXITINFO2`.
    pub exit_info_2: u64,
}

/// Why an event did not return what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NaeError {
    /// The guest shall deliver an exception instead.
    #[error("hypervisor asks for {}", .0.vector())]
    Exception(RequestedException),
    /// The guest shall deliver an exception that it would not.
    #[error("hypervisor asks for an impossible exception: {0}")]
    ImpossibleException(#[source] RequestedExceptionError),
    /// The hypervisor says that the request was malformed.
    #[error("hypervisor refuses the request: {0}")]
    Refused(MalformedInput),
    /// `SW_EXITINFO1` is nothing that is defined.
    #[error("hypervisor answers with unknown SW_EXITINFO1 {0:#x}")]
    UnknownOutcome(u32),
    /// Fields that were asked for are not marked as valid.
    #[error("hypervisor does not return {0}")]
    Missing(ValidFields),
}

impl NaeOutputs {
    /// Checks `answer`, loaded after the exit, for an event that returns
    /// `asked`: any of RAX, RBX, RCX, RDX and `EXIT_INFO_2`. Bits 63:32 of
    /// `SW_EXITINFO1` do not count, as in Linux.
    ///
    /// Not every hypervisor clears the marks of the request, so an event that
    /// was not handled at all can look as if it had returned its inputs.
    ///
    /// # Errors
    ///
    /// The event did not take place, or did not return all of `asked`.
    pub fn check(answer: &SaveArea, asked: ValidFields) -> Result<Self, NaeError> {
        Self::check_with(answer, asked, || answer.exit_info_2)
    }

    /// The fields that are to be loaded for [`Self::check_with`].
    #[must_use]
    pub const fn looked_at(asked: ValidFields) -> ValidFields {
        asked.union(ValidFields::EXIT_INFO_1)
    }

    /// As [`Self::check`], of an answer of which only the fields
    /// [looked at](Self::looked_at) need be loaded. `detail` gives
    /// `EXIT_INFO_2`, if it is marked as valid; it is asked for only if the event
    /// did not take place.
    ///
    /// # Errors
    ///
    /// As above.
    // Where `asked` is known, few instructions are left of it.
    #[inline(always)]
    pub fn check_with(
        answer: &SaveArea,
        asked: ValidFields,
        detail: impl FnOnce() -> Option<u64>,
    ) -> Result<Self, NaeError> {
        let outcome = answer.exit_info_1.ok_or(NaeError::Missing(ValidFields::EXIT_INFO_1))?;
        if outcome as u32 != ExitOutcome::DONE {
            return Err(refusal(outcome as u32, detail()));
        }
        let absent = asked - answer.valid_fields();
        if !absent.is_empty() {
            return Err(NaeError::Missing(absent));
        }
        let take = |field, value: Option<u64>| value.filter(|_| asked.contains(field));
        Ok(Self {
            rax: take(ValidFields::RAX, answer.rax).unwrap_or(0),
            rbx: take(ValidFields::RBX, answer.rbx).unwrap_or(0),
            rcx: take(ValidFields::RCX, answer.rcx).unwrap_or(0),
            rdx: take(ValidFields::RDX, answer.rdx).unwrap_or(0),
            exit_info_2: take(ValidFields::EXIT_INFO_2, answer.exit_info_2).unwrap_or(0),
        })
    }
}

/// What an outcome says, other than that the event took place.
#[cold]
fn refusal(outcome: u32, detail: Option<u64>) -> NaeError {
    let missing = NaeError::Missing(ValidFields::EXIT_INFO_2);
    match (outcome, detail) {
        (ExitOutcome::EXCEPTION | ExitOutcome::MALFORMED_INPUT, None) => missing,
        (ExitOutcome::EXCEPTION, Some(detail)) => match RequestedException::decode(detail) {
            Ok(exception) => NaeError::Exception(exception),
            Err(error) => NaeError::ImpossibleException(error),
        },
        (ExitOutcome::MALFORMED_INPUT, Some(detail)) => NaeError::Refused(MalformedInput(detail)),
        (other, _) => NaeError::UnknownOutcome(other),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    const TSC: ValidFields = ValidFields::RAX.union(ValidFields::RDX);

    #[test]
    fn what_was_asked_for_is_taken_and_nothing_else() {
        let answer = SaveArea {
            rax: Some(1),
            rbx: Some(2),
            rcx: Some(3),
            rdx: Some(4),
            ..SaveArea::answer(0, 5)
        };
        let outputs = NaeOutputs { rax: 1, rdx: 4, ..NaeOutputs::default() };
        assert_eq!(NaeOutputs::check(&answer, TSC), Ok(outputs));
        let outputs = NaeOutputs { exit_info_2: 5, ..NaeOutputs::default() };
        assert_eq!(NaeOutputs::check(&answer, ValidFields::EXIT_INFO_2), Ok(outputs));
        assert_eq!(NaeOutputs::check(&answer, ValidFields::empty()), Ok(NaeOutputs::default()));
    }

    #[test]
    fn missing_fields_are_named() {
        let answer = SaveArea { rax: Some(1), ..SaveArea::answer(0, 0) };
        assert_eq!(
            NaeOutputs::check(&answer, TSC).unwrap_err().to_string(),
            "hypervisor does not return RDX"
        );
        for (answer, field) in [
            (SaveArea::default(), ValidFields::EXIT_INFO_1),
            (SaveArea { exit_info_2: None, ..SaveArea::answer(1, 0) }, ValidFields::EXIT_INFO_2),
            (SaveArea { exit_info_2: None, ..SaveArea::answer(2, 0) }, ValidFields::EXIT_INFO_2),
        ] {
            let error = NaeError::Missing(field);
            assert_eq!(NaeOutputs::check(&answer, ValidFields::empty()), Err(error));
        }
        let bare = SaveArea { exit_info_2: None, ..SaveArea::answer(0, 0) };
        assert_eq!(NaeOutputs::check(&bare, ValidFields::empty()), Ok(NaeOutputs::default()));
        let error = NaeError::Missing(ValidFields::EXIT_INFO_2);
        assert_eq!(NaeOutputs::check(&bare, ValidFields::EXIT_INFO_2), Err(error));
    }

    #[test]
    fn other_outcomes_are_told_before_any_output() {
        let check = |info_1, info_2| {
            let answer =
                SaveArea { rax: Some(1), rdx: Some(2), ..SaveArea::answer(info_1, info_2) };
            NaeOutputs::check(&answer, TSC)
        };
        let exception = RequestedException::GeneralProtection { error_code: 0 };
        assert_eq!(check(1, 0x8000_030d), Err(NaeError::Exception(exception)));
        assert!(matches!(check(1, 0x8000_030e), Err(NaeError::ImpossibleException(_))));
        assert_eq!(check(2, 6), Err(NaeError::Refused(MalformedInput::INVALID_EVENT)));
        assert_eq!(check(3, 0), Err(NaeError::UnknownOutcome(3)));
        assert!(check(0xffff_ffff_0000_0000, 0).is_ok());
    }

    proptest! {
        #[test]
        fn outcomes_come_back(done in any::<u64>(), error_code in any::<u32>(), reason: u64) {
            let check = |outcome: ExitOutcome| {
                NaeOutputs::check(&outcome.answer(), ValidFields::EXIT_INFO_2)
            };
            let outputs = NaeOutputs { exit_info_2: done, ..NaeOutputs::default() };
            prop_assert_eq!(check(ExitOutcome::Done(done)), Ok(outputs));
            let exception = RequestedException::GeneralProtection { error_code };
            prop_assert_eq!(
                check(ExitOutcome::Exception(exception)),
                Err(NaeError::Exception(exception))
            );
            let reason = MalformedInput(reason);
            prop_assert_eq!(
                check(ExitOutcome::MalformedInput(reason)),
                Err(NaeError::Refused(reason))
            );
        }

        #[test]
        fn fields_that_are_not_looked_at_change_nothing(
            info_1 in proptest::option::of(0..4_u64),
            info_2 in any::<Option<u64>>(),
            registers in any::<[Option<u64>; 4]>(),
            asked in any::<u128>(),
        ) {
            const RETURNED: ValidFields = ValidFields::RAX
                .union(ValidFields::RBX)
                .union(ValidFields::RCX)
                .union(ValidFields::RDX)
                .union(ValidFields::EXIT_INFO_2);
            let asked = ValidFields::from_bits_truncate(asked) & RETURNED;
            let [rax, rbx, rcx, rdx] = registers;
            let (exit_info_1, exit_info_2) = (info_1, info_2);
            let all = SaveArea {
                rax, rbx, rcx, rdx, exit_info_1, exit_info_2, ..SaveArea::default()
            };
            let mut words = std::collections::BTreeMap::new();
            all.store(|offset, value| {
                words.insert(offset, value);
            });
            let some = SaveArea::load_fields(NaeOutputs::looked_at(asked), |offset| words[&offset]);
            let checked = NaeOutputs::check_with(&some, asked, || all.exit_info_2);
            prop_assert_eq!(checked, NaeOutputs::check(&all, asked));
        }

        #[test]
        fn any_two_words_are_judged(info_1 in any::<u64>(), info_2 in any::<u64>()) {
            let answer = SaveArea::answer(info_1, info_2);
            let good = NaeOutputs::check(&answer, ValidFields::empty()).is_ok();
            prop_assert_eq!(good, info_1 as u32 == 0);
        }
    }
}
