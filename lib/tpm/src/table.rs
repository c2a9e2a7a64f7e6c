//! The command table: one row for each command.
//!
//! From here come dispatch, the checks of handles and sessions, the answer to
//! `TPM2_GetCapability` and the list in the documentation. A row says: code,
//! name, handler, what the command may do, and its handles in order. A handle
//! with a role needs an authorization in that role [Part 1 §19.4, Part 2 §8.9].

use crate::response_code::ResponseCode;
use crate::state::object::MAX_LOADED_OBJECTS;
use crate::state::session_slots::MAX_ACTIVE;
use crate::wire::handle::{
    ENDORSEMENT, FIRST_TIMER, HandleType, LAST_TIMER, LOCKOUT, NULL, OWNER, PLATFORM,
    VENDOR_ENTITIES,
};

/// One row, without its handler.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    pub(crate) code: u32,
    pub(crate) name: &'static str,
    pub(crate) traits: Traits,
    pub(crate) handles: &'static [HandleRow],
    /// The module and function that carry it out.
    pub(crate) source: &'static str,
}

/// One handle of a command.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandleRow {
    pub(crate) role: Role,
    pub(crate) kind: HandleKind,
}

/// How a handle is authorized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Not at all.
    None,
    /// By its user.
    User,
    /// By its administrator: NV indices only by policy.
    Admin,
    /// To be duplicated: only by policy.
    Duplicate,
}

bitflags::bitflags! {
    /// What a command may do.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Traits: u16 {
        /// May write what is persistent (TPMA_CC nv).
        const NV = 1 << 0;
        /// May flush any number of contexts (TPMA_CC extensive).
        const EXTENSIVE = 1 << 1;
        /// Flushes its handle (TPMA_CC flushed).
        const FLUSHED = 1 << 2;
        /// Answers with a handle (TPMA_CC rHandle).
        const HANDLE = 1 << 3;
        /// Takes no sessions.
        const NO_SESSIONS = 1 << 4;
        /// The first parameter can be encrypted.
        const DECRYPT = 1 << 5;
        /// The first parameter of the response can be encrypted.
        const ENCRYPT = 1 << 6;
        /// Writes or locks an NV index: the write attributes count.
        const NV_WRITE = 1 << 7;
        /// Allowed before `TPM2_Startup`, and again only before it.
        const STARTUP = 1 << 8;
        /// Answered in failure mode.
        const IN_FAILURE = 1 << 9;
        /// `TPM2_PP_Commands` can make it need presence.
        const PRESENCE = 1 << 10;
    }
}

/// What a handle may be, by its number alone (TPMI_DH, TPMI_RH, TPMI_SH).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandleKind {
    Pcr,
    PcrOrNull,
    Object,
    ObjectOrNull,
    Entity,
    EntityOrNull,
    PolicySession,
    HmacSession,
    /// What a context can be saved of.
    Context,
    /// A hierarchy or a parent.
    Parent,
    NvIndex,
    NvAuthorization,
    Hierarchy,
    HierarchyOrNull,
    Endorsement,
    HierarchyAuthorization,
    HierarchyPolicy,
    Provision,
    Platform,
    Lockout,
    ClearAuthorization,
    /// An authenticated countdown timer.
    Timer,
}

