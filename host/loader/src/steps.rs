//! From the pages of the file to the steps of the launch.

use abi_simulator::launch::{Page as Content, PageRun};
use abi_snp::{PageSize, PageType};
use svsm_image::file::{Page, PageKind};
use svsm_image::measure::{ZeroPages, page_steps};

use crate::parameters::Areas;

/// What a shared page without data holds.
static ZEROS: Content = [0; abi_simulator::launch::PAGE_SIZE];

/// A step of the launch, with one element of content for each page, or none if
/// the pages are zero.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// The security processor takes pages over.
    Private { run: PageRun, content: Vec<&'a Content> },
    /// The host shares pages with the guest.
    Shared { gpa: u64, content: Vec<&'a Content> },
}

/// The launch of `pages`, in their order; neighbours that are alike are one
/// step.
pub(crate) fn steps<'a>(pages: &[Page<'a>], areas: &'a Areas) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = Vec::new();
    for page in pages {
        let Some(next) = step(page, areas) else { continue };
        if let Some(unlike) = join(steps.last_mut(), next) {
            steps.push(unlike);
        }
    }
    steps
}

/// The step for one page of the file; `None` if it is memory and nothing else.
fn step<'a>(page: &Page<'a>, areas: &'a Areas) -> Option<Step<'a>> {
    let data: &'a [u8] = match page.kind {
        PageKind::Parameters(index) => areas.get(&index)?,
        // Written by the security processor, whatever the file says.
        PageKind::Secrets => &[],
        _ => page.data,
    };
    let mut content: Vec<&'a Content> = data.as_chunks().0.iter().collect();
    let count = page.size / ZEROS.len() as u64;
    let Some((gpa, first)) = page_steps(page, ZeroPages::Normal).next() else {
        if page.kind != PageKind::Shared {
            return None;
        }
        // A page has 2 MiB at most.
        content.resize(count as usize, &ZEROS);
        return Some(Step::Shared { gpa: page.gpa, content });
    };
    let mut run = PageRun::new(gpa, count, first.page_type());
    let is_area = matches!(page.kind, PageKind::Parameters(_));
    if page.size == PageSize::Size2M.bytes() && !is_area {
        run.size = PageSize::Size2M;
    }
    if let Some((vp_index, _)) = page.vmsa {
        run.vcpu = vp_index.into();
    }
    Some(Step::Private { run, content })
}

/// Joins `next` to `last`; returns it if that cannot be.
fn join<'a>(last: Option<&mut Step<'a>>, next: Step<'a>) -> Option<Step<'a>> {
    match (last, next) {
        (Some(Step::Private { run: last, content: all }), Step::Private { run, mut content })
            if last.end() == run.gpa
                && last.page_type == run.page_type
                && last.size == run.size
                && run.page_type != PageType::VMSA
                && all.is_empty() == content.is_empty() =>
        {
            last.count += run.count;
            all.append(&mut content);
            None
        }
        (Some(Step::Shared { gpa: last, content: all }), Step::Shared { gpa, mut content })
            if *last + (all.len() * ZEROS.len()) as u64 == gpa =>
        {
            all.append(&mut content);
            None
        }
        (_, next) => Some(next),
    }
}
