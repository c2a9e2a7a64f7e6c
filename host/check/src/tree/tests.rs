//! Path arithmetic and look-ups.

use proptest::prelude::*;

use super::{Content, Tree, entry, file_name, folder_of, has_extension, is_below, join};

#[test]
fn folders_exist_through_their_files() {
    let mut tree = Tree::default();
    tree.insert("docs/src/a.md", Content::Opaque);
    assert!(tree.contains("docs/src/a.md"));
    assert!(tree.contains("docs/src"));
    assert!(tree.contains(""));
    assert!(!tree.contains("docs/sr"));
    assert!(!tree.contains("docs/src/a.md/b"));
}

#[test]
fn texts_are_chosen_by_extension_and_readability() {
    let mut tree = Tree::default();
    tree.insert("a.rs", Content::Text("a".into()));
    tree.insert("b.rs", Content::Unreadable("why".into()));
    tree.insert("c.md", Content::Text("c".into()));
    assert_eq!(tree.texts("rs").collect::<Vec<_>>(), [("a.rs", "a")]);
    assert_eq!(tree.text("b.rs"), None);
}

#[test]
fn extension_is_that_of_the_last_part() {
    assert!(has_extension("a/b.rs", "rs"));
    assert!(!has_extension("a.rs/b", "rs"));
    assert!(!has_extension("rs", "rs"));
}

#[test]
fn join_resolves_dots_and_refuses_to_leave_the_tree() {
    assert_eq!(join("docs/src", "guide/a.md").as_deref(), Some("docs/src/guide/a.md"));
    assert_eq!(join("docs/src", "../../README.md").as_deref(), Some("README.md"));
    assert_eq!(join("docs", "./.").as_deref(), Some("docs"));
    assert_eq!(join("docs", ".."), Some(String::new()));
    assert_eq!(join("docs", "../.."), None);
    assert_eq!(join("docs", "/etc/passwd"), None);
}

proptest! {
    #[test]
    fn a_file_lies_below_its_folder(path in "[a-z]{1,3}(/[a-z.]{1,3}){0,4}") {
        let folder = folder_of(&path);
        prop_assert!(is_below(&path, folder));
        prop_assert_eq!(entry(folder, file_name(&path)), path);
    }

    #[test]
    fn joined_paths_are_normal(folder in "[a-z./]{0,12}", relative in "[a-z./]{0,12}") {
        if let Some(path) = join(&folder, &relative) {
            let normal = path.is_empty()
                || path.split('/').all(|part| !matches!(part, "" | "." | ".."));
            prop_assert!(normal, "{path}");
        }
    }
}
