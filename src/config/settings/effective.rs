//! Values that hold whether the file says so or not.

use std::{fmt, ops::Deref, time::Duration};

use super::{Parsed, Setting};
use crate::config::{
    Report,
    keywords::{Keyword, Value},
    tree::Node,
    value,
};

/// A value with a default: what is written, else what a block around it says, else what the keyword tables say.
///
/// Two are equal when they come to the same, however they came to it.
#[derive(Clone, Copy, Default)]
pub struct Effective<T> {
    value: T,
    written: bool,
}

impl<T> Effective<T> {
    /// Whether the file says it at this place, and not only somewhere around it.
    pub fn is_written(&self) -> bool {
        self.written
    }

    /// Takes what somebody else says, unless the file says it at this place.
    pub(in crate::config) fn inherit(&mut self, from: Option<T>) {
        if let Some(value) = from.filter(|_| !self.written) {
            self.value = value;
        }
    }

    /// Replaces the value, whoever said it.
    pub(crate) fn replace(&mut self, value: T) {
        self.value = value;
    }
}

impl<T: Copy> Effective<T> {
    /// The value where the file says it at this place.
    pub(in crate::config) fn written(&self) -> Option<T> {
        self.written.then_some(self.value)
    }
}

impl<T> Deref for Effective<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Effective<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: PartialEq> PartialEq for Effective<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Effective<T> {}

impl<T: Parsed + Literal> Setting for Effective<T> {
    fn take(&mut self, node: &Node, report: &mut Report) {
        if T::FIRST_COUNTS && self.written {
            return super::report_repeated(node, report);
        }
        if let Some(value) = node.valid.then(|| T::parse(node, report)).flatten() {
            *self = Self { value, written: true };
        }
    }

    fn preset(&mut self, keyword: &Keyword, default: &'static str) {
        if let Some(value) = T::literal(keyword, default) {
            self.value = value;
        }
    }

    #[cfg(test)]
    fn lacks_default(keyword: &Keyword, default: &'static str) -> bool {
        T::literal(keyword, default).is_none()
    }
}

/// A value that the tables' default can be read as.
pub(in crate::config) trait Literal: Sized {
    /// The value that `default` stands for; `None` when it is prose.
    fn literal(keyword: &Keyword, default: &'static str) -> Option<Self>;
}

macro_rules! number {
    ($($type:ty)*) => {$(
        impl Literal for $type {
            fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
                value::integer(default)?.try_into().ok()
            }
        }
    )*};
}
number!(u8 u16 u32 i16 i32 i64);

impl Literal for bool {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        match default {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    }
}

impl Literal for Duration {
    fn literal(keyword: &Keyword, default: &'static str) -> Option<Self> {
        let micro = Duration::from_micros(value::micro(default)?);
        Some(if matches!(keyword.value, Value::Milliseconds(..)) { micro / 1000 } else { micro })
    }
}

impl Literal for &'static str {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (!default.is_empty()).then_some(default)
    }
}

impl Literal for Box<str> {
    fn literal(_: &Keyword, default: &'static str) -> Option<Self> {
        (!default.is_empty()).then(|| default.into())
    }
}
