//! Response codes (TPM_RC).
//!
//! A code of format one can name what it is about: the handle, parameter or
//! session by its number, counted from one [TPM 2.0 Part 1 §39.4, Part 2 §6.6].
//! Code that finds an error knows what is wrong; whoever called it knows the
//! position and adds it.

use core::fmt;

/// What a command ended with. Zero is success; this type holds any value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResponseCode(pub u32);

const FORMAT_ONE: u32 = 0x080;
const PARAMETER: u32 = 0x040;
const SESSION: u32 = 0x800;
const NUMBER: u32 = 0xF00;

impl ResponseCode {
    /// The same error, said of parameter `number` (from one). Codes that have a
    /// position already, or that cannot have one, stay as they are.
    #[must_use]
    pub const fn parameter(self, number: u32) -> Self {
        self.positioned(PARAMETER | (number << 8))
    }

    /// The same error, said of handle `number` (from one).
    #[must_use]
    pub const fn handle(self, number: u32) -> Self {
        self.positioned(number << 8)
    }

    /// The same error, said of session `number` (from one).
    #[must_use]
    pub const fn session(self, number: u32) -> Self {
        self.positioned(SESSION | (number << 8))
    }

    const fn positioned(self, position: u32) -> Self {
        if self.0 & FORMAT_ONE == 0 || self.0 & (PARAMETER | NUMBER) != 0 {
            return self;
        }
        Self(self.0 | position)
    }
}

impl fmt::Debug for ResponseCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare =
            if self.0 & FORMAT_ONE != 0 { Self(self.0 & !(PARAMETER | NUMBER)) } else { *self };
        match NAMES.iter().find(|(code, _)| *code == bare) {
            Some((_, name)) => out.write_str(name)?,
            None => write!(out, "{:#05x}", bare.0)?,
        }
        if self.0 & FORMAT_ONE != 0 && self.0 & (PARAMETER | NUMBER) != 0 {
            let number = (self.0 & NUMBER) >> 8;
            if self.0 & PARAMETER != 0 {
                write!(out, " (parameter {number})")?;
            } else if number & 8 != 0 {
                write!(out, " (session {})", number & 7)?;
            } else {
                write!(out, " (handle {number})")?;
            }
        }
        Ok(())
    }
}

macro_rules! response_codes {
    ($($name:ident = $value:literal, $says:literal;)*) => {
        impl ResponseCode {
            $(#[doc = concat!("TPM_RC_", stringify!($name), ": ", $says, ".")]
            pub const $name: Self = Self($value);)*
        }
        const NAMES: &[(ResponseCode, &str)] =
            &[$((ResponseCode::$name, stringify!($name))),*];
    };
}

