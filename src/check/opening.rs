//! The connection of a try, which begins with those of others that are due: when all have begun each is asked for.

use super::{Outcome, Phases, tcp::outcome};
use crate::kernel::dial::{
    Missed,
    tcp::{Begun, Made},
};

/// How far it has come.
#[derive(Debug)]
pub enum Opening {
    /// It is on its way.
    Begun(Begun),
    /// It is there.
    Made(Made),
    /// There is none, and the try has ended.
    Missed(Outcome),
}

impl From<Result<Begun, Missed>> for Opening {
    fn from(begun: Result<Begun, Missed>) -> Self {
        begun.map_or_else(|missed| Self::Missed(outcome(&missed)), Self::Begun)
    }
}

impl Opening {
    /// Asks whether it is there by now; waits for nothing.
    pub(super) fn ask(self, phases: &mut Phases) -> Self {
        let Self::Begun(begun) = self else { return self };
        match begun.ask() {
            Ok(Ok(made)) => {
                phases.connected();
                Self::Made(made)
            }
            Ok(Err(begun)) => Self::Begun(begun),
            Err(missed) => Self::Missed(outcome(&missed)),
        }
    }
}
