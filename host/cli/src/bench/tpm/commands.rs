//! The commands that are measured, what they need before and what they leave.

use anyhow::{Context, Result};
use svsm_tpm::message::{Command, Response, sized, take_sized};

/// TPM_RH_*.
const OWNER: u32 = 0x4000_0001;
const NULL: u32 = 0x4000_0007;
/// An NV index for data and one for a counter.
const DATA: u32 = 0x0150_00F0;
const COUNTER: u32 = 0x0150_00F1;
/// TPM_CC_*.
const UNDEFINE: u32 = 0x122;
const FLUSH: u32 = 0x165;

/// Runs a command that has to succeed and gives its response.
pub(super) type Run<'a> = dyn FnMut(&[u8]) -> Result<Vec<u8>> + 'a;

/// A command that is measured.
pub(super) struct Exercise {
    pub(super) name: &'static str,
    /// Makes what the command needs.
    pub(super) prepare: fn(&mut Run<'_>) -> Result<Prepared>,
}

/// A command that is ready.
pub(super) struct Prepared {
    /// Sent in turn.
    commands: Vec<Vec<u8>>,
    /// Whether a response's handle is to be flushed.
    after: After,
    end: Vec<Vec<u8>>,
}

/// What a response leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Nothing,
    /// An object or session, whose handle the response begins with.
    Handle,
}

impl Prepared {
    fn new(command: &Command) -> Self {
        Self { commands: vec![command.bytes()], after: After::Nothing, end: Vec::new() }
    }

    /// In turn with this one.
    fn or(mut self, command: &Command) -> Self {
        self.commands.push(command.bytes());
        self
    }

    /// The responses leave handles.
    fn leaving_handles(self) -> Self {
        Self { after: After::Handle, ..self }
    }

    /// These objects were made for it.
    fn using(self, handles: &[u32]) -> Self {
        Self { end: handles.iter().map(|handle| flush(*handle)).collect(), ..self }
    }

    /// This NV index was made for it.
    fn using_index(self, index: u32) -> Self {
        let undefine = Command::new(UNDEFINE).authorized(OWNER, b"").handle(index);
        Self { end: vec![undefine.bytes()], ..self }
    }

    /// The next command.
    pub(super) fn command(&mut self) -> Vec<u8> {
        self.commands.rotate_left(1);
        self.commands.last().cloned().unwrap_or_default()
    }

    /// What has to be done after a response.
    pub(super) fn after(&mut self, response: &[u8]) -> Option<Vec<u8>> {
        let handle = Response::parse(response).and_then(|response| response.handle());
        handle.filter(|_| self.after == After::Handle).map(flush)
    }

    /// What has to be done at the end.
    pub(super) fn end(self) -> Vec<Vec<u8>> {
        self.end
    }
}

fn flush(handle: u32) -> Vec<u8> {
    Command::new(FLUSH).parameters(&handle.to_be_bytes()).bytes()
}

/// Keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa2048,
    P256,
    P384,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The parent of others.
    Storage,
    Signing,
    /// Signing what the device itself says.
    Attestation,
    Decryption,
}

/// A template (TPMT_PUBLIC).
fn template(kind: Kind, purpose: Purpose) -> Vec<u8> {
    const AES_128_CFB: [u16; 3] = [6, 128, 0x43];
    let (attributes, symmetric): (u32, &[u16]) = match purpose {
        Purpose::Storage => (0x0003_0472, &AES_128_CFB),
        Purpose::Signing => (0x0004_0472, &[0x10]),
        Purpose::Attestation => (0x0005_0472, &[0x10]),
        Purpose::Decryption => (0x0002_0472, &[0x10]),
    };
    let hash = if kind == Kind::P384 { 0x0C } else { 0x0B };
    let signs = matches!(purpose, Purpose::Signing | Purpose::Attestation);
    let scheme: Vec<u16> = match (signs, kind) {
        (true, Kind::Rsa2048) => vec![0x14, hash],
        (true, _) => vec![0x18, hash],
        (false, _) => vec![0x10],
    };
    let rest: &[u16] = match kind {
        Kind::Rsa2048 => &[2048, 0, 0, 0],
        Kind::P256 => &[3, 0x10, 0, 0],
        Kind::P384 => &[4, 0x10, 0, 0],
    };
    let start = [if kind == Kind::Rsa2048 { 1 } else { 0x23 }, 0x0B];
    [
        words(&start),
        attributes.to_be_bytes().to_vec(),
        sized(&[]),
        words(symmetric),
        words(&scheme),
        words(rest),
    ]
    .concat()
}

