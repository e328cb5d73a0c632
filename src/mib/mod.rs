//! The MIB modules of this repository, compiled in: names for the numbers of SNMP, in the look of net-snmp's tools.
//!
//! | file | what |
//! |---|---|
//! | `lexer` | the words of a module |
//! | `module` | its definitions, as far as names and values need them |
//! | `syntax` | what a value is, and how it is shown |
//! | `names` | [`Names`]: all modules, and what an object is called |
//!
//! It reads what `mibs/` has and no more of the language: modules of others are for net-snmp.

mod lexer;
mod module;
mod names;
mod syntax;

pub use self::names::{Names, Unknown, span};
