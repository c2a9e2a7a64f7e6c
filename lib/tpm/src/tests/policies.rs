//! Policy sessions: what each assertion adds and what it refuses.

use alloc::vec::Vec;

use tpm_crypto::hash::HashAlgorithm;

use super::rig::{Rig, sized};
use crate::platform::PhysicalPresence;
use crate::response_code::ResponseCode;

const SHA256: HashAlgorithm = HashAlgorithm::Sha256;
const OWNER: u32 = 0x4000_0001;
const NULL: [u8; 4] = [0x40, 0, 0, 7];
const CLOCK_SET: u32 = 0x128;

fn start(rig: &mut Rig, kind: u8) -> u32 {
    let body =
        [&NULL[..], &NULL, &sized(&[9; 16]), &sized(&[]), &[kind, 0, 0x10, 0, 0x0B]].concat();
    let answer = rig.call(0x176, &body).expect("session");
    u32::from_be_bytes(answer[..4].try_into().expect("a handle"))
}

fn say(rig: &mut Rig, session: u32, code: u32, parameters: &[u8]) -> Result<(), ResponseCode> {
    rig.call(code, &[&session.to_be_bytes(), parameters].concat()).map(|_| ())
}

fn digest(rig: &mut Rig, session: u32) -> Vec<u8> {
    rig.call(0x189, &session.to_be_bytes()).expect("digest")[2..].to_vec()
}

/// The digest that a code and parts give from `before`.
fn extended(before: &[u8], code: u32, parts: &[&[u8]]) -> Vec<u8> {
    SHA256.digest(&[before, &code.to_be_bytes(), &parts.concat()]).as_bytes().to_vec()
}

/// Makes what `session` says now the owner's policy.
fn adopt(rig: &mut Rig, policy: &[u8]) {
    let parameters = [&sized(policy)[..], &[0, 0x0B]].concat();
    rig.with_passwords(0x12E, &[OWNER], &[b""], &parameters).expect("policy");
}

/// Sets the clock with a policy session as authorization.
fn use_it(rig: &mut Rig, session: u32) -> Result<(), ResponseCode> {
    let area = [&session.to_be_bytes()[..], &[0, 0, 1, 0, 0]].concat();
    let clock = (1_u64 << 40).to_be_bytes();
    rig.with_area(CLOCK_SET, &[OWNER], &area, &clock).map(|_| ())
}

#[test]
fn a_command_code_limits_the_policy() {
    let mut rig = Rig::started();
    let trial = start(&mut rig, 3);
    say(&mut rig, trial, 0x16C, &CLOCK_SET.to_be_bytes()).expect("command code");
    let policy = digest(&mut rig, trial);
    assert_eq!(policy, extended(&[0; 32], 0x16C, &[&CLOCK_SET.to_be_bytes()]));
    adopt(&mut rig, &policy);
    assert_eq!(use_it(&mut rig, trial), Err(ResponseCode::ATTRIBUTES.session(1)));

    let session = start(&mut rig, 1);
    let fresh = start(&mut rig, 1);
    assert_eq!(use_it(&mut rig, session), Err(ResponseCode::POLICY_FAIL.session(1)));
    say(&mut rig, session, 0x16C, &CLOCK_SET.to_be_bytes()).expect("command code");
    assert_eq!(
        say(&mut rig, session, 0x16C, &0x129_u32.to_be_bytes()),
        Err(ResponseCode::VALUE.parameter(1))
    );
    assert_eq!(
        say(&mut rig, fresh, 0x16C, &0x9999_u32.to_be_bytes()),
        Err(ResponseCode::POLICY_CC.parameter(1))
    );
    use_it(&mut rig, session).expect("allowed");
    assert_eq!(digest(&mut rig, session), [0; 32], "what was shown counts once");
    assert_eq!(use_it(&mut rig, session), Err(ResponseCode::POLICY_FAIL.session(1)));
    say(&mut rig, session, 0x16C, &CLOCK_SET.to_be_bytes()).expect("command code");
    let area = [&session.to_be_bytes()[..], &[0, 0, 1, 0, 0]].concat();
    assert_eq!(
        rig.with_area(0x129, &[OWNER], &area, &sized(b"")).map(|_| ()),
        Err(ResponseCode::POLICY_CC.session(1))
    );
    say(&mut rig, session, 0x180, &[]).expect("restart");
    assert_eq!(digest(&mut rig, session), [0; 32]);
}