fn words(words: &[u16]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// Parameters of a creation: sensitive data, template, nothing else.
fn creation(template: &[u8], data: &[u8]) -> Vec<u8> {
    [sized(&[sized(&[]), sized(data)].concat()), sized(template), sized(&[]), vec![0; 4]].concat()
}

fn create_primary(kind: Kind, purpose: Purpose) -> Command {
    let command = Command::new(0x131).authorized(OWNER, b"");
    command.parameters(&creation(&template(kind, purpose), b""))
}

/// Makes a primary key and gives its handle.
fn primary(run: &mut Run<'_>, kind: Kind, purpose: Purpose) -> Result<u32> {
    let response = run(&create_primary(kind, purpose).bytes())?;
    Response::parse(&response).and_then(|one| one.handle()).context("there is no handle")
}

fn create(parent: u32, template: &[u8], data: &[u8]) -> Command {
    Command::new(0x153).authorized(parent, b"").parameters(&creation(template, data))
}

/// The command that loads a new object.
fn load(run: &mut Run<'_>, parent: u32, template: &[u8], data: &[u8]) -> Result<Command> {
    let response = run(&create(parent, template, data).bytes())?;
    let parts = Response::parse(&response).and_then(|response| {
        let mut body = response.parameters()?;
        Some((take_sized(&mut body)?.to_vec(), take_sized(&mut body)?.to_vec()))
    });
    let (private, public) = parts.context("there is no object")?;
    let blobs = [sized(&private), sized(&public)].concat();
    Ok(Command::new(0x157).authorized(parent, b"").parameters(&blobs))
}

/// The same template makes the same key, and some are found sooner than others:
/// so each time another one.
fn exercise_create_primary(kind: Kind) -> Result<Prepared> {
    const KEYS: u8 = 200;
    let command = |number: u8| {
        let mut template = template(kind, Purpose::Signing);
        // The unique field stands last: two of them for a point.
        template.truncate(template.len() - if kind == Kind::Rsa2048 { 2 } else { 4 });
        template.extend(sized(&[number; 32]));
        if kind != Kind::Rsa2048 {
            template.extend(sized(&[]));
        }
        Command::new(0x131).authorized(OWNER, b"").parameters(&creation(&template, b""))
    };
    let first = Prepared::new(&command(0)).leaving_handles();
    Ok((1..KEYS).fold(first, |prepared, number| prepared.or(&command(number))))
}

fn exercise_create(run: &mut Run<'_>, kind: Kind) -> Result<Prepared> {
    let parent = primary(run, Kind::P256, Purpose::Storage)?;
    let command = create(parent, &template(kind, Purpose::Signing), b"");
    Ok(Prepared::new(&command).using(&[parent]))
}

fn exercise_load(run: &mut Run<'_>, kind: Kind) -> Result<Prepared> {
    let parent = primary(run, Kind::P256, Purpose::Storage)?;
    let command = load(run, parent, &template(kind, Purpose::Signing), b"")?;
    Ok(Prepared::new(&command).leaving_handles().using(&[parent]))
}

/// The digest that is signed, as long as the key's scheme wants it.
fn digest(kind: Kind) -> Vec<u8> {
    sized(&vec![7; if kind == Kind::P384 { 48 } else { 32 }])
}

fn sign(key: u32, kind: Kind) -> Command {
    // The key's own scheme, and no ticket.
    let ticket = [words(&[0x10, 0x8024]), NULL.to_be_bytes().to_vec(), vec![0, 0]].concat();
    Command::new(0x15D).authorized(key, b"").parameters(&digest(kind)).parameters(&ticket)
}

fn exercise_sign(run: &mut Run<'_>, kind: Kind) -> Result<Prepared> {
    let key = primary(run, kind, Purpose::Signing)?;
    Ok(Prepared::new(&sign(key, kind)).using(&[key]))
}

fn exercise_verify(run: &mut Run<'_>, kind: Kind) -> Result<Prepared> {
    let key = primary(run, kind, Purpose::Signing)?;
    let response = run(&sign(key, kind).bytes())?;
    let signature = Response::parse(&response).and_then(|response| response.parameters());
    let command = Command::new(0x177).handle(key).parameters(&digest(kind));
    let command = command.parameters(signature.context("there is no signature")?);
    Ok(Prepared::new(&command).using(&[key]))
}

fn exercise_quote(run: &mut Run<'_>, kind: Kind) -> Result<Prepared> {
    let key = primary(run, kind, Purpose::Attestation)?;
    // Some data, the key's own scheme, eight PCRs in SHA-256.
    let selection = [0, 0, 0, 1, 0, 0x0B, 3, 0xFF, 0, 0];
    let parameters = [sized(&[7; 20]), words(&[0x10]), selection.to_vec()].concat();
    let command = Command::new(0x158).authorized(key, b"").parameters(&parameters);
    Ok(Prepared::new(&command).using(&[key]))
}

fn exercise_agree(run: &mut Run<'_>) -> Result<Prepared> {
    let key = primary(run, Kind::P256, Purpose::Decryption)?;
    // TPM2_ECDH_KeyGen gives a secret and a point.
    let response = run(&Command::new(0x163).handle(key).bytes())?;
    let point = Response::parse(&response).and_then(|response| {
        let mut body = response.parameters()?;
        take_sized(&mut body)?;
        take_sized(&mut body).map(<[u8]>::to_vec)
    });
    let point = sized(&point.context("there is no point")?);
    let command = Command::new(0x154).authorized(key, b"").parameters(&point);
    Ok(Prepared::new(&command).using(&[key]))
}

fn exercise_decrypt(run: &mut Run<'_>) -> Result<Prepared> {
    let key = primary(run, Kind::Rsa2048, Purpose::Decryption)?;
    // OAEP with SHA-256, no label.
    let scheme = [words(&[0x17, 0x0B]), sized(&[])].concat();
    let encrypt = Command::new(0x174).handle(key).parameters(&sized(&[7; 32]));
    let response = run(&encrypt.parameters(&scheme).bytes())?;
    let encrypted = Response::parse(&response).and_then(|response| response.parameters());
    let command = Command::new(0x159).authorized(key, b"");
    let command = command.parameters(encrypted.context("nothing was encrypted")?);
    Ok(Prepared::new(&command.parameters(&scheme)).using(&[key]))
}

fn exercise_unseal(run: &mut Run<'_>) -> Result<Prepared> {
    let parent = primary(run, Kind::P256, Purpose::Storage)?;
    let area = [words(&[8, 0x0B]), 0x0452_u32.to_be_bytes().to_vec(), words(&[0, 0x10, 0])];
    let response = load(run, parent, &area.concat(), &[7; 32])?.bytes();
    let response = run(&response)?;
    let sealed = Response::parse(&response).and_then(|one| one.handle());
    let sealed = sealed.context("there is no handle")?;
    let command = Command::new(0x15E).authorized(sealed, b"");
    Ok(Prepared::new(&command).using(&[sealed, parent]))
}

/// Defines an index that the owner reads and writes.
fn define(run: &mut Run<'_>, index: u32, kind: u32, size: u16) -> Result<()> {
    let public = [
        index.to_be_bytes().to_vec(),
        words(&[0x0B]),
        (0x0002_0002 | kind).to_be_bytes().to_vec(),
        sized(&[]),
        size.to_be_bytes().to_vec(),
    ];
    let command = Command::new(0x12A).authorized(OWNER, b"").parameters(&sized(&[]));
    run(&command.parameters(&sized(&public.concat())).bytes()).map(drop)
}

fn nv_write(byte: u8) -> Command {
    let command = Command::new(0x137).authorized(OWNER, b"").handle(DATA);
    command.parameters(&sized(&[byte; 32])).parameters(&[0, 0])
}

fn exercise_nv_read(run: &mut Run<'_>) -> Result<Prepared> {
    define(run, DATA, 0, 32)?;
    run(&nv_write(7).bytes())?;
    let command = Command::new(0x14E).authorized(OWNER, b"").handle(DATA);
    Ok(Prepared::new(&command.parameters(&[0, 32, 0, 0])).using_index(DATA))
}

fn exercise_context_load(run: &mut Run<'_>) -> Result<Prepared> {
    let key = primary(run, Kind::P256, Purpose::Signing)?;
    let response = run(&Command::new(0x162).handle(key).bytes())?;
    run(&flush(key))?;
    let context = Response::parse(&response).and_then(|response| response.parameters());
    let command = Command::new(0x161).parameters(context.context("there is no context")?);
    Ok(Prepared::new(&command).leaving_handles())
}

/// What is measured, in the order of the table.
pub(super) const EXERCISES: &[Exercise] = &[
    Exercise {
        name: "GetRandom, 32 bytes",
        prepare: |_| Ok(Prepared::new(&Command::new(0x17B).parameters(&[0, 32]))),
    },
    Exercise {
        name: "PCR_Read, 8 PCRs",
        prepare: |_| {
            let selection = [0, 0, 0, 1, 0, 0x0B, 3, 0xFF, 0, 0];
            Ok(Prepared::new(&Command::new(0x17E).parameters(&selection)))
        },
    },
    Exercise {
        name: "PCR_Extend, SHA-256",
        prepare: |_| {
            let digest = [&[0, 0, 0, 1, 0, 0x0B][..], &[7; 32]].concat();
            Ok(Prepared::new(&Command::new(0x182).authorized(16, b"").parameters(&digest)))
        },
    },
    Exercise {
        name: "Hash, 1 KiB, SHA-256",
        prepare: |_| {
            let end = [words(&[0x0B]), NULL.to_be_bytes().to_vec()].concat();
            let command = Command::new(0x17D).parameters(&sized(&[7; 1024])).parameters(&end);
            Ok(Prepared::new(&command))
        },
    },
    Exercise {
        name: "StartAuthSession, policy",
        prepare: |_| {
            let parameters = [sized(&[7; 16]), sized(&[]), vec![1], words(&[0x10, 0x0B])];
            let command = Command::new(0x176).handle(NULL).handle(NULL);
            let command = command.parameters(&parameters.concat());
            Ok(Prepared::new(&command).leaving_handles())
        },
    },
    Exercise {
        name: "ReadPublic, P-256",
        prepare: |run| {
            let key = primary(run, Kind::P256, Purpose::Signing)?;
            Ok(Prepared::new(&Command::new(0x173).handle(key)).using(&[key]))
        },
    },
    Exercise { name: "CreatePrimary, P-256", prepare: |_| exercise_create_primary(Kind::P256) },
    Exercise {
        name: "CreatePrimary, RSA 2048",
        prepare: |_| exercise_create_primary(Kind::Rsa2048),
    },
    Exercise { name: "Create, P-256", prepare: |run| exercise_create(run, Kind::P256) },
    Exercise { name: "Create, P-384", prepare: |run| exercise_create(run, Kind::P384) },
    Exercise { name: "Create, RSA 2048", prepare: |run| exercise_create(run, Kind::Rsa2048) },
    Exercise { name: "Load, P-256", prepare: |run| exercise_load(run, Kind::P256) },
    Exercise { name: "Load, RSA 2048", prepare: |run| exercise_load(run, Kind::Rsa2048) },
    Exercise { name: "Sign, P-256", prepare: |run| exercise_sign(run, Kind::P256) },
    Exercise { name: "Sign, P-384", prepare: |run| exercise_sign(run, Kind::P384) },
    Exercise { name: "Sign, RSA 2048", prepare: |run| exercise_sign(run, Kind::Rsa2048) },
    Exercise { name: "VerifySignature, P-256", prepare: |run| exercise_verify(run, Kind::P256) },
    Exercise {
        name: "VerifySignature, RSA 2048",
        prepare: |run| exercise_verify(run, Kind::Rsa2048),
    },
    Exercise { name: "Quote, P-256", prepare: |run| exercise_quote(run, Kind::P256) },
    Exercise { name: "Quote, RSA 2048", prepare: |run| exercise_quote(run, Kind::Rsa2048) },
    Exercise {
        name: "ECDH_KeyGen, P-256",
        prepare: |run| {
            let key = primary(run, Kind::P256, Purpose::Decryption)?;
            Ok(Prepared::new(&Command::new(0x163).handle(key)).using(&[key]))
        },
    },
    Exercise { name: "ECDH_ZGen, P-256", prepare: exercise_agree },
    Exercise { name: "RSA_Decrypt, OAEP", prepare: exercise_decrypt },
    Exercise { name: "Unseal, 32 bytes", prepare: exercise_unseal },
    Exercise {
        name: "NV_Write, 32 bytes",
        prepare: |run| {
            define(run, DATA, 0, 32)?;
            // What is there already need not be written.
            Ok(Prepared::new(&nv_write(1)).or(&nv_write(2)).using_index(DATA))
        },
    },
    Exercise { name: "NV_Read, 32 bytes", prepare: exercise_nv_read },
    Exercise {
        name: "NV_Increment",
        prepare: |run| {
            define(run, COUNTER, 0x10, 8)?;
            let command = Command::new(0x134).authorized(OWNER, b"").handle(COUNTER);
            Ok(Prepared::new(&command).using_index(COUNTER))
        },
    },
    Exercise {
        name: "ContextSave, P-256",
        prepare: |run| {
            let key = primary(run, Kind::P256, Purpose::Signing)?;
            Ok(Prepared::new(&Command::new(0x162).handle(key)).using(&[key]))
        },
    },
    Exercise { name: "ContextLoad, P-256", prepare: exercise_context_load },
    Exercise {
        name: "SelfTest, full",
        prepare: |_| Ok(Prepared::new(&Command::new(0x143).parameters(&[1]))),
    },
];
