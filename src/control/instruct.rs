//! What an operator wants, given to whoever carries it out, with who asked.

use std::time::Duration;

use tokio::{sync::oneshot, task::spawn_blocking, time::timeout};

use super::connection::{Answer, Done, Reload};
use crate::{
    kernel::Caller,
    registry::{Instruction, Instructions, Intervention, Lasting, Operator, ReloadOrder, Reloads, Whom},
};

/// How long the engine may take. It needs some microseconds.
const WITHIN: Duration = Duration::from_secs(2);

/// How long a reload may take before the answer is that it goes on. One of 1,000 instances takes less than a second; a
/// router that waits for its link to settle takes a few more.
pub const RELOAD: Duration = Duration::from_mins(1);

/// How long the name service may take for a name that is only shown.
const NAME: Duration = Duration::from_millis(300);

/// Where one client's instructions go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Desk<'a> {
    pub(super) caller: Caller,
    pub(super) instructions: &'a dyn Instructions,
    pub(super) reloads: &'a dyn Reloads,
}

impl Desk<'_> {
    /// Gives an instruction, and says what has come of it.
    pub(super) async fn give(self, whom: Whom, what: Intervention, lasting: Lasting) -> Answer {
        if let Intervention::Priority(by) = what
            && !(-253..=253).contains(&by)
        {
            return Answer::Error("what is added to a priority is from -253 to 253".into());
        }
        let by = self.operator().await;
        let (done, answer) = oneshot::channel();
        if self.instructions.give(Instruction { whom, what, by, lasting, done }).is_err() {
            return Answer::Error("the engine takes no instructions at present".into());
        }
        match timeout(WITHIN, answer).await {
            Ok(Ok(Ok(instances))) => Answer::Done(Done { what: words(what, lasting), instances }),
            Ok(Ok(Err(why))) => Answer::Error(why),
            Ok(Err(_)) => Answer::Error("the daemon stops".into()),
            Err(_) => Answer::Error("the engine has not answered yet: it may still do it".into()),
        }
    }

    /// Has the configuration read anew, or hears what that would do.
    pub(super) async fn reload(self, dry_run: bool) -> Answer {
        let by = self.operator().await;
        let (done, answer) = oneshot::channel();
        if self.reloads.ask(ReloadOrder { by, dry_run, done }).is_err() {
            return Answer::Error("the daemon takes no orders to reload at present".into());
        }
        match timeout(RELOAD, answer).await {
            Ok(Ok(Ok(forecast))) => Answer::Reload(Reload { dry_run, forecast }),
            Ok(Ok(Err(refused))) => {
                Answer::Error(format!("not reloaded, what ran before goes on:\n{refused}"))
            }
            Ok(Err(_)) => {
                Answer::Error("the reload has no outcome: the daemon stops, or its log says why".into())
            }
            Err(_) => Answer::Error("the reload goes on: its outcome will be among the events".into()),
        }
    }

    async fn operator(self) -> Operator {
        let Caller { uid, pid } = self.caller;
        let caller = self.caller;
        let name = timeout(NAME, spawn_blocking(move || caller.user_name()));
        let name = name.await.ok().and_then(Result::ok).flatten().unwrap_or_default();
        Operator { uid, pid, name }
    }
}

fn words(what: Intervention, lasting: Lasting) -> String {
    match lasting {
        Lasting::For(span) => format!("{what} for {} s", span.as_secs()),
        Lasting::UntilEnded => format!("{what} until it is ended"),
        Lasting::Ended => match what {
            Intervention::StepDown => "no step-down any more".into(),
            Intervention::Priority(_) => "nothing is added to the priority any more".into(),
            Intervention::Maintenance => "no maintenance any more".into(),
        },
    }
}
