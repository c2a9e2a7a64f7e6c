//! Steps about keys and other objects.

use sha2::{Digest, Sha256};
use svsm_tpm::message::{Command, Response, sized, take_sized};

use super::compare::Compare;
use super::dice::Dice;
use super::known_keys;
use super::model::{Created, ENDORSEMENT, Model, NULL, OWNER, PASSWORD, PLATFORM};
use super::platform::HASHES;
use super::step::Step;

/// TPM_ALG_NULL.
const NO_ALGORITHM: u16 = 0x0010;

/// The next step.
pub(super) fn step(model: &Model, dice: &mut Dice) -> Step {
    let object = model.object(dice);
    let password = if dice.once_in(30) { b"wrong" } else { PASSWORD };
    let with = |code| Command::new(code).authorized(object, password);
    // What a key computes is the same only if the key is.
    let exact = if model.shared.contains(&object) { Compare::Exact } else { Compare::Length };
    match dice.below(17) {
        0 => primary(model, dice),
        1 => create(model, dice),
        2 => load(model, dice),
        3..=5 => external(dice),
        6 => {
            let compare = if exact == Compare::Exact { exact } else { Compare::Code };
            Step::new(&Command::new(0x173).handle(object), compare)
        }
        7 => Step::new(&with(0x15E), Compare::Exact),
        8 => {
            // A MAC with the key's own hash or another.
            let hash = dice.pick(&[NO_ALGORITHM, 0x000B, 0x000C]).to_be_bytes();
            let mac = with(0x155).parameters(&sized(&dice.bytes(100))).parameters(&hash);
            Step::new(&mac, exact)
        }
        9 => encrypt(object, password, exact, dice),
        10 => sign(object, password, exact, dice),
        11 => rsa(object, password, exact, dice),
        12 => {
            let point = dice.pick(&[&known_keys::POINT[..], &[0; 70], &[0, 0, 0, 0]]);
            Step::new(&with(0x154).parameters(&sized(point)), exact)
        }
        13 => context(model, object, dice),
        14 => test_parameters(dice),
        15 => import(model, dice),
        _ => {
            let flush = Command::new(0x165).parameters(&object.to_be_bytes());
            Step::new(&flush, Compare::Exact).learn(move |model, _| model.forget(object))
        }
    }
}

/// A public area (TPMT_PUBLIC).
fn public(kind: u16, attributes: u32, policy: &[u8], details: &[u8]) -> Vec<u8> {
    let mut area = kind.to_be_bytes().to_vec();
    area.extend(0x000B_u16.to_be_bytes());
    area.extend(attributes.to_be_bytes());
    area.extend(sized(policy));
    area.extend(details);
    area
}

/// Attributes, now and then with some that do not fit.
fn attributes(usual: u32, dice: &mut Dice) -> u32 {
    if dice.once_in(4) { usual ^ dice.word() } else { usual }
}

/// Words of 16 bits.
fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// A template of something that is fast to make.
fn template(dice: &mut Dice) -> Vec<u8> {
    let policy = if dice.once_in(8) { dice.exactly(32) } else { Vec::new() };
    match dice.below(5) {
        // A storage key.
        0 | 1 => {
            let attributes = attributes(0x0003_0072, dice);
            let details = words(&[6, 128, 0x43, 0x10, 3, 0x10, 0, 0]);
            public(0x23, attributes, &policy, &details)
        }
        // A signing key.
        2 => {
            let attributes = attributes(0x0004_0072, dice);
            // ECDSA, SM2, EC-Schnorr; P-256 and SM2's curve.
            let (scheme, curve) = (dice.pick(&[0x18, 0x18, 0x1B, 0x1C]), dice.pick(&[3, 3, 0x20]));
            let details = words(&[0x10, scheme, 0x0B, curve, 0x10, 0, 0]);
            public(0x23, attributes, &policy, &details)
        }
        // A MAC key.
        3 => {
            let attributes = attributes(0x0004_0072, dice);
            public(0x08, attributes, &policy, &words(&[5, 0x0B, 0]))
        }
        // A cipher.
        _ => {
            let attributes = attributes(0x0006_0072, dice);
            let bits = dice.pick(&[128, 256, 64]);
            public(0x25, attributes, &policy, &words(&[6, bits, 0x43, 0]))
        }
    }
}

