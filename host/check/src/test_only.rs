//! Which parts of a source exist in tests only.

use syn::punctuated::Punctuated;
use syn::{Attribute, ImplItem, Item, Meta, Token, TraitItem};

/// Whether an item is compiled for tests only.
pub(crate) fn item(item: &Item) -> bool {
    is_test_only(match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    })
}

/// Whether an item of an implementation is compiled for tests only.
pub(crate) fn impl_item(item: &ImplItem) -> bool {
    is_test_only(match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    })
}

/// Whether an item of a trait is compiled for tests only.
pub(crate) fn trait_item(item: &TraitItem) -> bool {
    is_test_only(match item {
        TraitItem::Const(item) => &item.attrs,
        TraitItem::Fn(item) => &item.attrs,
        TraitItem::Type(item) => &item.attrs,
        TraitItem::Macro(item) => &item.attrs,
        _ => &[],
    })
}

fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args().is_ok_and(|condition| needs_test(&condition))
        }
        Meta::List(_) | Meta::NameValue(_) => false,
    })
}

/// Whether a condition can hold in tests only.
fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    parts.is_ok_and(|parts| {
        (list.path.is_ident("all") && parts.iter().any(needs_test))
            || (list.path.is_ident("any") && !parts.is_empty() && parts.iter().all(needs_test))
    })
}

#[cfg(test)]
mod tests {
    use super::item;

    fn test_only(text: &str) -> bool {
        item(&syn::parse_str(text).unwrap())
    }

    #[test]
    fn conditions_that_need_test_are_recognised() {
        for attribute in
            ["cfg(test)", "cfg(all(unix, test))", "cfg(any(test, all(test, unix)))", "test"]
        {
            assert!(test_only(&format!("#[{attribute}] fn a() {{}}")), "{attribute}");
            assert!(test_only(&format!("#[doc = \"a\"] #[{attribute}] use a::b;")), "{attribute}");
        }
    }

    #[test]
    fn other_conditions_are_not() {
        for attribute in [
            "cfg(unix)",
            "cfg(not(test))",
            "cfg(any(test, unix))",
            "cfg(any())",
            "cfg_attr(test, a)",
        ] {
            assert!(!test_only(&format!("#[{attribute}] mod a {{}}")), "{attribute}");
        }
        assert!(!test_only("mod tests {}"));
    }
}
