//! ID blocks as IGVM files hold them: [`IgvmDirectiveHeader::SnpIdBlock`].
//!
//! The fields are those of the security processor's structures, but a public
//! key has four bytes more behind its curve, and the policy stands in another
//! header.

use abi_snp::{
    Digest, EcdsaP384PublicKey, EcdsaSignature, IdAuthentication, IdBlock, KeyAlgorithm,
    P384Integer, Policy,
};
use igvm::{IgvmDirectiveHeader, IgvmFile};
use igvm_defs::{IGVM_VHS_SNP_ID_BLOCK_PUBLIC_KEY, IGVM_VHS_SNP_ID_BLOCK_SIGNATURE};

use super::error::Error;
use crate::file::Igvm;

/// Most directives in a file that is written. None takes more than 1 KiB, so
/// that with [`crate::file::MAX_CONTENT`] all file offsets fit into 32 bits.
const MAX_DIRECTIVES: usize = 1 << 20;

/// The directive for an ID block.
pub(super) fn directive(
    id_block: &IdBlock,
    authentication: &IdAuthentication,
    compatibility_mask: u32,
) -> IgvmDirectiveHeader {
    let author = authentication.author_key_algorithm != KeyAlgorithm::NONE;
    IgvmDirectiveHeader::SnpIdBlock {
        compatibility_mask,
        author_key_enabled: author.into(),
        reserved: [0; 3],
        ld: id_block.launch_digest.0,
        family_id: id_block.family_id,
        image_id: id_block.image_id,
        version: id_block.version,
        guest_svn: id_block.guest_svn,
        id_key_algorithm: authentication.id_key_algorithm.0,
        author_key_algorithm: authentication.author_key_algorithm.0,
        id_key_signature: Box::new(signature(&authentication.id_block_signature)),
        id_public_key: Box::new(public_key(&authentication.id_key)),
        author_key_signature: Box::new(signature(&authentication.id_key_signature)),
        author_public_key: Box::new(public_key(&authentication.author_key)),
    }
}

fn signature(signature: &EcdsaSignature) -> IGVM_VHS_SNP_ID_BLOCK_SIGNATURE {
    IGVM_VHS_SNP_ID_BLOCK_SIGNATURE { r_comp: signature.r.0, s_comp: signature.s.0 }
}

fn public_key(key: &EcdsaP384PublicKey) -> IGVM_VHS_SNP_ID_BLOCK_PUBLIC_KEY {
    IGVM_VHS_SNP_ID_BLOCK_PUBLIC_KEY { curve: key.curve.0, reserved: 0, qx: key.x.0, qy: key.y.0 }
}

/// ID block and authentication of the first such directive for one of the
/// platforms of `mask`; the policy is that of the file.
#[must_use]
pub fn find_id_block(igvm: &Igvm, mask: u32) -> Option<(IdBlock, IdAuthentication)> {
    igvm.file().directives().iter().find_map(|directive| read(directive, mask, igvm.policy(mask)))
}

fn read(
    directive: &IgvmDirectiveHeader,
    mask: u32,
    policy: Option<u64>,
) -> Option<(IdBlock, IdAuthentication)> {
    let IgvmDirectiveHeader::SnpIdBlock {
        compatibility_mask,
        author_key_enabled,
        reserved: _,
        ld,
        family_id,
        image_id,
        version,
        guest_svn,
        id_key_algorithm,
        author_key_algorithm,
        id_key_signature,
        id_public_key,
        author_key_signature,
        author_public_key,
    } = directive
    else {
        return None;
    };
    if compatibility_mask & mask == 0 {
        return None;
    }
    let id_block = IdBlock {
        launch_digest: Digest(*ld),
        family_id: *family_id,
        image_id: *image_id,
        version: *version,
        guest_svn: *guest_svn,
        policy: Policy::from_bits(policy.unwrap_or_default()),
    };
    let mut authentication =
        IdAuthentication::by_id_key(read_key(id_public_key), read_signature(id_key_signature));
    authentication.id_key_algorithm = KeyAlgorithm(*id_key_algorithm);
    if *author_key_enabled != 0 {
        let signature = read_signature(author_key_signature);
        authentication = authentication.certified_by(read_key(author_public_key), signature);
        authentication.author_key_algorithm = KeyAlgorithm(*author_key_algorithm);
    }
    Some((id_block, authentication))
}

fn read_key(key: &IGVM_VHS_SNP_ID_BLOCK_PUBLIC_KEY) -> EcdsaP384PublicKey {
    let mut read = EcdsaP384PublicKey::new(P384Integer(key.qx), P384Integer(key.qy));
    read.curve.0 = key.curve;
    read
}

fn read_signature(signature: &IGVM_VHS_SNP_ID_BLOCK_SIGNATURE) -> EcdsaSignature {
    EcdsaSignature::new(P384Integer(signature.r_comp), P384Integer(signature.s_comp))
}

/// The file with `directive` at its end instead of the ID blocks that it has.
pub(super) fn with_directive(
    igvm: &Igvm,
    directive: IgvmDirectiveHeader,
) -> Result<Vec<u8>, Error> {
    if let Some(first) = igvm.skipped().first() {
        let count = igvm.skipped().len();
        return Err(Error::WouldLoseHeaders { count, header_type: first.header_type });
    }
    let file = igvm.file();
    if file.directives().len() > MAX_DIRECTIVES {
        return Err(Error::TooManyDirectives(MAX_DIRECTIVES));
    }
    let is_id_block =
        |d: &&IgvmDirectiveHeader| matches!(d, IgvmDirectiveHeader::SnpIdBlock { .. });
    let kept = file.directives().iter().filter(|d| !is_id_block(d)).cloned();
    let directives = kept.chain([directive]).collect();
    let signed = IgvmFile::new(
        igvm.revision(),
        file.platforms().to_vec(),
        file.initializations().to_vec(),
        directives,
    );
    let mut bytes = Vec::new();
    signed.and_then(|signed| signed.serialize(&mut bytes)).map_err(Error::Write)?;
    Ok(bytes)
}