/// Parameters of TPM2_Create and TPM2_CreatePrimary.
fn creation(template: &[u8], data: &[u8], dice: &mut Dice) -> Vec<u8> {
    let sensitive = [sized(PASSWORD), sized(data)].concat();
    [sized(&sensitive), sized(template), sized(&dice.bytes(16)), super::platform::selection(dice)]
        .concat()
}

fn primary(model: &Model, dice: &mut Dice) -> Step {
    let hierarchy = dice.pick(&[OWNER, ENDORSEMENT, PLATFORM, NULL]);
    let template = template(dice);
    let is_storage = template.get(4..8) == Some(&[0, 3, 0, 0x72]);
    let command = Command::new(0x131).authorized(hierarchy, &model.password(hierarchy, dice));
    let command = command.parameters(&creation(&template, b"", dice));
    Step::new(&command, Compare::Handle).learn(move |model, [ours, _]| {
        let handle = Response::parse(ours).and_then(|response| response.handle());
        model.objects.extend(handle);
        model.parents.extend(handle.filter(|_| is_storage));
    })
}

fn create(model: &Model, dice: &mut Dice) -> Step {
    let parent = model.parent(dice);
    let command = Command::new(0x153).authorized(parent, PASSWORD);
    let parameters = if dice.once_in(2) {
        let data = dice.bytes(130);
        // Sealed data: no scheme, no unique.
        let attributes = attributes(0x52, dice);
        creation(&public(0x08, attributes, b"", &words(&[0x10, 0])), &data, dice)
    } else {
        creation(&template(dice), b"", dice)
    };
    Step::new(&command.parameters(&parameters), Compare::Code).learn(|model, responses| {
        let parts = responses.map(|response| {
            let mut body = Response::parse(response)?.parameters()?;
            Some((take_sized(&mut body)?.to_vec(), take_sized(&mut body)?.to_vec()))
        });
        if let [Some((one, first)), Some((two, second))] = parts {
            model.created.push(Created { private: [one, two], public: [first, second] });
        }
    })
}

fn load(model: &Model, dice: &mut Dice) -> Step {
    let parent = model.parent(dice);
    let command = Command::new(0x157).authorized(parent, PASSWORD);
    if model.created.is_empty() {
        return Step::new(&command.parameters(&dice.bytes(40)), Compare::Exact);
    }
    let created = &model.created[dice.below(model.created.len())];
    let commands = [0, 1].map(|side: usize| {
        let blobs = [sized(&created.private[side]), sized(&created.public[side])];
        command.clone().parameters(&blobs.concat())
    });
    Step::pair(&commands, Compare::Handle).learn(|model, [ours, _]| {
        model.objects.extend(Response::parse(ours).and_then(|response| response.handle()));
    })
}

/// The kind of external objects that has the known RSA key.
const RSA: usize = 2;

/// Objects whose secrets are known, so that both sides compute the same.
fn external(dice: &mut Dice) -> Step {
    let kind = dice.below(5);
    let (sensitive, area) = known(kind, dice);
    let hierarchy = dice.pick(&[NULL, NULL, NULL, OWNER]);
    let parameters = [sized(&sensitive), sized(&area), hierarchy.to_be_bytes().to_vec()].concat();
    let command = Command::new(0x167).parameters(&parameters);
    Step::new(&command, Compare::Exact).learn(move |model, [ours, _]| {
        let handle = Response::parse(ours).and_then(|response| response.handle());
        model.objects.extend(handle);
        model.shared.extend(handle);
        model.salt_keys.extend(handle.filter(|_| kind == RSA));
    })
}

