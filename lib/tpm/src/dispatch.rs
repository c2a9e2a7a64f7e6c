//! From a command's code to its handler.

use crate::call::{Call, Reply};
use crate::commands::{
    attest, audit, capability, clock, context, create, create_loaded, credential, duplicate, ecc,
    hierarchy, load, lockout, mac, nv_define, nv_lock, nv_read, nv_write, object, pcr, policy,
    policy_authority, policy_compare, policy_ticket, presence, random, rsa, self_test, sequence,
    session, sign, start, symmetric, timer, x509,
};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::table::command_table;

macro_rules! handlers {
    ($($code:literal $name:ident $module:ident :: $handler:ident [$($flag:ident)*] ($($role:ident $kind:ident),*);)*) => {
        /// Runs the handler of the command with this code.
        pub(crate) fn dispatch(
            machine: &mut Machine<'_, '_>,
            code: u32,
            call: &Call<'_>,
        ) -> Result<Reply, ResponseCode> {
            match code {
                $($code => $module::$handler(machine, call),)*
                _ => Err(ResponseCode::COMMAND_CODE),
            }
        }
    };
}

command_table!(handlers);