#[test]
fn pcrs_are_bound_and_their_change_is_noticed() {
    let mut rig = Rig::started();
    let selection = [0, 0, 0, 1, 0, 0x0B, 3, 1, 0, 0];
    let current = SHA256.digest(&[&[0; 32]]);
    let parameters = [&sized(current.as_bytes())[..], &selection].concat();
    let session = start(&mut rig, 1);
    say(&mut rig, session, 0x17F, &parameters).expect("PCR");
    let policy = digest(&mut rig, session);
    assert_eq!(policy, extended(&[0; 32], 0x17F, &[&selection, current.as_bytes()]));
    let other = start(&mut rig, 1);
    say(&mut rig, other, 0x17F, &[&sized(&[])[..], &selection].concat()).expect("PCR");
    assert_eq!(digest(&mut rig, other), policy, "the digest may be left out");
    let wrong = [&sized(&[1; 32])[..], &selection].concat();
    assert_eq!(say(&mut rig, other, 0x17F, &wrong), Err(ResponseCode::VALUE.parameter(1)));
    say(&mut rig, session, 0x180, &[]).expect("restart");
    say(&mut rig, session, 0x17F, &parameters).expect("PCR");
    adopt(&mut rig, &policy);
    use_it(&mut rig, other).expect("allowed");
    let extend = [&[0, 0, 0, 1, 0, 0x0B][..], &[7; 32]].concat();
    rig.with_passwords(0x182, &[5], &[b""], &extend).expect("extend");
    assert_eq!(use_it(&mut rig, session), Err(ResponseCode::PCR_CHANGED));
}

#[test]
fn any_of_several_branches_will_do() {
    let mut rig = Rig::started();
    let branch = extended(&[0; 32], 0x16C, &[&CLOCK_SET.to_be_bytes()]);
    let list = [&[0, 0, 0, 2][..], &sized(&[1; 32]), &sized(&branch)].concat();
    let session = start(&mut rig, 1);
    assert_eq!(say(&mut rig, session, 0x171, &list), Err(ResponseCode::VALUE.parameter(1)));
    say(&mut rig, session, 0x16C, &CLOCK_SET.to_be_bytes()).expect("command code");
    say(&mut rig, session, 0x171, &list).expect("or");
    let policy = digest(&mut rig, session);
    assert_eq!(policy, extended(&[0; 32], 0x171, &[&[1; 32], &branch]));
    let one = [&[0, 0, 0, 1][..], &sized(&policy)].concat();
    assert_eq!(say(&mut rig, session, 0x171, &one), Err(ResponseCode::SIZE.parameter(1)));
    let nine = [&[0, 0, 0, 9][..], &[0; 18]].concat();
    assert_eq!(say(&mut rig, session, 0x171, &nine), Err(ResponseCode::SIZE.parameter(1)));
    adopt(&mut rig, &policy);
    use_it(&mut rig, session).expect("allowed");
}

#[test]
fn a_password_or_a_proof_can_be_asked_for() {
    let mut rig = Rig::started();
    let session = start(&mut rig, 1);
    say(&mut rig, session, 0x18C, &[]).expect("password");
    let policy = digest(&mut rig, session);
    assert_eq!(policy, extended(&[0; 32], 0x16B, &[]), "the same as for an HMAC");
    adopt(&mut rig, &policy);
    rig.with_passwords(0x129, &[OWNER], &[b""], &sized(b"pw")).expect("change");
    let area =
        |password: &[u8]| [&session.to_be_bytes()[..], &[0, 0, 1], &sized(password)].concat();
    let clock = (1_u64 << 40).to_be_bytes();
    assert_eq!(
        rig.with_area(CLOCK_SET, &[OWNER], &area(b"no"), &clock).map(|_| ()),
        Err(ResponseCode::BAD_AUTH.session(1))
    );
    rig.with_area(CLOCK_SET, &[OWNER], &area(b"pw"), &clock).expect("password");
    let other = start(&mut rig, 1);
    say(&mut rig, other, 0x16B, &[]).expect("value");
    assert_eq!(use_it(&mut rig, other), Err(ResponseCode::BAD_AUTH.session(1)));
}

