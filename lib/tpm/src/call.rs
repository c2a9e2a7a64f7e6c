//! A command on its way through the device, and its reply.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::codec::{Reader, Wire};

/// What a command's handler gets.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) handles: &'a [u32],
    /// The parameter area, decrypted.
    pub(crate) parameters: &'a [u8],
    pub(crate) locality: u8,
}

impl Call<'_> {
    /// Handle `index` (from zero), which the command table promises.
    pub(crate) fn handle(&self, index: usize) -> u32 {
        self.handles
            .get(index)
            .copied()
            .expect("a handler asks only for handles that its row of the table has")
    }

    /// The parameters, which must fill their area exactly.
    pub(crate) fn parameters<T: Parameters>(&self) -> Result<T, ResponseCode> {
        let mut reader = Reader::new(self.parameters);
        let parameters = T::read(&mut reader)?;
        reader.end()?;
        Ok(parameters)
    }
}

/// Room that most parameters of a reply fit into, in bytes: they are written in
/// small pieces, for each of which a vector would grow.
const USUAL_SIZE: usize = 512;

/// What a handler gives back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) handle: Option<u32>,
    pub(crate) parameters: Vec<u8>,
    /// A sequence that ends with the response, whose authorization needs it.
    pub(crate) ended: Option<u32>,
}

impl Reply {
    /// Success, and nothing to say.
    pub(crate) const EMPTY: Self = Self { handle: None, parameters: Vec::new(), ended: None };

    /// A reply with one more parameter.
    pub(crate) fn with(mut self, parameter: &impl Wire) -> Self {
        if self.parameters.is_empty() {
            self.parameters.reserve(USUAL_SIZE);
        }
        parameter.write(&mut self.parameters);
        self
    }

    /// The reply after which a sequence is gone.
    pub(crate) fn ending(mut self, sequence: u32) -> Self {
        self.ended = Some(sequence);
        self
    }

    /// A reply with a handle.
    pub(crate) const fn handle(handle: u32) -> Self {
        Self { handle: Some(handle), parameters: Vec::new(), ended: None }
    }
}

/// Parameters in a row. An error names the parameter by its number.
pub(crate) trait Parameters: Sized {
    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode>;
}

macro_rules! parameters {
    ($($name:ident $number:literal),*) => {
        impl<$($name: Wire),*> Parameters for ($($name,)*) {
            #[allow(unused_variables, reason = "there may be no parameters")]
            fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
                Ok(($($name::read(from).map_err(|error| error.parameter($number))?,)*))
            }
        }
    };
}

parameters!();
parameters!(A 1);
parameters!(A 1, B 2);
parameters!(A 1, B 2, C 3);
parameters!(A 1, B 2, C 3, D 4);
parameters!(A 1, B 2, C 3, D 4, E 5);
parameters!(A 1, B 2, C 3, D 4, E 5, F 6);
