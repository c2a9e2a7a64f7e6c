//! One macro for each audience.

/// Writes a message that the host may read, and so everybody:
/// `log_for_host!(Info, "{} processors", count)`.
#[macro_export]
macro_rules! log_for_host {
    ($level:ident, $($text:tt)+) => {
        $crate::LOG.write(
            $crate::Audience::Host,
            $crate::Level::$level,
            ::core::format_args!($($text)+),
        )
    };
}

/// Writes a message that the guest's owner may read, but not the host:
/// `log_for_tenant!(Info, "{} pages", count)`.
#[macro_export]
macro_rules! log_for_tenant {
    ($level:ident, $($text:tt)+) => {
        $crate::LOG.write(
            $crate::Audience::Tenant,
            $crate::Level::$level,
            ::core::format_args!($($text)+),
        )
    };
}

/// Writes a message that stays inside the module:
/// `log_for_nobody!(Trace, "woken by {source:?}")`.
#[macro_export]
macro_rules! log_for_nobody {
    ($level:ident, $($text:tt)+) => {
        $crate::LOG.write(
            $crate::Audience::Nobody,
            $crate::Level::$level,
            ::core::format_args!($($text)+),
        )
    };
}
