//! Where random or derived bytes come from.

use thiserror::Error;

/// A stream of bytes from which keys, nonces, salts and blinding factors are
/// drawn: a generator seeded with entropy, or one seeded with a hierarchy's
/// seed, which gives the same keys every time.
pub trait RandomStream {
    /// Fills `output` with the next bytes of the stream.
    ///
    /// # Errors
    /// [`RandomError`] when the stream cannot give them; `output` must not be
    /// used then.
    fn fill(&mut self, output: &mut [u8]) -> Result<(), RandomError>;
}

/// Why a stream gave no bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RandomError {
    /// The source of entropy failed.
    #[error("the source of entropy gave nothing: enter failure mode or try again")]
    Entropy,
    /// The generator has given as much as one seed may give.
    #[error("the generator has to be seeded again before it gives more")]
    ReseedRequired,
}