#[test]
fn what_was_said_is_good_for_one_success() {
    let mut rig = Rig::started();
    let session = start(&mut rig, 1);
    let speak = |rig: &mut Rig| {
        say(rig, session, 0x16C, &CLOCK_SET.to_be_bytes()).expect("command code");
        say(rig, session, 0x18C, &[]).expect("password");
    };
    speak(&mut rig);
    let policy = digest(&mut rig, session);
    adopt(&mut rig, &policy);
    rig.with_passwords(0x129, &[OWNER], &[b""], &sized(b"pw")).expect("change");
    let sets_clock = |rig: &mut Rig, password: &[u8]| {
        let area = [&session.to_be_bytes()[..], &[0, 0, 1], &sized(password)].concat();
        let clock = (1_u64 << 40) + rig.clock.0.get();
        rig.with_area(CLOCK_SET, &[OWNER], &area, &clock.to_be_bytes())
    };
    assert_eq!(sets_clock(&mut rig, b"no"), Err(ResponseCode::BAD_AUTH.session(1)));
    assert_eq!(digest(&mut rig, session), policy, "what failed takes nothing away");

    rig.clock.0.set(50_000);
    let (_, area) = sets_clock(&mut rig, b"pw").expect("password");
    assert_eq!(digest(&mut rig, session), [0; 32]);
    assert_eq!(sets_clock(&mut rig, b"pw"), Err(ResponseCode::POLICY_FAIL.session(1)));
    say(&mut rig, session, 0x16C, &0x129_u32.to_be_bytes()).expect("another command code");
    say(&mut rig, session, 0x180, &[]).expect("restart");

    // Time counts from the nonce that came with the success.
    let nonce = &area[2..18];
    rig.clock.0.set(55_000);
    let limits = [&sized(nonce)[..], &sized(&[]), &sized(&[]), &(-10_i32).to_be_bytes()].concat();
    let platform = 0x4000_000C;
    let answer = rig.with_passwords(0x151, &[platform, session], &[b""], &limits).expect("secret");
    assert_eq!(answer[..10], sized(&60_000_u64.to_be_bytes()));
    say(&mut rig, session, 0x180, &[]).expect("restart");

    speak(&mut rig);
    sets_clock(&mut rig, b"pw").expect("the session serves again");
}

#[test]
fn presence_and_locality_are_checked_at_use() {
    let mut rig = Rig::started();
    let session = start(&mut rig, 1);
    say(&mut rig, session, 0x187, &[]).expect("presence");
    say(&mut rig, session, 0x16F, &[0x06]).expect("locality");
    assert_eq!(say(&mut rig, session, 0x16F, &[0x08]), Err(ResponseCode::RANGE.parameter(1)));
    assert_eq!(say(&mut rig, session, 0x16F, &[0x00]), Err(ResponseCode::RANGE.parameter(1)));
    assert_eq!(say(&mut rig, session, 0x16F, &[0x40]), Err(ResponseCode::RANGE.parameter(1)));
    let policy = digest(&mut rig, session);
    adopt(&mut rig, &policy);
    assert_eq!(use_it(&mut rig, session), Err(ResponseCode::LOCALITY));
    rig.locality = 1;
    assert_eq!(use_it(&mut rig, session), Err(ResponseCode::PP.session(1)));
    rig.presence = PhysicalPresence::Asserted;
    use_it(&mut rig, session).expect("allowed");
}

