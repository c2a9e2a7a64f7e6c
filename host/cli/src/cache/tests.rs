//! Tests of the cache folder.

use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

use super::Cache;
use crate::terminal::Terminal;

fn decide(variables: &[(&str, &str)]) -> Result<Cache> {
    Cache::decide(&|name| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
    })
}

#[test]
fn variables_in_their_order() -> Result<()> {
    let home = ("HOME", "/home/me");
    let xdg = ("XDG_CACHE_HOME", "/xdg");
    let own = ("SVSM_CACHE", "/own");
    assert_eq!(decide(&[home])?.root(), Path::new("/home/me/.cache/svsm"));
    assert_eq!(decide(&[home, xdg])?.root(), Path::new("/xdg/svsm"));
    assert_eq!(decide(&[home, xdg, own])?.root(), Path::new("/own"));
    assert_eq!(decide(&[home, ("SVSM_CACHE", "")])?.root(), Path::new("/home/me/.cache/svsm"));
    Ok(())
}

#[test]
fn no_place_is_an_error() {
    assert!(decide(&[]).is_err());
    assert!(decide(&[("SVSM_CACHE", "relative")]).is_err());
}

#[test]
fn a_finished_folder_replaces_what_is_there() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cache = Cache::at(&folder.path().join("cache"));
    let _lock = cache.lock(Terminal::plain())?;
    let place = cache.join("thing/1.0");
    for content in ["old", "new"] {
        let staging = cache.staging()?;
        std::fs::create_dir(staging.path().join("made"))?;
        std::fs::write(staging.path().join("made/file"), content)?;
        cache.put(&staging.path().join("made"), &place)?;
        assert_eq!(std::fs::read_to_string(place.join("file"))?, content);
    }
    Ok(())
}

#[test]
fn only_our_own_folder_is_deleted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cache = Cache::at(folder.path());
    std::fs::write(folder.path().join("precious"), "")?;
    assert!(cache.delete().is_err());
    assert!(cache.lock(Terminal::plain()).is_err());
    assert!(folder.path().join("precious").exists());
    std::fs::remove_file(folder.path().join("precious"))?;
    drop(cache.lock(Terminal::plain())?);
    cache.delete()?;
    assert!(!folder.path().exists());
    Ok(())
}

#[test]
fn a_lock_keeps_others_out() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cache = Cache::at(&folder.path().join("cache"));
    let inside = AtomicUsize::new(0);
    let first = cache.lock(Terminal::plain())?;
    std::thread::scope(|scope| {
        let second = scope.spawn(|| -> Result<usize> {
            let _lock = cache.lock(Terminal::plain())?;
            Ok(inside.load(Ordering::SeqCst))
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        inside.store(1, Ordering::SeqCst);
        drop(first);
        assert_eq!(second.join().map_err(|_| anyhow::anyhow!("panicked"))??, 1);
        Ok(())
    })
}
