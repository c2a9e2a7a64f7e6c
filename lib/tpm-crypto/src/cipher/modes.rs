//! The modes of operation, for any cipher with blocks of 16 bytes.
//!
//! Where blocks do not depend on each other they are handed to the cipher
//! [`BATCH`] at a time, which processors with instructions for AES overlap.

use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, consts::U16};
use zeroize::Zeroize;

/// The size of a block, in bytes.
const BLOCK: usize = 16;

/// Blocks given to the cipher at once.
const BATCH: usize = 8;

/// Counter mode [SP 800-38A §6.5].
pub(super) fn ctr<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    chain: &mut [u8; BLOCK],
    data: &mut [u8],
) {
    let mut counter = u128::from_be_bytes(*chain);
    for piece in data.chunks_mut(BATCH * BLOCK) {
        let mut blocks = [Block::<C>::default(); BATCH];
        let used = &mut blocks[..piece.len().div_ceil(BLOCK)];
        for block in used.iter_mut() {
            *block = counter.to_be_bytes().into();
            counter = counter.wrapping_add(1);
        }
        cipher.encrypt_blocks(used);
        add_blocks(piece, used);
        blocks.iter_mut().for_each(|block| block.zeroize());
    }
    *chain = counter.to_be_bytes();
}

/// Output feedback mode [SP 800-38A §6.4].
pub(super) fn ofb<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    chain: &mut [u8; BLOCK],
    data: &mut [u8],
) {
    for piece in data.chunks_mut(BLOCK) {
        cipher.encrypt_block(chain.into());
        add(piece, chain);
    }
}

/// Cipher feedback mode with segments of a block [SP 800-38A §6.3], encryption.
pub(super) fn cfb_encrypt<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    chain: &mut [u8; BLOCK],
    data: &mut [u8],
) {
    for piece in data.chunks_mut(BLOCK) {
        cipher.encrypt_block(chain.into());
        add(piece, chain);
        follow(chain, piece);
    }
}

/// Cipher feedback mode, decryption.
pub(super) fn cfb_decrypt<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    chain: &mut [u8; BLOCK],
    data: &mut [u8],
) {
    for piece in data.chunks_mut(BATCH * BLOCK) {
        let mut blocks = [Block::<C>::default(); BATCH];
        let used = &mut blocks[..piece.len().div_ceil(BLOCK)];
        for (block, ciphertext) in used.iter_mut().zip(piece.chunks(BLOCK)) {
            *block = (*chain).into();
            follow(chain, ciphertext);
        }
        cipher.encrypt_blocks(used);
        add_blocks(piece, used);
        blocks.iter_mut().for_each(|block| block.zeroize());
    }
}

/// Cipher block chaining mode [SP 800-38A §6.2], encryption of whole blocks.
pub(super) fn cbc_encrypt<C: BlockCipherEncrypt<BlockSize = U16>>(
    cipher: &C,
    chain: &mut [u8; BLOCK],
    data: &mut [u8],
) {
    for piece in data.chunks_mut(BLOCK) {
        add(chain, piece);
        cipher.encrypt_block(chain.into());
        piece.copy_from_slice(chain);
    }
}

/// Cipher block chaining mode, decryption of whole blocks.
pub(super) fn cbc_decrypt<C: BlockCipherDecrypt<BlockSize = U16>>(
    cipher: &C,
    chain: &mut [u8; BLOCK],
    data: &mut [u8],
) {
    for piece in data.chunks_mut(BATCH * BLOCK) {
        let mut blocks = [Block::<C>::default(); BATCH];
        let used = &mut blocks[..piece.len() / BLOCK];
        for (block, ciphertext) in used.iter_mut().zip(piece.chunks(BLOCK)) {
            block.copy_from_slice(ciphertext);
        }
        cipher.decrypt_blocks(used);
        for (plain, place) in used.iter_mut().zip(piece.chunks_mut(BLOCK)) {
            add(plain, chain);
            follow(chain, place);
            place.copy_from_slice(plain);
        }
        blocks.iter_mut().for_each(|block| block.zeroize());
    }
}

/// Electronic codebook mode [SP 800-38A §6.1], encryption of whole blocks.
pub(super) fn ecb_encrypt<C: BlockCipherEncrypt<BlockSize = U16>>(cipher: &C, data: &mut [u8]) {
    let (blocks, _) = Block::<C>::slice_as_chunks_mut(data);
    cipher.encrypt_blocks(blocks);
}

/// Electronic codebook mode, decryption of whole blocks.
pub(super) fn ecb_decrypt<C: BlockCipherDecrypt<BlockSize = U16>>(cipher: &C, data: &mut [u8]) {
    let (blocks, _) = Block::<C>::slice_as_chunks_mut(data);
    cipher.decrypt_blocks(blocks);
}

/// Exclusive-ors a key stream to data, as long as the shorter one.
fn add(data: &mut [u8], stream: &[u8]) {
    for (byte, stream) in data.iter_mut().zip(stream) {
        *byte ^= stream;
    }
}

/// The same with the stream in blocks.
fn add_blocks<B: AsRef<[u8]>>(data: &mut [u8], stream: &[B]) {
    for (piece, block) in data.chunks_mut(BLOCK).zip(stream) {
        add(piece, block.as_ref());
    }
}

/// Makes a piece of ciphertext the chaining value, filled up with zeros.
fn follow(chain: &mut [u8; BLOCK], ciphertext: &[u8]) {
    let (start, rest) = chain.split_at_mut(ciphertext.len().min(BLOCK));
    start.copy_from_slice(&ciphertext[..start.len()]);
    rest.fill(0);
}