#[test]
fn a_policy_is_bound_to_one_thing() {
    let mut rig = Rig::started();
    let clock = (1_u64 << 40).to_be_bytes();
    let bound = SHA256.digest(&[&CLOCK_SET.to_be_bytes(), &OWNER.to_be_bytes(), &clock]);
    let session = start(&mut rig, 1);
    assert_eq!(
        say(&mut rig, session, 0x16E, &sized(&[1; 20])),
        Err(ResponseCode::SIZE.parameter(1))
    );
    say(&mut rig, session, 0x16E, &sized(bound.as_bytes())).expect("cpHash");
    say(&mut rig, session, 0x16E, &sized(bound.as_bytes())).expect("the same again");
    for code in [0x16E, 0x170, 0x190] {
        assert_eq!(say(&mut rig, session, code, &sized(&[1; 32])), Err(ResponseCode::CPHASH));
    }
    say(&mut rig, session, 0x180, &[]).expect("restart");
    say(&mut rig, session, 0x16E, &sized(bound.as_bytes())).expect("cpHash");
    let policy = digest(&mut rig, session);
    adopt(&mut rig, &policy);
    use_it(&mut rig, session).expect("these very parameters");
    say(&mut rig, session, 0x16E, &sized(bound.as_bytes())).expect("cpHash");
    let area = [&session.to_be_bytes()[..], &[0, 0, 1, 0, 0]].concat();
    let other = ((1_u64 << 40) + 1).to_be_bytes();
    assert_eq!(
        rig.with_area(CLOCK_SET, &[OWNER], &area, &other).map(|_| ()),
        Err(ResponseCode::POLICY_FAIL.session(1))
    );
    let names = SHA256.digest(&[&OWNER.to_be_bytes()]);
    say(&mut rig, session, 0x180, &[]).expect("restart");
    say(&mut rig, session, 0x170, &sized(names.as_bytes())).expect("names");
    let policy = digest(&mut rig, session);
    adopt(&mut rig, &policy);
    use_it(&mut rig, session).expect("these handles");
}

#[test]
fn duplication_takes_its_command_and_names() {
    let mut rig = Rig::started();
    let session = start(&mut rig, 1);
    let parameters = [&sized(b"object")[..], &sized(b"parent"), &[1]].concat();
    say(&mut rig, session, 0x188, &parameters).expect("select");
    assert_eq!(digest(&mut rig, session), extended(&[0; 32], 0x188, &[b"object", b"parent", &[1]]));
    assert_eq!(say(&mut rig, session, 0x188, &parameters), Err(ResponseCode::CPHASH));
    for code in [CLOCK_SET, 0x14B] {
        say(&mut rig, session, 0x180, &[]).expect("restart");
        say(&mut rig, session, 0x16C, &code.to_be_bytes()).expect("command code");
        assert_eq!(say(&mut rig, session, 0x188, &parameters), Err(ResponseCode::COMMAND_CODE));
    }
}

#[test]
fn a_component_is_selected_with_what_is_sent_and_who_allows_it() {
    let mut rig = Rig::started();
    let names = [&sized(b"object")[..], &sized(b"owner"), &sized(b"component")].concat();
    let select = |include: u8| [&names[..], &[include]].concat();
    let session = start(&mut rig, 1);
    assert_eq!(say(&mut rig, session, 0x196, &select(2)), Err(ResponseCode::VALUE.parameter(4)));
    say(&mut rig, session, 0x196, &select(1)).expect("select");
    let all: [&[u8]; 4] = [b"object", b"owner", b"component", &[1]];
    assert_eq!(digest(&mut rig, session), extended(&[0; 32], 0x196, &all));
    assert_eq!(say(&mut rig, session, 0x196, &select(1)), Err(ResponseCode::CPHASH));
    let other = start(&mut rig, 1);
    say(&mut rig, other, 0x196, &select(0)).expect("select");
    let all: [&[u8]; 3] = [b"owner", b"component", &[0]];
    assert_eq!(digest(&mut rig, other), extended(&[0; 32], 0x196, &all));
    let limited = start(&mut rig, 1);
    say(&mut rig, limited, 0x16C, &CLOCK_SET.to_be_bytes()).expect("command code");
    assert_eq!(say(&mut rig, limited, 0x196, &select(0)), Err(ResponseCode::COMMAND_CODE));
}

