//! The texts of findings: those that are ours alone, and those that may quote the file.

use std::{borrow::Cow, fmt, ops::Deref};

/// A text of a finding. Passwords are masked in what may come from the file, never in what is ours: a short one may
/// well be a word of it.
#[derive(Clone, PartialEq, Eq)]
pub enum Prose {
    /// Nothing of it comes from the file.
    Own(Cow<'static, str>),
    /// It may quote the file.
    Quoting(String),
}

impl Prose {
    /// A text put together of our own words.
    pub(super) fn own(text: String) -> Self {
        Self::Own(text.into())
    }

    /// The text with another one in place of what it quotes.
    pub(super) fn replace_quoted(&mut self, with: impl FnOnce(&str) -> String) {
        if let Self::Quoting(text) = self {
            *text = with(text);
        }
    }

    /// No longer than so many bytes.
    pub(super) fn shorten(&mut self, most: usize) {
        if self.len() > most {
            *self = Self::Quoting(format!("{}…", &self[..self.floor_char_boundary(most)]));
        }
    }
}

impl From<&'static str> for Prose {
    fn from(text: &'static str) -> Self {
        Self::Own(text.into())
    }
}

impl From<String> for Prose {
    fn from(text: String) -> Self {
        Self::Quoting(text)
    }
}

impl Deref for Prose {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Own(text) => text,
            Self::Quoting(text) => text,
        }
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq<str> for Prose {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}
