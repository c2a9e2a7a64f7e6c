//! The numbers of messages: which come next, and when there are none left.

/// The numbers of a request and of its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) request: u64,
    pub(crate) response: u64,
}

/// How many messages of a key have gone through, requests and responses alike:
/// an even number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counter(u64);

impl Counter {
    /// Before the first message.
    pub(crate) const START: Self = Self(0);

    /// The next numbers, `None` if the response could have none.
    pub(crate) const fn next(self) -> Option<Exchange> {
        match (self.0.checked_add(1), self.0.checked_add(2)) {
            (Some(request), Some(response)) => Some(Exchange { request, response }),
            _ => None,
        }
    }

    /// Counts the messages of `exchange`, which came from [`Self::next`].
    pub(crate) const fn advance(&mut self, exchange: Exchange) {
        self.0 = exchange.response;
    }

    /// Before the last exchange that there are numbers for.
    #[cfg(test)]
    pub(crate) const ALMOST_EXHAUSTED: Self = Self(u64::MAX - 3);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_odd_and_responses_follow() {
        let mut counter = Counter::START;
        for (request, response) in [(1, 2), (3, 4), (5, 6)] {
            let next = counter.next().unwrap();
            assert_eq!(next, Exchange { request, response });
            assert_eq!(counter.next(), Some(next));
            counter.advance(next);
        }
    }

    #[test]
    fn the_last_number_is_not_passed() {
        let mut counter = Counter::ALMOST_EXHAUSTED;
        let last = counter.next().unwrap();
        assert_eq!(last, Exchange { request: u64::MAX - 2, response: u64::MAX - 1 });
        counter.advance(last);
        assert_eq!(counter.next(), None);
    }
}