#[test]
fn a_secret_gives_a_ticket_that_stands_for_it() {
    let mut rig = Rig::started();
    let session = start(&mut rig, 1);
    let platform = 0x4000_000C_u32;
    let parameters = |seconds: i32| {
        [&sized(&[])[..], &sized(&[]), &sized(b"ref"), &seconds.to_be_bytes()].concat()
    };
    let answer =
        rig.with_passwords(0x151, &[platform, session], &[b""], &parameters(-60)).expect("secret");
    let first = extended(&[0; 32], 0x151, &[&platform.to_be_bytes()]);
    let policy = SHA256.digest(&[&first, b"ref"]).as_bytes().to_vec();
    assert_eq!(digest(&mut rig, session), policy);
    assert_eq!(answer[..10], sized(&60_000_u64.to_be_bytes()));
    assert_eq!(answer[10..16], [0x80, 0x23, 0x40, 0, 0, 0x0C]);

    let other = start(&mut rig, 1);
    let by_ticket = |ticket: &[u8]| {
        [&answer[..10], &sized(&[]), &sized(b"ref"), &sized(&platform.to_be_bytes()), ticket]
            .concat()
    };
    let mut forged = answer[10..].to_vec();
    *forged.last_mut().expect("a digest") ^= 1;
    assert_eq!(
        say(&mut rig, other, 0x172, &by_ticket(&forged)),
        Err(ResponseCode::TICKET.parameter(5))
    );
    let null = [0x80, 0x23, 0x40, 0, 0, 7, 0, 0];
    assert_eq!(
        say(&mut rig, other, 0x172, &by_ticket(&null)),
        Err(ResponseCode::TICKET.parameter(5))
    );
    // What is wrong with the time is told before what is wrong with the command.
    let both = [&sized(&[0; 7])[..], &sized(&[1; 5]), &sized(b""), &sized(b""), &null].concat();
    assert_eq!(say(&mut rig, other, 0x172, &both), Err(ResponseCode::SIZE.parameter(1)));
    // Zero is a time that has not run out, and no ticket has it.
    let timeless = [&sized(&[0; 8])[..], &by_ticket(&answer[10..])[10..]].concat();
    assert_eq!(say(&mut rig, other, 0x172, &timeless), Err(ResponseCode::TICKET.parameter(5)));
    say(&mut rig, other, 0x172, &by_ticket(&answer[10..])).expect("ticket");
    assert_eq!(digest(&mut rig, other), policy);
    adopt(&mut rig, &policy);
    use_it(&mut rig, other).expect("allowed");
    say(&mut rig, other, 0x172, &by_ticket(&answer[10..])).expect("ticket");
    rig.clock.0.set(60_001);
    assert_eq!(use_it(&mut rig, other), Err(ResponseCode::EXPIRED.session(1)));
    assert_eq!(
        say(&mut rig, other, 0x172, &by_ticket(&answer[10..])),
        Err(ResponseCode::EXPIRED.parameter(1))
    );
    assert_eq!(
        rig.with_passwords(0x151, &[platform, other], &[b""], &parameters(5)),
        Err(ResponseCode::EXPIRED.parameter(4))
    );
    let nonce = [&sized(&[1; 16])[..], &sized(&[]), &sized(&[]), &[0; 4]].concat();
    assert_eq!(
        rig.with_passwords(0x151, &[platform, other], &[b""], &nonce),
        Err(ResponseCode::NONCE.parameter(1))
    );
    let none =
        rig.with_passwords(0x151, &[platform, other], &[b""], &parameters(0)).expect("secret");
    assert_eq!(none, [0, 0, 0x80, 0x23, 0x40, 0, 0, 7, 0, 0]);
}

#[test]
fn an_approval_needs_a_ticket_of_this_device() {
    let mut rig = Rig::started();
    let trial = start(&mut rig, 3);
    let key = [&[0, 0x0B][..], &[5; 32]].concat();
    let null = [0x80, 0x22, 0x40, 0, 0, 7, 0, 0];
    let parameters =
        |approved: &[u8]| [&sized(approved)[..], &sized(b""), &sized(&key), &null].concat();
    say(&mut rig, trial, 0x16A, &parameters(&[1; 32])).expect("a trial believes all");
    let first = extended(&[0; 32], 0x16A, &[&key]);
    assert_eq!(digest(&mut rig, trial), *SHA256.digest(&[&first]).as_bytes());
    let session = start(&mut rig, 1);
    assert_eq!(
        say(&mut rig, session, 0x16A, &parameters(&[1; 32])),
        Err(ResponseCode::VALUE.parameter(1))
    );
    assert_eq!(
        say(&mut rig, session, 0x16A, &parameters(&[0; 32])),
        Err(ResponseCode::VALUE.parameter(4))
    );
}

