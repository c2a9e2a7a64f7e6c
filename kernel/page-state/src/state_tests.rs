//! Which changes there are.

use super::state::{GuestLevel, Owner, PageState};

#[test]
fn codes_name_states() {
    for (code, state) in (0..).zip(PageState::ALL) {
        assert_eq!((state.code(), PageState::of_code(code)), (code, state));
    }
}

#[test]
fn changes_that_would_be_wrong_are_none() {
    let module = PageState::Validated(Owner::Module);
    let guest = PageState::Validated(Owner::Guest(GuestLevel::Two));
    for state in PageState::ALL {
        assert!(!state.can_become(state));
        assert!(!state.can_become(PageState::Absent));
        assert!(!PageState::Absent.can_become(state));
        let private = matches!(state, PageState::Validated(_));
        assert_eq!(state.can_become(PageState::SaveArea), private);
        assert_eq!(PageState::SaveArea.can_become(state), private);
    }
    for [one, other] in [
        [PageState::Shared, PageState::Unvalidated],
        [PageState::Shared, module],
        [PageState::Unvalidated, guest],
        [module, guest],
    ] {
        assert!(one.can_become(other) && other.can_become(one));
    }
}
