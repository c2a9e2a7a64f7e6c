//! Keys and certificates survive being kept; what was damaged is noticed.

use std::fs::{Permissions, read, set_permissions, write};
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::sample::{MILAN, OTHER_MILAN, TURIN};

/// A folder with a saved endorsement in `kept`.
fn saved() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    MILAN.save(&folder.path().join("kept")).unwrap();
    folder
}

/// What loading says after `change` was made to the folder's files.
fn refusal(change: impl FnOnce(&Path)) -> EndorsementError {
    let folder = saved();
    let kept = folder.path().join("kept");
    change(&kept);
    Endorsement::load(&kept).unwrap_err()
}

#[test]
fn what_was_saved_is_loaded() {
    let folder = saved();
    let kept = folder.path().join("kept");
    let loaded = Endorsement::load(&kept).unwrap();
    assert_eq!(loaded.vcek_scalar(), MILAN.vcek_scalar());
    assert_eq!(loaded.chain().chip(), MILAN.chain().chip());
    assert_eq!(loaded.chain().certificate_table(), MILAN.chain().certificate_table());
}

#[test]
fn only_the_owner_gets_at_the_key() {
    let folder = saved();
    let mode = |name: &str| {
        let data = folder.path().join("kept").join(name).metadata().unwrap();
        data.permissions().mode() & 0o777
    };
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode(KEY_FILE), 0o600);
    let exposed = refusal(|kept| {
        set_permissions(kept.join(KEY_FILE), Permissions::from_mode(0o644)).unwrap()
    });
    assert!(matches!(exposed, EndorsementError::File(FileError::Exposed { mode: 0o644, .. })));
    assert!(exposed.to_string().contains("chmod 600"), "{exposed}");
}

#[test]
fn a_folder_that_is_there_is_left_alone() {
    let folder = saved();
    let error = OTHER_MILAN.save(&folder.path().join("kept")).unwrap_err();
    assert!(matches!(error, EndorsementError::File(FileError::Write { .. })));
    let kept = Endorsement::load(&folder.path().join("kept")).unwrap();
    assert_eq!(kept.vcek_scalar(), MILAN.vcek_scalar());
}

#[test]
fn missing_files_are_named() {
    for name in ["ark.pem", "ask.pem", "vcek.pem", KEY_FILE] {
        let error = refusal(|kept| std::fs::remove_file(kept.join(name)).unwrap());
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn damaged_keys_are_refused() {
    let damage = |change: fn(&mut Vec<u8>)| {
        refusal(|kept| {
            let mut pem = read(kept.join(KEY_FILE)).unwrap();
            change(&mut pem);
            write(kept.join(KEY_FILE), pem).unwrap();
        })
    };
    for change in [
        |pem: &mut Vec<u8>| pem.clear(),
        |pem: &mut Vec<u8>| pem.truncate(100),
        |pem: &mut Vec<u8>| pem[40] = 0xff,
        |pem: &mut Vec<u8>| pem.extend_from_within(..),
    ] {
        let error = damage(change);
        assert!(matches!(error, EndorsementError::MalformedKey), "{error}");
    }
}

#[test]
fn files_of_two_endorsements_do_not_mix() {
    let swap = |name: &'static str, other: &Endorsement| {
        let folder = tempfile::tempdir().unwrap();
        let other_folder = folder.path().join("other");
        other.save(&other_folder).unwrap();
        refusal(|kept| {
            std::fs::copy(other_folder.join(name), kept.join(name)).unwrap();
        })
    };
    assert!(matches!(swap(KEY_FILE, &OTHER_MILAN), EndorsementError::OtherKey));
    for name in ["ark.pem", "ask.pem", "vcek.pem"] {
        for other in [&*OTHER_MILAN, &*TURIN] {
            let error = swap(name, other);
            assert!(matches!(error, EndorsementError::Chain(_)), "{name}: {error}");
        }
    }
}

#[test]
fn debug_output_shows_no_key() {
    let shown = format!("{:?}", *MILAN);
    assert!(shown.starts_with("Endorsement { chip: ChipIdentity"), "{shown}");
    assert!(shown.ends_with(".. }") && !shown.contains("SecretKey"), "{shown}");
}

#[test]
fn the_same_randomness_gives_the_same_keys() {
    use chacha20::ChaCha20Rng;
    use chacha20::rand_core::SeedableRng;

    let chip = MILAN.chain().chip();
    let draw = |seed| Endorsement::generate(&mut ChaCha20Rng::from_seed([seed; 32]), chip).unwrap();
    assert_eq!(draw(1).chain().certificate_table(), MILAN.chain().certificate_table());
    assert_ne!(draw(9).vcek_scalar(), MILAN.vcek_scalar());
}