#[test]
fn contents_and_clock_are_compared() {
    let mut rig = Rig::started();
    let index = 0x0100_0001_u32;
    let area = [&index.to_be_bytes()[..], &[0, 0x0B, 0, 4, 0, 4, 0, 0, 0, 8]].concat();
    rig.with_passwords(0x12A, &[OWNER], &[b""], &[sized(b""), sized(&area)].concat())
        .expect("define");
    let session = start(&mut rig, 1);
    let compare = |rig: &mut Rig, operand: &[u8], offset: u16, operation: u8| {
        let parameters = [&sized(operand)[..], &offset.to_be_bytes(), &[0, operation]].concat();
        rig.with_passwords(0x149, &[index, index, session], &[b""], &parameters).map(|_| ())
    };
    assert_eq!(compare(&mut rig, &[5], 0, 0), Err(ResponseCode::NV_UNINITIALIZED));
    let write = [&sized(&[0x80, 5, 0, 0, 0, 0, 0, 0])[..], &[0, 0]].concat();
    rig.with_passwords(0x137, &[index, index], &[b""], &write).expect("write");
    // (operand, offset, operation, holds)
    let cases = [
        (5, 1, 0, true),
        (6, 1, 0, false),
        (6, 1, 1, true),
        (5, 1, 1, false),
        (1, 0, 2, false),
        (1, 0, 3, true),
        (1, 0, 4, true),
        (1, 0, 5, false),
        (0x80, 0, 6, true),
        (0x80, 0, 7, true),
        (0x80, 0, 8, true),
        (0x80, 0, 9, true),
        (4, 1, 10, true),
        (2, 1, 10, false),
        (2, 1, 11, true),
        (4, 1, 11, false),
    ];
    for (operand, offset, operation, holds) in cases {
        let expected = if holds { Ok(()) } else { Err(ResponseCode::POLICY) };
        assert_eq!(compare(&mut rig, &[operand], offset, operation), expected, "{operation}");
    }
    assert_eq!(compare(&mut rig, &[5], 0, 12), Err(ResponseCode::VALUE.parameter(3)));
    assert_eq!(compare(&mut rig, &[5], 9, 0), Err(ResponseCode::VALUE.parameter(2)));
    assert_eq!(compare(&mut rig, &[5; 9], 0, 0), Err(ResponseCode::SIZE.parameter(1)));

    let timer = [&sized(&[0, 0, 0, 1])[..], &[0, 16, 0, 0]].concat();
    say(&mut rig, session, 0x180, &[]).expect("restart");
    say(&mut rig, session, 0x16D, &timer).expect("the first reset");
    let arguments = SHA256.digest(&[&[0, 0, 0, 1], &[0, 16], &[0, 0]]);
    assert_eq!(digest(&mut rig, session), extended(&[0; 32], 0x16D, &[arguments.as_bytes()]));
    let second = [&sized(&[0, 0, 0, 2])[..], &[0, 16, 0, 0]].concat();
    assert_eq!(say(&mut rig, session, 0x16D, &second), Err(ResponseCode::POLICY));
    let beyond = [&sized(&[0])[..], &[0, 25, 0, 0]].concat();
    let far = [&sized(&[0])[..], &[0, 26, 0, 0]].concat();
    assert_eq!(say(&mut rig, session, 0x16D, &far), Err(ResponseCode::VALUE.parameter(2)));
    assert_eq!(say(&mut rig, session, 0x16D, &beyond), Err(ResponseCode::RANGE));
}

