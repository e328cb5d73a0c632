//! Where something is written.

use std::ops::Deref;

use super::Span;

/// The place of something in the text, for messages about it. It is no part of what a configuration means: two are equal
/// wherever their lines stand, so all places are.
#[derive(Clone, Debug, Default)]
pub struct Place(Span);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

impl From<Span> for Place {
    fn from(span: Span) -> Self {
        Self(span)
    }
}

impl Deref for Place {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.0
    }
}
