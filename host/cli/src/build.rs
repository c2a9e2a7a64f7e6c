//! `svsm build`: an image from a manifest.
//!
//! The cargo packages that the manifest names are built for bare metal, then
//! the image library puts everything together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use svsm_image::build::Image;
use svsm_image::file::Igvm;
use svsm_image::manifest::{Manifest, PlatformName};
use svsm_image::measure::{Options, snp_launch_digest};
use svsm_image::sign::SigningKey;

use crate::failure::Verdict;
use crate::module;
use crate::output_file;
use crate::process;
use crate::project::Project;
use crate::session::Session;
use crate::table::{self, Cell};
use crate::terminal::{Terminal, Tone};

/// Arguments of `svsm build`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm build
  cargo svsm build --profile dev --platform native
  cargo svsm build --manifest my-image.toml --out my-folder
  cargo svsm build --id-key id.pem

The image is written to target/svsm/PROFILE/NAME.igvm, and with platform
`native` also to NAME-native.elf, which QEMU starts with -kernel.")]
pub(crate) struct Arguments {
    /// What the image is made of [default: images/svsm.toml of this tree]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// How the packages are compiled
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// Only for this platform, `snp` or `native`; may be given several times
    /// [default: all of the manifest]
    #[arg(long = "platform", value_name = "PLATFORM")]
    platforms: Vec<PlatformName>,
    /// Folder for the files [default: target/svsm/PROFILE]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Private key on P-384 that signs an ID block with the manifest's
    /// security version number; `svsm image sign` has more choices
    #[arg(long, value_name = "PEM")]
    id_key: Option<PathBuf>,
    /// Private key that signs the ID key
    #[arg(long, value_name = "PEM", requires = "id_key")]
    author_key: Option<PathBuf>,
}

/// What an image is made of if nothing else is said, in the tree.
const DEFAULT_MANIFEST: &str = "images/svsm.toml";

/// How packages are compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Profile {
    /// With debug assertions, cargo's profile `module-dev`
    Dev,
    /// Small and the same bytes every time, cargo's profile `module`
    #[default]
    Release,
}

impl Profile {
    const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    const fn cargo(self) -> &'static str {
        match self {
            Self::Dev => "module-dev",
            Self::Release => "module",
        }
    }
}

/// The files of an image.
pub(crate) struct Built {
    /// The IGVM file.
    pub(crate) igvm: PathBuf,
    /// The ELF file for plain virtual machines, with platform `native`.
    pub(crate) native: Option<PathBuf>,
    /// Version and origin of the core library in them.
    core: String,
    /// What is in them.
    pub(crate) image: Image,
}

/// Runs the command.
///
/// # Errors
///
/// The manifest, a package or a part is at fault, or a file cannot be written.
pub(crate) fn run(arguments: &Arguments, session: Session) -> Result<Verdict> {
    let project = Project::open(session)?;
    for variable in module::unwelcome(std::env::vars_os().map(|(name, _)| name)) {
        let note = format!("note: {} is not used for images", variable.to_string_lossy());
        eprintln!("{}", session.terminal.paint_error(Tone::Notable, &note));
    }
    let built = make(&project, arguments, Stdio::inherit())?;
    session.terminal.line(&summary(&built, session.terminal)?)?;
    Ok(Verdict::Good)
}

/// The image that is tested: the default manifest, release, all platforms.
/// Messages of the compiler go to `messages`.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn default_image(project: &Project, messages: Stdio) -> Result<Built> {
    make(project, &released(None), messages)
}

/// The image of `manifest`, otherwise as [`default_image`].
///
/// # Errors
///
/// As [`run`].
pub(crate) fn image(project: &Project, manifest: &Path, messages: Stdio) -> Result<Built> {
    make(project, &released(Some(manifest.to_owned())), messages)
}

/// The image of a manifest that was read and changed, in a folder of its own;
/// otherwise as [`default_image`].
///
/// # Errors
///
/// As [`run`].
pub(crate) fn changed_image(
    project: &Project,
    manifest: &Manifest,
    messages: Stdio,
) -> Result<Built> {
    let folder = project.workspace.output().join("changed");
    make_of(project, manifest, &Arguments { out: Some(folder), ..released(None) }, messages)
}

/// The default manifest.
///
/// # Errors
///
/// It cannot be read.
pub(crate) fn default_manifest(project: &Project) -> Result<Manifest> {
    Ok(Manifest::load(&project.workspace.root().join(DEFAULT_MANIFEST))?)
}

/// Compiles what `manifest` names, for release, and says where the programs lie.
///
/// # Errors
///
/// As [`compile`].
pub(crate) fn compile_for(
    project: &Project,
    manifest: &Manifest,
    messages: Stdio,
) -> Result<BTreeMap<String, PathBuf>> {
    let packages: BTreeSet<&str> = manifest.packages().collect();
    compile(project, &packages, Profile::Release.cargo(), messages)
}

/// Release, all platforms, the usual folder.
fn released(manifest: Option<PathBuf>) -> Arguments {
    Arguments {
        manifest,
        profile: Profile::Release,
        platforms: Vec::new(),
        out: None,
        id_key: None,
        author_key: None,
    }
}

