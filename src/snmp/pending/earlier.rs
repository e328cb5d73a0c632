//! What an earlier run of the daemon left: it comes from a disk, which may take its time.

use std::{collections::VecDeque, future::pending};

use tokio::sync::oneshot;
use tracing::warn;

use crate::registry::Transition;

/// What an earlier run of the daemon could not deliver.
#[derive(Debug, Default)]
pub struct Backlog {
    /// The transitions, the oldest first.
    pub transitions: VecDeque<Transition>,
    /// How many more there were, that the journal had no room for or lost otherwise.
    pub lost: u64,
}

/// What an earlier run left, when it comes, and for how long to wait for it.
#[derive(Debug)]
pub struct Expected {
    /// An error when there is none.
    pub backlog: oneshot::Receiver<Backlog>,
    /// Ready, whatever it says, when this run is not to wait any longer: no disk may hold up its notifications.
    pub patience: oneshot::Receiver<()>,
}

#[derive(Debug)]
pub(super) enum Earlier {
    /// It is not known, and notifications of this run wait for it, so that they come in their order.
    Awaited(Expected),
    /// It is not known, and told of when it comes.
    Late(oneshot::Receiver<Backlog>),
    /// Here is what of it was not handed out.
    Known(VecDeque<Transition>),
}

impl Earlier {
    pub(super) fn new(expected: Option<Expected>) -> Self {
        expected.map_or_else(|| Self::Known(VecDeque::new()), Self::Awaited)
    }

    /// Whether nothing may be handed out yet.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(self, Self::Awaited(_))
    }

    /// Whether all of it was handed out.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Known(left) if left.is_empty())
    }

    pub(super) fn oldest(&self) -> Option<&Transition> {
        match self {
            Self::Known(left) => left.front(),
            Self::Awaited(_) | Self::Late(_) => None,
        }
    }

    /// The oldest one is handed out.
    pub(super) fn pop(&mut self) {
        if let Self::Known(left) = self {
            left.pop_front();
        }
    }

    /// Waits until more is known, and returns how much of it was lost; for ever when all is known. What is cancelled has
    /// changed nothing.
    pub(super) async fn settled(&mut self) -> u64 {
        let backlog = match self {
            Self::Awaited(Expected { backlog, patience }) => tokio::select! {
                biased;
                backlog = backlog => Some(backlog),
                _ = patience => None,
            },
            Self::Late(backlog) => Some(backlog.await),
            Self::Known(_) => pending().await,
        };
        match backlog {
            Some(backlog) => {
                // Without one it has been said why.
                let Backlog { transitions, lost } = backlog.unwrap_or_default();
                *self = Self::Known(transitions);
                lost
            }
            None => {
                warn!(
                    "the journal of transitions cannot be read in time: what an earlier run left is told of later"
                );
                if let Self::Awaited(Expected { backlog, .. }) =
                    std::mem::replace(self, Self::Known(VecDeque::new()))
                {
                    *self = Self::Late(backlog);
                }
                0
            }
        }
    }
}
