//! Names of requests and exits, as scenarios write them.
//!
//! They are the names in words that the codes have everywhere else, in small
//! letters, with hyphens for spaces and without anything that is neither letter
//! nor digit: *SNP run VMPL* is `snp-run-vmpl`. Requests by the GHCB MSR leave
//! out the word *request*.

use alloc::string::String;

use abi_snp::ghcb::{ExitCode as PageEvent, MsrOperation};

/// Codes below this and above [`PAGE_EVENT_BASE`] have names.
const CODE_LIMIT: u64 = 0x1_0000;
const PAGE_EVENT_BASE: u64 = 0x8000_0000;

/// The processor's exit that `name` stands for.
pub(super) fn exit(name: &str) -> Option<abi_svm::ExitCode> {
    let mut codes = (0..CODE_LIMIT).map(abi_svm::ExitCode);
    codes.find(|code| code.name().is_some_and(|words| spell(words) == name))
}

/// The event by the GHCB page that `name` stands for.
pub(super) fn page_event(name: &str) -> Option<PageEvent> {
    let mut codes =
        (0..CODE_LIMIT).chain(PAGE_EVENT_BASE..PAGE_EVENT_BASE + CODE_LIMIT).map(PageEvent);
    codes.find(|code| code.name().is_some_and(|words| spell(words) == name))
}

/// The request by the GHCB MSR that `name` stands for.
pub(super) fn msr_request(name: &str) -> Option<MsrOperation> {
    let mut operations = (0..0x1000).map(MsrOperation);
    operations.find(|operation| {
        let words = operation.name().and_then(|words| words.strip_suffix(" request"));
        words.is_some_and(|words| spell(words) == name)
    })
}

/// A name in words as scenarios write it.
fn spell(words: &str) -> String {
    let kept = words.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_that_they_have_elsewhere() {
        assert_eq!(page_event("snp-run-vmpl"), Some(PageEvent::SNP_RUN_VMPL));
        assert_eq!(page_event("hv-doorbell-page"), Some(PageEvent::HV_DOORBELL_PAGE));
        assert_eq!(page_event("port-io"), Some(PageEvent::PORT_IO));
        assert_eq!(page_event("cpuid"), Some(PageEvent::CPUID));
        assert_eq!(msr_request("page-state-change"), Some(MsrOperation::PAGE_STATE_REQUEST));
        assert_eq!(msr_request("termination"), Some(MsrOperation::TERMINATION_REQUEST));
        assert_eq!(exit("cpuid"), Some(abi_svm::ExitCode::CPUID));
    }

    #[test]
    fn other_words_are_no_names() {
        for name in ["", "CPUID", "run-vmpl", "ghcb-address", "0x72"] {
            assert_eq!(page_event(name), None);
            assert_eq!(exit(name), None);
        }
        assert_eq!(msr_request("ghcb-address"), None);
        assert_eq!(msr_request("cpuid-response"), None);
    }
}
