//! `svsm image sign`: an ID block with signatures for an IGVM file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use svsm_image::measure::{PageList, snp_launch_digest};
use svsm_image::sign::{Identity, SigningKey, sign};

use super::hexadecimal::sixteen_bytes;
use super::loader::Loader;
use super::read::read;
use crate::failure::Verdict;
use crate::output_file;
use crate::table::{self, Cell};
use crate::terminal::{Terminal, Tone};

/// Arguments of `svsm image sign`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cargo svsm image sign svsm.igvm --id-key id.pem --svn 1
  cargo svsm image sign svsm.igvm --id-key id.pem --author-key author.pem --svn 1 --out signed.igvm
  cargo svsm image sign svsm.igvm --id-key id.pem --svn 1 --vmm kvm --vcpus 4

Keys are ECDSA keys on P-384 in PEM files, for example from
`openssl ecparam -name secp384r1 -genkey -noout`. The digest that is signed is
that of `image measure` with the same options.")]
pub(crate) struct Arguments {
    /// The IGVM file
    file: PathBuf,
    /// Private key that signs the ID block
    #[arg(long, value_name = "PEM")]
    id_key: PathBuf,
    /// Private key that signs the ID key
    #[arg(long, value_name = "PEM")]
    author_key: Option<PathBuf>,
    /// Security version number of the image
    #[arg(long, value_name = "N")]
    svn: u32,
    /// Family that the image belongs to, 32 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = sixteen_bytes)]
    family_id: Option<[u8; 16]>,
    /// Image within the family, 32 hexadecimal digits
    #[arg(long, value_name = "HEX", value_parser = sixteen_bytes)]
    image_id: Option<[u8; 16]>,
    #[command(flatten)]
    loader: Loader,
    /// The signed file [default: FILE with `-signed` before its extension]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also tell the properties for QEMU's `sev-snp-guest` object, for a launch
    /// without IGVM file
    #[arg(long)]
    qemu: bool,
}

/// Runs the command.
///
/// # Errors
///
/// A file cannot be read or written, a key is unusable, or the image is not
/// for SEV-SNP.
pub(crate) fn run(arguments: &Arguments, terminal: Terminal) -> Result<Verdict> {
    let options = arguments.loader.options(PageList::Omit)?;
    let file = || arguments.file.display().to_string();
    let igvm = read(&arguments.file)?;
    let id_key = SigningKey::from_file(&arguments.id_key)?;
    let author_key = arguments.author_key.as_deref().map(SigningKey::from_file).transpose()?;
    let digest = snp_launch_digest(&igvm, &options).with_context(file)?.digest;
    let identity = Identity {
        family_id: arguments.family_id.unwrap_or_default(),
        image_id: arguments.image_id.unwrap_or_default(),
        guest_svn: arguments.svn,
    };
    let signed = sign(&igvm, digest, &identity, &id_key, author_key.as_ref()).with_context(file)?;
    let out = arguments.out.clone().unwrap_or_else(|| default_output(&arguments.file));
    output_file::write(&out, &signed.add_to(&igvm).with_context(file)?)?;

    let row =
        |name: &str, value: String| vec![Cell::words(name).tone(Tone::Strong), Cell::words(value)];
    let mut rows = vec![
        row("signed image", out.display().to_string()),
        row("launch digest", digest.to_string()),
        row("ID key digest", id_key.digest().to_string()),
    ];
    rows.extend(author_key.map(|key| row("author key digest", key.digest().to_string())));
    if arguments.qemu {
        rows.push(row("QEMU", signed.qemu_options()));
    }
    terminal.line(&table::render(&rows, terminal))?;
    Ok(Verdict::Good)
}

/// `folder/name.igvm` becomes `folder/name-signed.igvm`.
fn default_output(file: &Path) -> PathBuf {
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push("-signed");
    if let Some(extension) = file.extension() {
        name.push(".");
        name.push(extension);
    }
    file.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::default_output;

    #[test]
    fn the_signed_file_lies_beside_the_original() {
        let name = |file: &str| default_output(Path::new(file));
        assert_eq!(name("a/svsm.igvm"), Path::new("a/svsm-signed.igvm"));
        assert_eq!(name("image"), Path::new("image-signed"));
    }
}