#[test]
fn a_policy_in_an_index_replaces_what_was_said() {
    let mut rig = Rig::started();
    let index = 0x0100_0002_u32;
    let area = [&index.to_be_bytes()[..], &[0, 0x0B, 0, 4, 0, 4, 0, 0, 0, 40]].concat();
    rig.with_passwords(0x12A, &[OWNER], &[b""], &[sized(b""), sized(&area)].concat())
        .expect("define");
    let session = start(&mut rig, 1);
    say(&mut rig, session, 0x16C, &CLOCK_SET.to_be_bytes()).expect("command code");
    let approved = [&[0, 0x0B][..], &digest(&mut rig, session)].concat();
    let write = [&sized(&approved)[..], &[0, 0]].concat();
    rig.with_passwords(0x137, &[index, index], &[b""], &write).expect("write");
    let public = rig.call(0x169, &index.to_be_bytes()).expect("public");
    let name = &public[public.len() - 34..];
    rig.with_passwords(0x192, &[index, index, session], &[b""], &[]).expect("approved");
    assert_eq!(digest(&mut rig, session), extended(&[0; 32], 0x192, &[name]));
    assert_eq!(
        rig.with_passwords(0x192, &[index, index, session], &[b""], &[]),
        Err(ResponseCode::VALUE)
    );
}

#[test]
fn an_index_deleted_by_policy_only() {
    let mut rig = Rig::started();
    let index = 0x0100_0003_u32;
    let special = 0x11F_u32;
    let policy = extended(&[0; 32], 0x16C, &[&special.to_be_bytes()]);
    // PLATFORMCREATE, POLICY_DELETE, AUTHREAD, AUTHWRITE.
    let area =
        [&index.to_be_bytes()[..], &[0, 0x0B, 0x40, 4, 4, 4], &sized(&policy), &[0, 8]].concat();
    let platform = 0x4000_000C;
    rig.with_passwords(0x12A, &[platform], &[b""], &[sized(b""), sized(&area)].concat())
        .expect("define");
    assert_eq!(
        rig.with_passwords(0x122, &[platform, index], &[b""], &[]),
        Err(ResponseCode::ATTRIBUTES.handle(2))
    );
    let two = |rig: &mut Rig, first: &[u8]| {
        let area = [first, &[0x40, 0, 0, 9, 0, 0, 1, 0, 0]].concat();
        rig.with_area(special, &[index, platform], &area, &[]).map(|_| ())
    };
    assert_eq!(
        two(&mut rig, &[0x40, 0, 0, 9, 0, 0, 0, 0, 0]),
        Err(ResponseCode::AUTH_TYPE),
        "a password does not do"
    );
    let session = start(&mut rig, 1);
    say(&mut rig, session, 0x16C, &special.to_be_bytes()).expect("command code");
    two(&mut rig, &[&session.to_be_bytes()[..], &[0, 0, 1, 0, 0]].concat()).expect("deleted");
    assert_eq!(rig.call(0x169, &index.to_be_bytes()), Err(ResponseCode::HANDLE.handle(1)));
}

#[test]
fn whether_an_index_was_written_can_be_asked() {
    let mut rig = Rig::started();
    let index = 0x0100_0004_u32;
    let policy = extended(&[0; 32], 0x18F, &[&[0]]);
    // POLICYWRITE, AUTHREAD.
    let area =
        [&index.to_be_bytes()[..], &[0, 0x0B, 0, 4, 0, 8], &sized(&policy), &[0, 8]].concat();
    rig.with_passwords(0x12A, &[OWNER], &[b""], &[sized(b""), sized(&area)].concat())
        .expect("define");
    let session = start(&mut rig, 1);
    say(&mut rig, session, 0x18F, &[0]).expect("not written");
    assert_eq!(say(&mut rig, session, 0x18F, &[1]), Err(ResponseCode::VALUE.parameter(1)));
    let by_policy = [&session.to_be_bytes()[..], &[0, 0, 1, 0, 0]].concat();
    let write = [&sized(&[1])[..], &[0, 0]].concat();
    rig.with_area(0x137, &[index, index], &by_policy, &write).expect("written once");
    say(&mut rig, session, 0x18F, &[0]).expect("not written");
    assert_eq!(
        rig.with_area(0x137, &[index, index], &by_policy, &write).map(|_| ()),
        Err(ResponseCode::POLICY_FAIL.session(1))
    );
    assert_eq!(
        rig.with_area(0x14E, &[index, index], &by_policy, &[0, 1, 0, 0]).map(|_| ()),
        Err(ResponseCode::AUTH_UNAVAILABLE)
    );
}
