//! A panic is a mistake of the program, wherever it happens: in a lane, in a thread beside one, in a task that is caught and
//! begun anew. It is named in the log, where a daemon that writes to syslog would not show it otherwise, and in the registry.

use std::{
    panic::{self, PanicHookInfo},
    sync::Arc,
    thread,
};

use tracing::error;

use crate::{
    kernel::clock,
    registry::{Panic, Registry},
};

/// Has every panic from now on noted.
pub(super) fn note_in(registry: &Arc<Registry>) {
    let registry = Arc::downgrade(registry);
    panic::set_hook(Box::new(move |info| {
        let panic = told(info);
        error!(
            "a mistake of the program: thread {} panicked at {}: {}",
            panic.thread, panic.place, panic.message
        );
        if let Some(registry) = registry.upgrade() {
            registry.panics.note(panic);
        }
    }));
}

fn told(info: &PanicHookInfo<'_>) -> Panic {
    Panic {
        thread: thread::current().name().unwrap_or("without a name").to_owned(),
        place: info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string),
        message: info.payload_as_str().unwrap_or("nothing said").to_owned(),
        at: clock::now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::testing::topology;

    #[test]
    fn a_panic_is_noted_with_its_thread_its_place_and_what_it_said() {
        let registry = Arc::new(Registry::new(topology()));
        let before = panic::take_hook();
        note_in(&registry);
        let ended = thread::Builder::new()
            .name("unlucky".to_owned())
            .spawn(|| assert_eq!(std::hint::black_box(1), 2, "one is two"))
            .unwrap()
            .join();
        panic::set_hook(before);
        assert!(ended.is_err());
        // Other tests may have panicked meanwhile, and are none of this one's business.
        assert!(registry.panics.count() >= 1);
        let last = registry.panics.last().unwrap();
        if registry.panics.count() == 1 {
            assert_eq!(last.thread, "unlucky");
            assert!(last.place.starts_with("src/daemon/panics.rs:"), "{}", last.place);
            assert!(last.message.contains("one is two"), "{}", last.message);
        }
    }
}
