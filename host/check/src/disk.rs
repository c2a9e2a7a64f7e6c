//! Reads the source tree from the file system: the only file that touches it.
//!
//! Left out are hidden entries, and folders that the `.gitignore` at the root
//! names by their full path (a line like `/docs/book/`): what is built is not
//! a source. Nothing else is left out, so that no source can hide.

use std::fs;
use std::io;
use std::path::Path;

use crate::tree::{Content, Tree, entry, has_extension};

/// Largest text that is read, in bytes. A source file is far smaller.
const MAX_TEXT_SIZE: u64 = 4 << 20;

/// Deepest nesting of folders that is followed.
const MAX_DEPTH: usize = 32;

/// The files whose content some check looks into.
const TEXT_EXTENSIONS: [&str; 3] = ["md", "rs", "toml"];

/// Reads everything below `root`. What cannot be read is part of the tree as
/// [`Content::Unreadable`].
pub(crate) fn read(root: &Path) -> Tree {
    let ignored = ignored_folders(root);
    let mut tree = Tree::default();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        match entries(&root.join(&folder)) {
            Ok(entries) => {
                for Entry { name, is_folder } in entries {
                    let path = entry(&folder, &name);
                    if !is_folder {
                        let content = content(&root.join(&path), &path);
                        tree.insert(path, content);
                    } else if path.split('/').count() > MAX_DEPTH {
                        let reason = format!("more than {MAX_DEPTH} folders deep");
                        tree.insert(path, Content::Unreadable(reason));
                    } else if !ignored.contains(&path) {
                        folders.push(path);
                    }
                }
            }
            Err(error) => {
                let path = if folder.is_empty() { ".".to_owned() } else { folder };
                tree.insert(path, Content::Unreadable(error.to_string()));
            }
        }
    }
    tree
}

/// The folders that the root's `.gitignore` names by their full path.
fn ignored_folders(root: &Path) -> Vec<String> {
    let text = fs::read_to_string(root.join(".gitignore")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.trim().strip_prefix('/')?.strip_suffix('/'))
        .map(str::to_owned)
        .collect()
}

struct Entry {
    name: String,
    is_folder: bool,
}

fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            entries.push(Entry { name, is_folder: entry.file_type()?.is_dir() });
        }
    }
    Ok(entries)
}

/// What lies at the file `on_disk`, which is `path` in the tree.
fn content(on_disk: &Path, path: &str) -> Content {
    if !TEXT_EXTENSIONS.iter().any(|extension| has_extension(path, extension)) {
        return Content::Opaque;
    }
    let text = fs::symlink_metadata(on_disk).and_then(|metadata| {
        if !metadata.is_file() {
            Err(io::Error::other("neither a file nor a folder"))
        } else if metadata.len() > MAX_TEXT_SIZE {
            Err(io::Error::other(format!("larger than {MAX_TEXT_SIZE} bytes")))
        } else {
            fs::read_to_string(on_disk)
        }
    });
    match text {
        Ok(text) => Content::Text(text),
        Err(error) => Content::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