response_codes! {
    SUCCESS = 0x000, "done";
    BAD_TAG = 0x01E, "the tag of the command header is none";
    INITIALIZE = 0x100, "not started, or started already";
    FAILURE = 0x101, "the device has failed and answers little";
    SEQUENCE = 0x103, "improper use of a sequence handle";
    DISABLED = 0x120, "the command is disabled";
    EXCLUSIVE = 0x121, "the audit session is no longer exclusive";
    AUTH_TYPE = 0x124, "the kind of authorization does not fit the entity";
    AUTH_MISSING = 0x125, "a handle needs an authorization that is not there";
    POLICY = 0x126, "the policy does not allow it, or cannot be set";
    PCR = 0x127, "check of a PCR failed";
    PCR_CHANGED = 0x128, "a PCR changed since the policy looked at it";
    UPGRADE = 0x12D, "field upgrade is under way";
    TOO_MANY_CONTEXTS = 0x12E, "the context counter is at its end";
    AUTH_UNAVAILABLE = 0x12F, "the authorization value or policy cannot be used";
    REBOOT = 0x130, "a start with cleared state is needed";
    UNBALANCED = 0x131, "the digests of hash and name do not match";
    COMMAND_SIZE = 0x142, "the size in the header is not that of the command";
    COMMAND_CODE = 0x143, "no such command";
    AUTHSIZE = 0x144, "the authorization area has a wrong size";
    AUTH_CONTEXT = 0x145, "this command takes no sessions";
    NV_RANGE = 0x146, "offset and size leave the NV index";
    NV_SIZE = 0x147, "the size is not one that an NV index can have";
    NV_LOCKED = 0x148, "the NV index is locked";
    NV_AUTHORIZATION = 0x149, "not an authorization for this NV index";
    NV_UNINITIALIZED = 0x14A, "the NV index was never written";
    NV_SPACE = 0x14B, "no room left for NV";
    NV_DEFINED = 0x14C, "there is such an NV index or object already";
    BAD_CONTEXT = 0x150, "the context cannot be loaded";
    CPHASH = 0x151, "the policy is bound to something else already";
    PARENT = 0x152, "the handle is no parent";
    NEEDS_TEST = 0x153, "an algorithm needs a test first";
    NO_RESULT = 0x154, "the computation has no result";
    SENSITIVE = 0x155, "the sensitive area is malformed";
    ASYMMETRIC = 0x081, "asymmetric algorithm not supported or not right";
    ATTRIBUTES = 0x082, "attributes are inconsistent";
    HASH = 0x083, "hash algorithm not supported or not right";
    VALUE = 0x084, "value out of range, or not right here";
    HIERARCHY = 0x085, "the hierarchy is disabled or not right";
    KEY_SIZE = 0x087, "key size not supported";
    MGF = 0x088, "mask generation function not supported";
    MODE = 0x089, "mode of operation not supported";
    TYPE = 0x08A, "the type of the value is not right";
    HANDLE = 0x08B, "the handle is not right";
    KDF = 0x08C, "key derivation function not supported";
    RANGE = 0x08D, "value out of the allowed range";
    AUTH_FAIL = 0x08E, "authorization failed; counted against guessing";
    NONCE = 0x08F, "nonce size or value not right";
    PP = 0x090, "physical presence is needed";
    SCHEME = 0x092, "scheme not supported or not right";
    SIZE = 0x095, "wrong size";
    SYMMETRIC = 0x096, "symmetric algorithm not supported or not right";
    TAG = 0x097, "wrong structure tag";
    SELECTOR = 0x098, "union selector not right";
    INSUFFICIENT = 0x09A, "bytes end before the value does";
    SIGNATURE = 0x09B, "the signature is not valid";
    KEY = 0x09C, "the key does not fit";
    POLICY_FAIL = 0x09D, "a policy check failed";
    INTEGRITY = 0x09F, "integrity check failed";
    TICKET = 0x0A0, "the ticket is not valid";
    RESERVED_BITS = 0x0A1, "reserved bits are set";
    BAD_AUTH = 0x0A2, "authorization failed; not counted";
    EXPIRED = 0x0A3, "the policy has expired";
    POLICY_CC = 0x0A4, "the policy is for another command";
    BINDING = 0x0A5, "public and sensitive parts do not belong together";
    CURVE = 0x0A6, "curve not supported";
    ECC_POINT = 0x0A7, "the point is not on the curve";
    CONTEXT_GAP = 0x901, "a saved session is too old for another to be saved";
    OBJECT_MEMORY = 0x902, "no room for another object";
    SESSION_MEMORY = 0x903, "no room for another session";
    MEMORY = 0x904, "out of memory";
    SESSION_HANDLES = 0x905, "no session handle left";
    OBJECT_HANDLES = 0x906, "no object handle left";
    LOCALITY = 0x907, "not from this locality";
    CANCELED = 0x909, "canceled";
    REFERENCE_H0 = 0x910, "handle 1 names nothing that is loaded";
    REFERENCE_S0 = 0x918, "session 1 names nothing that is loaded";
    NV_RATE = 0x920, "NV is written too often";
    LOCKOUT = 0x921, "locked against guessing";
    RETRY = 0x922, "send the command again";
    NV_UNAVAILABLE = 0x923, "NV cannot be written now";
}

impl ResponseCode {
    /// TPM_RC_REFERENCE_H0 and following, for handle `number` from one.
    #[must_use]
    pub const fn reference_handle(number: u32) -> Self {
        Self(Self::REFERENCE_H0.0 + number - 1)
    }

    /// TPM_RC_REFERENCE_S0 and following, for session `number` from one.
    #[must_use]
    pub const fn reference_session(number: u32) -> Self {
        Self(Self::REFERENCE_S0.0 + number - 1)
    }
}
