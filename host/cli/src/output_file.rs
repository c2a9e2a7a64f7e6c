//! Writing a file that other programs read.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file, with the folders above it, so that it is never seen
/// half-written: other programs see the old file or the new one.
///
/// # Errors
///
/// The file system refuses; the message names the file.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    // A path of one word lies in the current folder.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let result = std::fs::create_dir_all(folder).and_then(|()| {
        // Temporary files are otherwise for one user only.
        let readable = Permissions::from_mode(0o644);
        let file = tempfile::Builder::new().permissions(readable).tempfile_in(folder)?;
        std::fs::write(file.path(), bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    });
    result.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::write;

    #[test]
    fn a_file_is_replaced_as_a_whole() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("new/image");
        write(&path, b"first")?;
        write(&path, b"second")?;
        assert_eq!(std::fs::read(&path)?, b"second");
        assert_eq!(path.metadata()?.permissions().mode() & 0o777, 0o644);
        assert_eq!(std::fs::read_dir(folder.path().join("new"))?.count(), 1);
        Ok(())
    }

    #[test]
    fn a_folder_in_the_way_is_named() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let error = write(folder.path(), b"").err().map(|error| format!("{error:#}"));
        assert!(error.is_some_and(|text| text.contains(&folder.path().display().to_string())));
        Ok(())
    }
}
