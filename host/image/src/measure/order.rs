//! In which order pages are measured.

use crate::file::{Page, PageKind};

/// The order in which QEMU hands the pages to the security processor: see
/// [`super::Vmm::Kvm`]. VMSAs are left out. The flag *shared* means nothing to
/// QEMU.
pub(super) fn qemu<'a>(pages: Vec<Page<'a>>) -> Vec<Page<'a>> {
    let mut ordered = Vec::new();
    let mut run: Vec<Page<'a>> = Vec::new();
    for mut page in pages {
        if page.kind == PageKind::Shared {
            page.kind = if page.data.is_empty() { PageKind::Zero } else { PageKind::Data };
        }
        match page.kind {
            PageKind::Vmsa | PageKind::ErrorRange => {}
            PageKind::Parameters(_) => ordered.push(page),
            _ => {
                if run.last().is_some_and(|last| !continues(last, &page)) {
                    ordered.append(&mut run);
                }
                run.push(page);
            }
        }
    }
    ordered.append(&mut run);
    ordered
}

/// Whether `page` goes into the same run as `last`.
fn continues(last: &Page<'_>, page: &Page<'_>) -> bool {
    last.end() == page.gpa
        && last.directive.checked_add(1) == Some(page.directive)
        && last.kind == page.kind
        && last.mask == page.mask
        && last.size == page.size
        && last.data.is_empty() == page.data.is_empty()
}