impl HandleKind {
    /// Whether a handle with this number may stand here.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::VALUE`] if not.
    pub(crate) fn check(self, handle: u32) -> Result<(), ResponseCode> {
        let kind = HandleType::of(handle);
        let pcr = kind == Some(HandleType::Pcr) && handle < crate::wire::pcr::PCR_COUNT;
        // Handles that are never given out are no handles.
        let number = handle & 0x00FF_FFFF;
        let transient = kind == Some(HandleType::Transient) && number < MAX_LOADED_OBJECTS;
        let object = transient || kind == Some(HandleType::Persistent);
        let session = number < MAX_ACTIVE;
        let nv = kind == Some(HandleType::NvIndex);
        // Those of vendors are entities too, of which there are none.
        let entity = pcr
            || object
            || nv
            || matches!(handle, OWNER | ENDORSEMENT | PLATFORM | LOCKOUT)
            || VENDOR_ENTITIES.contains(&handle);
        let allowed = match self {
            Self::Pcr => pcr,
            Self::PcrOrNull => pcr || handle == NULL,
            Self::Object => object,
            Self::ObjectOrNull => object || handle == NULL,
            Self::Entity => entity,
            Self::EntityOrNull => entity || handle == NULL,
            Self::PolicySession => session && kind == Some(HandleType::PolicySession),
            Self::HmacSession => session && kind == Some(HandleType::HmacSession),
            Self::Context => {
                let sessions = [HandleType::HmacSession, HandleType::PolicySession].map(Some);
                transient || (session && sessions.contains(&kind))
            }
            Self::Parent => object || matches!(handle, OWNER | ENDORSEMENT | PLATFORM | NULL),
            Self::NvIndex => nv,
            Self::NvAuthorization => nv || matches!(handle, OWNER | PLATFORM),
            Self::Hierarchy => matches!(handle, OWNER | ENDORSEMENT | PLATFORM),
            Self::HierarchyOrNull => matches!(handle, OWNER | ENDORSEMENT | PLATFORM | NULL),
            Self::Endorsement => handle == ENDORSEMENT,
            Self::HierarchyAuthorization => {
                matches!(handle, OWNER | ENDORSEMENT | PLATFORM | LOCKOUT)
            }
            Self::HierarchyPolicy => {
                matches!(
                    handle,
                    OWNER | ENDORSEMENT | PLATFORM | LOCKOUT | FIRST_TIMER..=LAST_TIMER
                )
            }
            Self::Timer => matches!(handle, FIRST_TIMER..=LAST_TIMER),
            Self::Provision => matches!(handle, OWNER | PLATFORM),
            Self::Platform => handle == PLATFORM,
            Self::Lockout => handle == LOCKOUT,
            Self::ClearAuthorization => matches!(handle, LOCKOUT | PLATFORM),
        };
        if allowed { Ok(()) } else { Err(ResponseCode::VALUE) }
    }
}