fn make(project: &Project, arguments: &Arguments, messages: Stdio) -> Result<Built> {
    let manifest = match &arguments.manifest {
        Some(path) => Manifest::load(path)?,
        None => default_manifest(project)?,
    };
    make_of(project, &manifest, arguments, messages)
}

fn make_of(
    project: &Project,
    manifest: &Manifest,
    arguments: &Arguments,
    messages: Stdio,
) -> Result<Built> {
    let packages: BTreeSet<&str> = manifest.packages().collect();
    let programs = compile(project, &packages, arguments.profile.cargo(), messages)?;
    let platforms = if arguments.platforms.is_empty() {
        manifest.platforms.clone()
    } else {
        arguments.platforms.iter().copied().collect()
    };
    let mut image = svsm_image::build::build(manifest, &platforms, &programs)?;
    if let Some(id_key) = &arguments.id_key {
        let id_key = SigningKey::from_file(id_key)?;
        let author_key = arguments.author_key.as_deref().map(SigningKey::from_file).transpose()?;
        image.sign(manifest, &id_key, author_key.as_ref())?;
    }

    let default = || project.workspace.output().join(arguments.profile.name());
    let folder = arguments.out.clone().unwrap_or_else(default);
    let igvm = folder.join(format!("{}.igvm", manifest.name));
    output_file::write(&igvm, &image.igvm)?;
    let native = folder.join(format!("{}-native.elf", manifest.name));
    let native = match &image.pvh {
        Some(bytes) => output_file::write(&native, bytes).map(|()| Some(native))?,
        None => None,
    };
    let core = project.toolbox.bare_metal()?.origin;
    Ok(Built { igvm, native, core, image })
}

/// One line of cargo's `--message-format=json`, as far as it is of use.
#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    executable: Option<PathBuf>,
}

/// Builds packages for bare metal, by one of cargo's profiles, and says where
/// their programs lie.
///
/// # Errors
///
/// There is no such package, it does not compile, or it has not just one
/// program.
pub(crate) fn compile(
    project: &Project,
    packages: &BTreeSet<&str>,
    cargo_profile: &str,
    messages: Stdio,
) -> Result<BTreeMap<String, PathBuf>> {
    if packages.is_empty() {
        return Ok(BTreeMap::new());
    }
    for name in packages {
        if !project.workspace.packages().iter().any(|package| package.name == *name) {
            bail!("there is no package `{name}` in this tree");
        }
    }
    let mut command = module::cargo(project, "build")?;
    command.args(["--profile", cargo_profile, "--message-format=json-render-diagnostics"]);
    for name in packages {
        command.args(["--package", name]);
    }
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(messages).spawn();
    let output = output.and_then(std::process::Child::wait_with_output);
    let output = output.context("cannot run cargo")?;
    if !output.status.success() {
        bail!("`{}` failed ({})", process::show(&command), output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let programs = packages.iter().map(|name| {
        let program = program_of(project, name, &text)?;
        Ok(((*name).to_owned(), program))
    });
    programs.collect()
}

/// The one program that cargo has built of a package.
fn program_of(project: &Project, name: &str, messages: &str) -> Result<PathBuf> {
    let manifest = project.workspace.packages().iter().find(|package| package.name == name);
    let manifest = manifest.map(|package| package.manifest.as_path());
    let messages = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mut programs = messages.filter_map(|message: Message| {
        let ours =
            message.reason == "compiler-artifact" && message.manifest_path.as_deref() == manifest;
        message.executable.filter(|_| ours)
    });
    let first = programs.next().ok_or_else(|| anyhow!("package `{name}` has no program"))?;
    match programs.next() {
        None => Ok(first),
        Some(_) => bail!("package `{name}` has more than one program: an image needs just one"),
    }
}

fn summary(built: &Built, terminal: Terminal) -> Result<String> {
    let size = |bytes: usize| format!("{} KiB", bytes.div_ceil(1024));
    let row = |what: &str, size: String, rest: String| {
        vec![Cell::words(what).tone(Tone::Strong), Cell::figure(size), Cell::words(rest)]
    };
    let file = |path: &Path| path.display().to_string();
    let mut rows = vec![row("image", size(built.image.igvm.len()), file(&built.igvm))];
    if let (Some(path), Some(bytes)) = (&built.native, &built.image.pvh) {
        rows.push(row("native", size(bytes.len()), file(path)));
    }
    for (platform, parts) in &built.image.parts {
        let bytes: u64 = parts.iter().map(|part| part.size).sum();
        let kib = format!("{} KiB", bytes / 1024);
        rows.push(row(&platform.to_string(), kib, format!("{} parts placed", parts.len())));
    }
    rows.push(row("core", String::new(), built.core.clone()));
    let mut text = table::render(&rows, terminal);
    if built.image.parts.contains_key(&PlatformName::Snp) {
        let igvm = Igvm::parse(&built.image.igvm)?;
        let measurement = snp_launch_digest(&igvm, &Options::default())?;
        text.push_str(&format!("\nlaunch digest  {}", measurement.digest));
    }
    Ok(text)
}
