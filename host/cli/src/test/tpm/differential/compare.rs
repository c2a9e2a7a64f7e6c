//! What has to be the same in two responses.

use svsm_tpm::message::{Response, take_sized};

/// What has to be the same. The response code always has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    /// Every byte.
    Exact,
    /// Nothing else: the rest is random or a matter of time.
    Code,
    /// The handle that the response begins with.
    Handle,
    /// The first parameter, bytes behind their length.
    First,
    /// Everything behind the first four bytes of the parameters, a counter.
    AfterCounter,
    /// The response's length.
    Length,
}

/// Whether two responses agree.
pub(super) fn agree(compare: Compare, one: &[u8], two: &[u8]) -> bool {
    let (Some(first), Some(second)) = (Response::parse(one), Response::parse(two)) else {
        return false;
    };
    if first.code != second.code {
        return false;
    }
    if first.code != 0 {
        return one == two;
    }
    match compare {
        Compare::Exact => one == two,
        Compare::Code => true,
        Compare::Handle => first.handle() == second.handle(),
        Compare::AfterCounter => {
            let rest = |response: &Response<'_>| {
                response.parameters().and_then(|all| all.get(4..)).map(<[u8]>::to_vec)
            };
            rest(&first).is_some() && rest(&first) == rest(&second)
        }
        Compare::Length => one.len() == two.len(),
        Compare::First => {
            let content = |response: &Response<'_>| {
                let mut parameters = response.parameters()?;
                take_sized(&mut parameters).map(<[u8]>::to_vec)
            };
            content(&first).is_some() && content(&first) == content(&second)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Compare, agree};

    const ONE: [u8; 15] = [0x80, 1, 0, 0, 0, 15, 0, 0, 0, 0, 0, 1, 7, 9, 9];

    #[test]
    fn what_differs_is_seen() {
        let mut two = ONE;
        two[14] = 8;
        assert!(agree(Compare::Exact, &ONE, &ONE) && !agree(Compare::Exact, &ONE, &two));
        assert!(agree(Compare::First, &ONE, &two));
        two[12] = 8;
        assert!(!agree(Compare::First, &ONE, &two));
        assert!(!agree(Compare::Handle, &ONE, &two));
        assert!(agree(Compare::Length, &ONE, &two) && agree(Compare::Code, &ONE, &two));
        two[9] = 1;
        assert!(!agree(Compare::Code, &ONE, &two));
        assert!(!agree(Compare::Code, &ONE, &ONE[..14]));
    }
}
