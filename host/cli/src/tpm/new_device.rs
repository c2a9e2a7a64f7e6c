//! `--manufacture` and what belongs to it: a new device in an empty folder.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use svsm_tpm::{Authority, Origin, StateFolder, manufacture};
use zeroize::Zeroizing;

/// Most bytes of a certificate, key or seed that are read.
const LARGEST: u64 = 64 << 10;
/// Names of the test authority's files.
const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";

/// How a new device is made.
#[derive(Debug, clap::Args)]
pub(super) struct NewDevice {
    /// Make a new device if the folder holds none: with endorsement keys of RSA
    /// 2048, P-256 and P-384, and certificates for them where the TCG's profile
    /// puts them
    #[arg(long)]
    manufacture: bool,
    /// Certificate of the authority that certifies the endorsement keys, PEM
    /// [without: a test authority is made, its files go to the folder]
    #[arg(long, value_name = "FILE", requires = "ca_key", requires = "manufacture")]
    ca: Option<PathBuf>,
    /// The authority's private key: PKCS#8 in PEM, of P-256, P-384 or RSA
    #[arg(long, value_name = "FILE", requires = "ca")]
    ca_key: Option<PathBuf>,
    /// File whose bytes the device's seeds are made from: the same bytes make
    /// the same keys. For tests only
    #[arg(long, value_name = "FILE", requires = "manufacture")]
    seed: Option<PathBuf>,
}

/// Makes a device in the folder at `path` if it is empty. Gives lines for a
/// person.
///
/// # Errors
///
/// The folder is empty and no device is wanted; authority or seed are of no use;
/// or the device cannot be made or stored.
pub(super) fn ensure(
    folder: &mut StateFolder,
    path: &Path,
    arguments: &NewDevice,
) -> Result<Vec<String>> {
    if !folder.is_empty() {
        return Ok(Vec::new());
    }
    if !arguments.manufacture {
        bail!(
            "{} holds no device: make one with --manufacture, or name another folder",
            path.display()
        );
    }
    let seed = arguments.seed.as_deref().map(read).transpose()?;
    let origin = seed.as_ref().map_or(Origin::Random, |seed| Origin::Seed(seed));
    let (authority, told) = match (&arguments.ca, &arguments.ca_key) {
        (Some(certificate), Some(key)) => {
            let pem = Authority::from_pem(&read_text(certificate)?, &read_text(key)?);
            let authority =
                pem.with_context(|| format!("{} and {}", certificate.display(), key.display()))?;
            (authority, certificate.clone())
        }
        _ => (test_authority(path)?, path.join(CERTIFICATE)),
    };
    manufacture(folder, origin, &authority).context("no device could be made")?;
    Ok(vec![format!("new device in {}, certified by {}", path.display(), told.display())])
}

/// The test authority in the folder, which is made if it is missing.
fn test_authority(folder: &Path) -> Result<Authority> {
    let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
    if certificate.exists() && key.exists() {
        let pem = Authority::from_pem(&read_text(&certificate)?, &read_text(&key)?);
        return pem.with_context(|| format!("{} and {}", certificate.display(), key.display()));
    }
    let authority = Authority::test()?;
    let pem = authority.key_pem()?.context("a test authority's key can be written")?;
    write(&key, pem.as_bytes(), 0o600)?;
    write(&certificate, authority.certificate_pem()?.as_bytes(), 0o644)?;
    Ok(authority)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let failed = || format!("cannot read {}", path.display());
    let file = std::fs::File::open(path).with_context(failed)?;
    // With its final capacity from the start: growing would leave copies behind.
    let mut content = Zeroizing::new(Vec::with_capacity(LARGEST as usize + 1));
    file.take(LARGEST + 1).read_to_end(&mut content).with_context(failed)?;
    if content.len() as u64 > LARGEST {
        bail!("{} has more than {LARGEST} bytes", path.display());
    }
    Ok(content)
}

fn read_text(path: &Path) -> Result<Zeroizing<String>> {
    let content = read(path)?;
    let text = std::str::from_utf8(&content)
        .with_context(|| format!("{} is not text, so not PEM", path.display()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    let written = options.open(path).and_then(|mut file| file.write_all(content));
    written.with_context(|| format!("cannot write {}", path.display()))
}