/// Hands the rows to the macro `$receiver`. Ascending by code.
macro_rules! command_table {
    ($receiver:ident) => {
        $receiver! {
            0x011F NV_UndefineSpaceSpecial nv_define::undefine_space_special [NV PRESENCE] (Admin NvIndex, User Platform);
            0x0120 EvictControl object::evict_control [NV PRESENCE] (User Provision, None Object);
            0x0121 HierarchyControl hierarchy::control [NV EXTENSIVE PRESENCE] (User Hierarchy);
            0x0122 NV_UndefineSpace nv_define::undefine_space [NV PRESENCE] (User Provision, None NvIndex);
            0x0124 ChangeEPS hierarchy::change_endorsement_seed [NV EXTENSIVE PRESENCE] (User Platform);
            0x0125 ChangePPS hierarchy::change_platform_seed [NV EXTENSIVE PRESENCE] (User Platform);
            0x0126 Clear hierarchy::clear [NV EXTENSIVE PRESENCE] (User ClearAuthorization);
            0x0127 ClearControl hierarchy::clear_control [NV PRESENCE] (User ClearAuthorization);
            0x0128 ClockSet clock::set [NV PRESENCE] (User Provision);
            0x0129 HierarchyChangeAuth hierarchy::change_auth [NV DECRYPT PRESENCE] (User HierarchyAuthorization);
            0x012A NV_DefineSpace nv_define::define_space [NV DECRYPT PRESENCE] (User Provision);
            0x012B PCR_Allocate pcr::allocate [NV PRESENCE] (User Platform);
            0x012C PCR_SetAuthPolicy pcr::set_auth_policy [NV DECRYPT PRESENCE] (User Platform);
            0x012D PP_Commands presence::set_commands [NV] (User Platform);
            0x012E SetPrimaryPolicy hierarchy::set_primary_policy [NV DECRYPT PRESENCE] (User HierarchyPolicy);
            0x0130 ClockRateAdjust clock::rate_adjust [PRESENCE] (User Provision);
            0x0131 CreatePrimary create::create_primary [DECRYPT ENCRYPT HANDLE PRESENCE] (User HierarchyOrNull);
            0x0132 NV_GlobalWriteLock nv_lock::global_write_lock [NV PRESENCE] (User Provision);
            0x0133 GetCommandAuditDigest attest::command_audit [NV DECRYPT ENCRYPT] (User Endorsement, User ObjectOrNull);
            0x0134 NV_Increment nv_write::increment [NV NV_WRITE] (User NvAuthorization, None NvIndex);
            0x0135 NV_SetBits nv_write::set_bits [NV NV_WRITE] (User NvAuthorization, None NvIndex);
            0x0136 NV_Extend nv_write::extend [NV NV_WRITE DECRYPT] (User NvAuthorization, None NvIndex);
            0x0137 NV_Write nv_write::write [NV NV_WRITE DECRYPT] (User NvAuthorization, None NvIndex);
            0x0138 NV_WriteLock nv_lock::write_lock [NV NV_WRITE] (User NvAuthorization, None NvIndex);
            0x0139 DictionaryAttackLockReset lockout::reset [NV] (User Lockout);
            0x013A DictionaryAttackParameters lockout::parameters [NV] (User Lockout);
            0x013B NV_ChangeAuth nv_define::change_auth [NV DECRYPT] (Admin NvIndex);
            0x013C PCR_Event pcr::event [NV DECRYPT] (User PcrOrNull);
            0x013D PCR_Reset pcr::reset [NV] (User Pcr);
            0x013E SequenceComplete sequence::complete [FLUSHED DECRYPT ENCRYPT] (User Object);
            0x013F SetAlgorithmSet self_test::set_algorithm_set [NV PRESENCE] (User Platform);
            0x0140 SetCommandCodeAuditStatus audit::set_status [NV PRESENCE] (User Provision);
            0x0142 IncrementalSelfTest self_test::incremental [NV] ();
            0x0143 SelfTest self_test::full [NV] ();
            0x0144 Startup start::startup [NV NO_SESSIONS STARTUP] ();
            0x0145 Shutdown start::shutdown [NV] ();
            0x0146 StirRandom random::stir [NV DECRYPT] ();
            0x0147 ActivateCredential credential::activate [DECRYPT ENCRYPT] (Admin Object, User Object);
            0x0148 Certify attest::certify [DECRYPT ENCRYPT] (Admin Object, User ObjectOrNull);
            0x0149 PolicyNV policy_compare::nv [DECRYPT] (User NvAuthorization, None NvIndex, None PolicySession);
            0x014A CertifyCreation attest::certify_creation [DECRYPT ENCRYPT] (User ObjectOrNull, None Object);
            0x014B Duplicate duplicate::duplicate [DECRYPT ENCRYPT] (Duplicate Object, None ObjectOrNull);
            0x014C GetTime attest::get_time [DECRYPT ENCRYPT] (User Endorsement, User ObjectOrNull);
            0x014D GetSessionAuditDigest attest::session_audit [DECRYPT ENCRYPT] (User Endorsement, User ObjectOrNull, None HmacSession);
            0x014E NV_Read nv_read::read [ENCRYPT] (User NvAuthorization, None NvIndex);
            0x014F NV_ReadLock nv_lock::read_lock [NV] (User NvAuthorization, None NvIndex);
            0x0150 ObjectChangeAuth object::change_auth [DECRYPT ENCRYPT] (Admin Object, None Object);
            0x0151 PolicySecret policy_authority::secret [DECRYPT ENCRYPT] (User Entity, None PolicySession);
            0x0152 Rewrap duplicate::rewrap [DECRYPT ENCRYPT] (User ObjectOrNull, None ObjectOrNull);
            0x0153 Create create::create [DECRYPT ENCRYPT] (User Object);
            0x0154 ECDH_ZGen ecc::z_gen [DECRYPT ENCRYPT] (User Object);
            0x0155 MAC mac::mac [DECRYPT ENCRYPT] (User Object);
            0x0156 Import duplicate::import [DECRYPT ENCRYPT] (User Object);
            0x0157 Load load::load [DECRYPT ENCRYPT HANDLE] (User Object);
            0x0158 Quote attest::quote [DECRYPT ENCRYPT] (User ObjectOrNull);
            0x0159 RSA_Decrypt rsa::decrypt [DECRYPT ENCRYPT] (User Object);
            0x015B MAC_Start mac::start [DECRYPT HANDLE] (User Object);
            0x015C SequenceUpdate sequence::update [DECRYPT] (User Object);
            0x015D Sign sign::sign [DECRYPT] (User Object);
            0x015E Unseal object::unseal [ENCRYPT] (User Object);
            0x0160 PolicySigned policy_authority::signed [DECRYPT ENCRYPT] (None Object, None PolicySession);
            0x0161 ContextLoad context::load [NO_SESSIONS HANDLE] ();
            0x0162 ContextSave context::save [NO_SESSIONS] (None Context);
            0x0163 ECDH_KeyGen ecc::key_gen [ENCRYPT] (None Object);
            0x0164 EncryptDecrypt symmetric::encrypt_decrypt [ENCRYPT] (User Object);
            0x0165 FlushContext context::flush [NO_SESSIONS] ();
            0x0167 LoadExternal load::load_external [DECRYPT ENCRYPT HANDLE] ();
            0x0168 MakeCredential credential::make [DECRYPT ENCRYPT] (None Object);
            0x0169 NV_ReadPublic nv_read::read_public [ENCRYPT] (None NvIndex);
            0x016A PolicyAuthorize policy_ticket::authorize [DECRYPT] (None PolicySession);
            0x016B PolicyAuthValue policy::auth_value [] (None PolicySession);
            0x016C PolicyCommandCode policy::command_code [] (None PolicySession);
            0x016D PolicyCounterTimer policy_compare::counter_timer [DECRYPT] (None PolicySession);
            0x016E PolicyCpHash policy::command_hash [DECRYPT] (None PolicySession);
            0x016F PolicyLocality policy::locality [] (None PolicySession);
            0x0170 PolicyNameHash policy::name_hash [DECRYPT] (None PolicySession);
            0x0171 PolicyOR policy::or [] (None PolicySession);
            0x0172 PolicyTicket policy_ticket::ticket [DECRYPT] (None PolicySession);
            0x0173 ReadPublic object::read_public [ENCRYPT] (None Object);
            0x0174 RSA_Encrypt rsa::encrypt [DECRYPT ENCRYPT] (None Object);
            0x0176 StartAuthSession session::start [DECRYPT ENCRYPT HANDLE] (None ObjectOrNull, None EntityOrNull);
            0x0177 VerifySignature sign::verify [DECRYPT] (None Object);
            0x0178 ECC_Parameters ecc::parameters [] ();
            0x017A GetCapability capability::get [IN_FAILURE] ();
            0x017B GetRandom random::get [ENCRYPT] ();
            0x017C GetTestResult self_test::result [ENCRYPT IN_FAILURE] ();
            0x017D Hash sequence::hash [DECRYPT ENCRYPT] ();
            0x017E PCR_Read pcr::read [] ();
            0x017F PolicyPCR policy::pcr [DECRYPT] (None PolicySession);
            0x0180 PolicyRestart session::policy_restart [] (None PolicySession);
            0x0181 ReadClock clock::read [] ();
            0x0182 PCR_Extend pcr::extend [NV] (User PcrOrNull);
            0x0183 PCR_SetAuthValue pcr::set_auth_value [DECRYPT] (User Pcr);
            0x0184 NV_Certify attest::nv [DECRYPT ENCRYPT] (User ObjectOrNull, User NvAuthorization, None NvIndex);
            0x0185 EventSequenceComplete sequence::event_complete [NV FLUSHED DECRYPT] (User PcrOrNull, User Object);
            0x0186 HashSequenceStart sequence::start [DECRYPT HANDLE] ();
            0x0187 PolicyPhysicalPresence policy::physical_presence [] (None PolicySession);
            0x0188 PolicyDuplicationSelect policy::duplication_select [DECRYPT] (None PolicySession);
            0x0189 PolicyGetDigest policy::get_digest [ENCRYPT] (None PolicySession);
            0x018A TestParms self_test::test_parameters [] ();
            0x018B Commit ecc::commit [DECRYPT ENCRYPT] (User Object);
            0x018C PolicyPassword policy::password [] (None PolicySession);
            0x018D ZGen_2Phase ecc::z_gen_2_phase [DECRYPT ENCRYPT] (User Object);
            0x018E EC_Ephemeral ecc::ephemeral [ENCRYPT] ();
            0x018F PolicyNvWritten policy::nv_written [] (None PolicySession);
            0x0190 PolicyTemplate policy::template [DECRYPT] (None PolicySession);
            0x0191 CreateLoaded create_loaded::create_loaded [DECRYPT ENCRYPT HANDLE] (User Parent);
            0x0192 PolicyAuthorizeNV policy_compare::authorize_nv [] (User NvAuthorization, None NvIndex, None PolicySession);
            0x0193 EncryptDecrypt2 symmetric::encrypt_decrypt_2 [DECRYPT ENCRYPT] (User Object);
            0x0196 Policy_AC_SendSelect policy::component_send_select [DECRYPT] (None PolicySession);
            0x0197 CertifyX509 x509::certify [DECRYPT ENCRYPT] (Admin Object, User ObjectOrNull);
            0x0198 ACT_SetTimeout timer::set_timeout [] (User Timer);
        }
    };
}
pub(crate) use command_table;

