//! Protocol 1: reports that are bound to a nonce and a manifest.

use abi_snp::AttestationReport;
use abi_svsm::attestation::{
    AttestationCall, Buffer, Lengths, Nonce, ReportRequest, ServicesRequest, SingleServiceRequest,
};
use abi_svsm::{CallRegisters, ListAddress, ResultCode};
use page_state::DetailBlocks;
use sha2::{Digest, Sha512};
use zerocopy::{FromBytes, IntoBytes};

use crate::buffer_writer::BufferWriter;
use crate::guest_calls::GuestCalls;
use crate::machine::Machine;
use crate::manifest::Manifest;
use crate::page_list::Caller;
use crate::reports::ReportFailure;

/// Bytes of a nonce that are read at a time.
const NONCE_PIECE: usize = 128;

impl From<ReportFailure> for ResultCode {
    fn from(failure: ReportFailure) -> Self {
        match failure {
            ReportFailure::Busy => Self::BUSY,
            ReportFailure::Refused => Self::INVALID_REQUEST,
        }
    }
}

impl<M: Machine, B: DetailBlocks> GuestCalls<'_, M, B> {
    /// Answers a call of this protocol, in the registers but RAX.
    // Its messages take much of the stack, which costs other calls nothing then.
    #[inline(never)]
    pub(crate) fn answer_attestation(
        &self,
        caller: Caller<'_>,
        registers: &mut CallRegisters,
    ) -> Result<(), ResultCode> {
        let manifests = self.machine.manifests();
        let (request, manifest) = match AttestationCall::decode(registers)? {
            AttestationCall::Services(at) => {
                let request: ServicesRequest = self.read_request(caller, at)?;
                (request.decode()?, Manifest::Table(manifests))
            }
            AttestationCall::SingleService(at) => {
                let request: SingleServiceRequest = self.read_request(caller, at)?;
                let (request, choice) = request.decode()?;
                let manifest = Manifest::of(manifests, choice);
                (request, manifest.ok_or(ResultCode::INVALID_PARAMETER)?)
            }
        };
        self.report(caller, request, manifest, registers)
    }

    /// Reads a structure, once. It ends with its page.
    fn read_request<T: FromBytes + IntoBytes>(
        &self,
        caller: Caller<'_>,
        at: ListAddress,
    ) -> Result<T, ResultCode> {
        let mut request = T::new_zeroed();
        let page = self.hold(caller.processor, caller.vcpu, at.page())?;
        self.machine.read(&page, at.offset(), request.as_mut_bytes())?;
        Ok(request)
    }

    fn report(
        &self,
        caller: Caller<'_>,
        request: ReportRequest,
        manifest: Manifest<'_>,
        registers: &mut CallRegisters,
    ) -> Result<(), ResultCode> {
        let manifest_size = manifest.size().ok_or(ResultCode::INVALID_REQUEST)?;
        let mut digest = Sha512::new();
        self.digest_nonce(caller, request.nonce, &mut digest)?;
        let Ok(()) = manifest.pieces(manifest_size, |piece| {
            digest.update(piece);
            Ok::<_, core::convert::Infallible>(())
        });
        let data = digest.finalize().into();
        match request.certificates {
            None => {
                let report = self.machine.report(data)?;
                let answer = Reply { report: &report, certificates: &[], manifest, manifest_size };
                self.reply(caller, request, answer, registers)
            }
            Some(_) => {
                let (report, certificates) = self.machine.report_with_certificates(data)?;
                let certificates = certificates.as_ref();
                let answer = Reply { report: &report, certificates, manifest, manifest_size };
                self.reply(caller, request, answer, registers)
            }
        }
    }

    fn digest_nonce(
        &self,
        caller: Caller<'_>,
        nonce: Nonce,
        digest: &mut Sha512,
    ) -> Result<(), ResultCode> {
        let page = self.hold(caller.processor, caller.vcpu, nonce.page)?;
        let mut piece = [0; NONCE_PIECE];
        let end = nonce.offset + nonce.length;
        for start in (nonce.offset..end).step_by(NONCE_PIECE) {
            let piece = &mut piece[..(end - start).min(NONCE_PIECE)];
            self.machine.read(&page, start, piece)?;
            digest.update(piece);
        }
        Ok(())
    }

    /// Writes everything that fits its buffer, or nothing; the lengths in any
    /// case.
    fn reply(
        &self,
        caller: Caller<'_>,
        request: ReportRequest,
        reply: Reply<'_>,
        registers: &mut CallRegisters,
    ) -> Result<(), ResultCode> {
        let lengths = Lengths {
            manifest: reply.manifest_size.into(),
            certificates: reply.certificates.len() as u64,
            report: size_of::<AttestationReport>() as u64,
        };
        let no_buffer = Buffer { length: 0, ..request.report };
        let certificates = request.certificates.unwrap_or(no_buffer);
        let fits = |length: u64, buffer: Buffer| length <= buffer.length.into();
        if !fits(lengths.manifest, request.manifest)
            || !fits(lengths.certificates, certificates)
            || !fits(lengths.report, request.report)
        {
            lengths.encode(registers);
            return Err(ResultCode::INVALID_PARAMETER);
        }
        let writer = |buffer| BufferWriter::new(self, caller.processor, buffer);
        writer(request.report).write(reply.report.as_bytes())?;
        writer(certificates).write(reply.certificates)?;
        let mut manifest = writer(request.manifest);
        reply.manifest.pieces(reply.manifest_size, |piece| manifest.write(piece))?;
        lengths.encode(registers);
        Ok(())
    }
}

/// What there is to write.
struct Reply<'r> {
    report: &'r AttestationReport,
    certificates: &'r [u8],
    manifest: Manifest<'r>,
    manifest_size: u32,
}
