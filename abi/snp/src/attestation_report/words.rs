//! A report in words, for people.

use core::fmt;

use crate::attestation_report::report::AttestationReport;
use crate::attestation_report::tcb_version::{TcbLayout, TcbVersion};
use crate::ecdsa::KeyAlgorithm;

/// Bytes in hexadecimal, or the word for all zeros.
struct Bytes<'a>(&'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|byte| *byte == 0) {
            return f.write_str("zero");
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A TCB version as number and, where the layout is known, by component.
struct Tcb(TcbVersion, Option<TcbLayout>);

impl fmt::Display for Tcb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(layout) => write!(f, "{} ({})", self.0, self.0.components(layout)),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The privilege level that a report is for.
struct Level(u32);

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            u32::MAX => f.write_str("none, the host asked for the report"),
            level @ 0..=3 => write!(f, "VMPL{level}"),
            level => write!(f, "unknown ({level:#x})"),
        }
    }
}

/// The algorithm of a signature.
struct Algorithm(KeyAlgorithm);

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            KeyAlgorithm::NONE => f.write_str("none"),
            KeyAlgorithm::ECDSA_P384_SHA384 => f.write_str("ECDSA P-384 with SHA-384"),
            KeyAlgorithm(number) => write!(f, "unknown ({number:#x})"),
        }
    }
}

/// One line for each field that the report's version has. The signature is
/// left out: nobody reads it.
impl fmt::Display for AttestationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layout = self.tcb_layout();
        writeln!(f, "report version:         {}", self.version())?;
        writeln!(f, "guest SVN:              {}", self.guest_svn)?;
        writeln!(f, "policy:                 {}", self.policy)?;
        writeln!(f, "family ID:              {}", Bytes(&self.family_id))?;
        writeln!(f, "image ID:               {}", Bytes(&self.image_id))?;
        writeln!(f, "privilege level:        {}", Level(self.vmpl))?;
        writeln!(f, "signature algorithm:    {}", Algorithm(self.signature_algorithm))?;
        writeln!(f, "current TCB:            {}", Tcb(self.current_tcb, layout))?;
        writeln!(f, "platform:               {}", self.platform_info)?;
        writeln!(f, "keys:                   {}", self.key_info)?;
        writeln!(f, "report data:            {}", Bytes(&self.report_data))?;
        writeln!(f, "measurement:            {}", Bytes(&self.measurement.0))?;
        writeln!(f, "host data:              {}", Bytes(&self.host_data))?;
        writeln!(f, "ID key digest:          {}", Bytes(&self.id_key_digest.0))?;
        writeln!(f, "author key digest:      {}", Bytes(&self.author_key_digest.0))?;
        writeln!(f, "report ID:              {}", Bytes(&self.report_id))?;
        writeln!(f, "migration agent:        {}", Bytes(&self.report_id_ma))?;
        writeln!(f, "reported TCB:           {}", Tcb(self.reported_tcb, layout))?;
        if let Some(processor) = self.processor() {
            writeln!(f, "processor:              {processor}")?;
        }
        writeln!(f, "chip ID:                {}", Bytes(&self.chip_id))?;
        writeln!(f, "committed TCB:          {}", Tcb(self.committed_tcb, layout))?;
        writeln!(f, "firmware:               {}", self.current_firmware)?;
        writeln!(f, "committed firmware:     {}", self.committed_firmware)?;
        write!(f, "launch TCB:             {}", Tcb(self.launch_tcb, layout))?;
        if let Some(mitigations) = self.mitigations() {
            write!(f, "\nmitigations at launch:  {:#018x}", mitigations.launch)?;
            write!(f, "\nmitigations now:        {:#018x}", mitigations.current)?;
        }
        Ok(())
    }
}
