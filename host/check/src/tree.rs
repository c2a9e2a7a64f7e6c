//! The source tree in memory: paths and what lies there.
//!
//! Paths are relative to the repository's root and have `/` between their
//! parts on every system. Filled from the file system by `disk`, and by hand in
//! tests.

use std::collections::BTreeMap;

/// What a path holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A text that some check looks into.
    Text(String),
    /// A file of which only the existence counts.
    Opaque,
    /// A text that could not be read, and why.
    Unreadable(String),
}

/// Every file of the repository that belongs to its sources.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, Content>,
}

impl Tree {
    /// Adds a file, or replaces what was known of it.
    pub(crate) fn insert(&mut self, path: impl Into<String>, content: Content) {
        self.files.insert(path.into(), content);
    }

    /// All files, sorted by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &Content)> {
        self.files.iter().map(|(path, content)| (path.as_str(), content))
    }

    /// The texts whose name ends in `.` and `extension`, sorted by path.
    pub(crate) fn texts(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter_map(move |(path, content)| match content {
            Content::Text(text) if has_extension(path, extension) => Some((path, text.as_str())),
            _ => None,
        })
    }

    /// The text at `path`, if there is a readable one.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        match self.files.get(path) {
            Some(Content::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether `path` is a file, or a folder with something in it. The empty
    /// path is the root.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path) || self.files.keys().any(|file| is_below(file, path))
    }
}

/// Whether the last part of `path` ends in `.` and `extension`.
pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    file_name(path).rsplit_once('.').is_some_and(|(_, end)| end == extension)
}

/// Whether `path` lies somewhere in `folder`. Everything lies in the root, the
/// empty path.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The folder of a file; empty for files of the root.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The path of the entry `name` in `folder`; empty is the root.
pub(crate) fn entry(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Where `relative` leads from `folder`, with `.` and `..` resolved; `None` if
/// it leads out of the tree.
pub(crate) fn join(folder: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(relative.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests;
