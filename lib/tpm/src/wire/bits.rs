//! Attributes.

use crate::wire::macros::attributes;

attributes! {
    /// TPMA_SESSION [Part 2 §8.4].
    SessionAttributes(u8) {
        /// The session stays open after the command.
        CONTINUE = 0x01;
        /// Only while no other command came between the audited ones.
        AUDIT_EXCLUSIVE = 0x02;
        /// Start the audit digest afresh.
        AUDIT_RESET = 0x04;
        /// The first parameter of the command is encrypted.
        DECRYPT = 0x20;
        /// The first parameter of the response is to be encrypted.
        ENCRYPT = 0x40;
        /// The command goes into the session's audit digest.
        AUDIT = 0x80;
    }

    /// TPMA_OBJECT [Part 2 §8.3].
    ObjectAttributes(u32) {
        FIXED_TPM = 1 << 1;
        ST_CLEAR = 1 << 2;
        FIXED_PARENT = 1 << 4;
        SENSITIVE_DATA_ORIGIN = 1 << 5;
        USER_WITH_AUTH = 1 << 6;
        ADMIN_WITH_POLICY = 1 << 7;
        NO_DA = 1 << 10;
        ENCRYPTED_DUPLICATION = 1 << 11;
        RESTRICTED = 1 << 16;
        DECRYPT = 1 << 17;
        SIGN = 1 << 18;
        X509_SIGN = 1 << 19;
    }

    /// TPMA_NV [Part 2 §13.4]; bits 4–7 hold the type.
    NvAttributes(u32) {
        PPWRITE = 1 << 0;
        OWNERWRITE = 1 << 1;
        AUTHWRITE = 1 << 2;
        POLICYWRITE = 1 << 3;
        TYPE = 0xF << 4;
        POLICY_DELETE = 1 << 10;
        WRITELOCKED = 1 << 11;
        WRITEALL = 1 << 12;
        WRITEDEFINE = 1 << 13;
        WRITE_STCLEAR = 1 << 14;
        GLOBALLOCK = 1 << 15;
        PPREAD = 1 << 16;
        OWNERREAD = 1 << 17;
        AUTHREAD = 1 << 18;
        POLICYREAD = 1 << 19;
        NO_DA = 1 << 25;
        ORDERLY = 1 << 26;
        CLEAR_STCLEAR = 1 << 27;
        READLOCKED = 1 << 28;
        WRITTEN = 1 << 29;
        PLATFORMCREATE = 1 << 30;
        READ_STCLEAR = 1 << 31;
    }

    /// TPMA_STARTUP_CLEAR [Part 2 §8.7].
    StartupClear(u32) {
        PLATFORM_ENABLED = 1 << 0;
        OWNER_ENABLED = 1 << 1;
        ENDORSEMENT_ENABLED = 1 << 2;
        PLATFORM_NV_ENABLED = 1 << 3;
        ORDERLY = 1 << 31;
    }

    /// TPMA_PERMANENT [Part 2 §8.6].
    Permanent(u32) {
        OWNER_AUTH_SET = 1 << 0;
        ENDORSEMENT_AUTH_SET = 1 << 1;
        LOCKOUT_AUTH_SET = 1 << 2;
        DISABLE_CLEAR = 1 << 8;
        IN_LOCKOUT = 1 << 9;
        TPM_GENERATED_EPS = 1 << 10;
    }
}