/// The same for a parent, with no wrap, or one that is said to be there.
fn import(model: &Model, dice: &mut Dice) -> Step {
    let parent = model.parent(dice);
    let kind = dice.below(4);
    let (sensitive, area) = known(kind, dice);
    let (key, cipher) = dice.pick(&[
        (&b""[..], &[0, 0x10][..]),
        (b"", &[0, 0x10]),
        (b"", &[0, 0x10]),
        (&[7; 16], &[0, 6, 0, 128, 0, 0x43]),
        (&[7; 16], &[0, 0x10]),
        (&[7; 5], &[0, 6, 0, 128, 0, 0x43]),
    ]);
    let seed = if dice.once_in(8) { dice.bytes(80) } else { Vec::new() };
    let duplicate = sized(&sized(&sensitive));
    let parameters = [sized(key), sized(&area), duplicate, sized(&seed), cipher.to_vec()].concat();
    let command = Command::new(0x156).authorized(parent, PASSWORD).parameters(&parameters);
    Step::new(&command, Compare::Code)
}

/// A sensitive area and the public one that belongs to it.
fn known(kind: usize, dice: &mut Dice) -> (Vec<u8>, Vec<u8>) {
    match kind {
        0 => {
            let size = if dice.once_in(8) { dice.below(40) } else { 16 };
            symmetric(0x25, &[6, 128, 0x43], 0x0006_0040, size, dice)
        }
        1 => {
            let size = if dice.once_in(4) { dice.pick(&[0, 1, 64, 65, 128]) } else { 32 };
            symmetric(0x08, &[5, 0x0B], 0x0004_0040, size, dice)
        }
        RSA => {
            let scheme = dice.pick(&[[0x10, 0x10, 0x10], [0x14, 0x0B, 0], [0x16, 0x0B, 0]]);
            let scheme = if scheme[0] == 0x10 { &scheme[..1] } else { &scheme[..2] };
            let uses = if scheme[0] == 0x10 { 0x0006_0040 } else { 0x0004_0040 };
            let mut details = words(&[0x10]);
            details.extend(words(scheme));
            details.extend(words(&[2048, 0, 0]));
            details.extend(sized(&known_keys::MODULUS));
            let sensitive = secret(0x01, b"", &known_keys::PRIME);
            (sensitive, public(0x01, attributes(uses, dice), b"", &details))
        }
        3 => {
            let details = [words(&[0x10, 0x10, 3, 0x10]), known_keys::POINT.to_vec()].concat();
            let sensitive = secret(0x23, b"", &known_keys::SCALAR);
            (sensitive, public(0x23, attributes(0x0006_0040, dice), b"", &details))
        }
        // The public part alone.
        _ => {
            let details =
                [words(&[0x10, 0x18, 0x0B, 3, 0x10]), known_keys::POINT.to_vec()].concat();
            (Vec::new(), public(0x23, attributes(0x0004_0040, dice), b"", &details))
        }
    }
}

/// A sensitive area (TPMT_SENSITIVE).
fn secret(kind: u16, seed: &[u8], secret: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), sized(PASSWORD), sized(seed), sized(secret)].concat()
}

/// A symmetric key with all that belongs to it.
fn symmetric(
    kind: u16,
    scheme: &[u16],
    uses: u32,
    size: usize,
    dice: &mut Dice,
) -> (Vec<u8>, Vec<u8>) {
    let seed = if dice.once_in(12) { dice.bytes(40) } else { dice.exactly(32) };
    let key = dice.exactly(size);
    let unique = Sha256::new().chain_update(&seed).chain_update(&key).finalize();
    let details = [words(scheme), sized(&unique)].concat();
    (secret(kind, &seed, &key), public(kind, attributes(uses, dice), b"", &details))
}

