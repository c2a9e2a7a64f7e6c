//! Marks for whoever measures from outside.

use crate::platform::current as platform;

/// Sets a mark: the platform simulator counts the instructions between marks
/// (`svsm bench kernel`). It costs one request to the host, for whom it means
/// nothing elsewhere. Does nothing on a platform where nobody counts.
pub fn mark(number: u8) {
    platform().mark(number);
}