macro_rules! descriptors {
    ($($code:literal $name:ident $module:ident :: $handler:ident [$($flag:ident)*] ($($role:ident $kind:ident),*);)*) => {
        /// All commands, ascending by code.
        pub(crate) const COMMANDS: &[Command] = &[$(Command {
            code: $code,
            name: stringify!($name),
            traits: Traits::empty()$(.union(Traits::$flag))*,
            handles: &[$(HandleRow { role: Role::$role, kind: HandleKind::$kind }),*],
            source: concat!(stringify!($module), "::", stringify!($handler)),
        }),*];
    };
}

command_table!(descriptors);

/// The name that Part 3 gives the command with this code, without "TPM2_";
/// none for a code that the device does not know.
#[must_use]
pub fn command_name(code: u32) -> Option<&'static str> {
    Command::find(code).map(|command| command.name)
}

impl Command {
    /// The command with this code.
    pub(crate) fn find(code: u32) -> Option<&'static Self> {
        let position = COMMANDS.binary_search_by_key(&code, |command| command.code).ok()?;
        COMMANDS.get(position)
    }

    /// How many authorizations it takes.
    pub(crate) fn authorizations(&self) -> usize {
        self.handles.iter().filter(|handle| handle.role != Role::None).count()
    }

    /// TPMA_CC [Part 2 §8.9].
    pub(crate) fn attributes(&self) -> u32 {
        let bit = |flag, position: u32| u32::from(self.traits.contains(flag)) << position;
        let handles = u32::try_from(self.handles.len()).expect("a command has few handles");
        self.code
            | bit(Traits::NV, 22)
            | bit(Traits::EXTENSIVE, 23)
            | bit(Traits::FLUSHED, 24)
            | (handles << 25)
            | bit(Traits::HANDLE, 28)
    }
}