fn encrypt(object: u32, password: &[u8], exact: Compare, dice: &mut Dice) -> Step {
    let length = dice.pick(&[0, 16, 16, 32, 96, 5, 77]);
    let data = dice.exactly(length);
    // Behind the last whole block the chaining value is anything.
    let compare = if data.len().is_multiple_of(16) { exact } else { Compare::Length };
    let data = sized(&data);
    let mode = dice.pick(&[0x10_u16, 0x43, 0x43, 0x40, 0x41, 0x42, 0x44]).to_be_bytes();
    let size = dice.pick(&[16, 16, 16, 0, 15]);
    let start = sized(&dice.exactly(size));
    let direction = dice.pick(&[0, 1]);
    // The older command has the data last.
    let (code, parameters) = if dice.once_in(2) {
        (0x193, [data, vec![direction], mode.to_vec(), start].concat())
    } else {
        (0x164, [vec![direction], mode.to_vec(), start, data].concat())
    };
    let command = Command::new(code).authorized(object, password).parameters(&parameters);
    Step::new(&command, compare)
}

fn sign(object: u32, password: &[u8], exact: Compare, dice: &mut Dice) -> Step {
    let size = dice.pick(&[32, 32, 32, 20, 48]);
    let digest = sized(&dice.exactly(size));
    let scheme = match dice.below(4) {
        0 => words(&[NO_ALGORITHM]),
        1 => words(&[0x14, 0x0B]),
        2 => words(&[5, 0x0B]),
        _ => words(&[dice.pick(&[0x14, 0x16, 0x18, 0x1B, 0x15]), dice.pick(&HASHES)]),
    };
    // No ticket: TPM_ST_HASHCHECK of the null hierarchy.
    let ticket = [words(&[0x8024]), NULL.to_be_bytes().to_vec(), vec![0, 0]].concat();
    let deterministic = scheme.starts_with(&[0, 0x14]) || scheme.starts_with(&[0, 5]);
    let compare = if deterministic { exact } else { Compare::Length };
    let command = Command::new(0x15D).authorized(object, password);
    Step::new(&command.parameters(&[digest, scheme, ticket].concat()), compare)
}

fn rsa(object: u32, password: &[u8], exact: Compare, dice: &mut Dice) -> Step {
    let scheme = dice.pick(&[&[0x10][..], &[0x15], &[0x17, 0x0B], &[0x14, 0x0B]]);
    let size = dice.pick(&[0, 1, 32, 190, 191, 245, 246, 256, 257]);
    let message = sized(&dice.exactly(size));
    let label = sized(dice.pick(&[&b""[..], b"label\0", b"label"]));
    let parameters = [message, words(scheme), label].concat();
    if dice.once_in(2) {
        // Without padding the result is determined.
        let compare = if scheme == [0x10] { exact } else { Compare::Length };
        return Step::new(&Command::new(0x174).handle(object).parameters(&parameters), compare);
    }
    let command = Command::new(0x159).authorized(object, password).parameters(&parameters);
    Step::new(&command, exact)
}

fn context(model: &Model, object: u32, dice: &mut Dice) -> Step {
    if dice.once_in(2) || model.contexts.is_empty() {
        let save = Command::new(0x162).handle(object);
        return Step::new(&save, Compare::Code).learn(|model, responses| {
            let body = |response| Response::parse(response)?.parameters().map(<[u8]>::to_vec);
            if let [Some(ours), Some(theirs)] = responses.map(body) {
                model.contexts.push([ours, theirs]);
            }
        });
    }
    let context = &model.contexts[dice.below(model.contexts.len())];
    let commands = [0, 1].map(|side: usize| Command::new(0x161).parameters(&context[side]));
    Step::pair(&commands, Compare::Exact).learn(|model, [ours, _]| {
        model.objects.extend(Response::parse(ours).and_then(|response| response.handle()));
    })
}

fn test_parameters(dice: &mut Dice) -> Step {
    let parameters = match dice.below(4) {
        0 => words(&[1, 0x10, 0x10, dice.pick(&[1024, 2048, 3072, 512]), 0, 0]),
        1 => words(&[0x23, 0x10, 0x10, dice.pick(&[3, 4, 0x99]), 0x10]),
        2 => words(&[0x25, 6, dice.pick(&[128, 256, 64]), dice.pick(&[0x43, 0x44, 0x10])]),
        _ => words(&[8, 5, dice.pick(&HASHES)]),
    };
    Step::new(&Command::new(0x18A).parameters(&parameters), Compare::Exact)
}
