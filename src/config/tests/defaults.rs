//! What an instance is without a word about it.

use super::*;

/// RFC 9568 §6.1 (6.1-2).
#[test]
fn strict_mode_gives_the_defaults_of_the_rfc() {
    let (instance, _) = instance("version 3\nstrict_mode");
    assert_eq!((instance.priority, instance.advert_interval), (Priority(100), Duration::from_secs(1)));
    assert_eq!((instance.preempt, instance.accept), (true, false));
}

/// RFC 9568 §6.1 (6.1-2): and outside of strict mode keepalived's accept mode.
#[test]
fn each_default_gives_way_to_its_word() {
    let (written, _) = instance("version 3\nstrict_mode\npriority 90\nadvert_int 0.5\nnopreempt\naccept");
    assert_eq!((written.priority, written.advert_interval), (Priority(90), Duration::from_millis(500)));
    assert_eq!((written.preempt, written.accept), (false, true));
    assert!(instance("version 3").0.accept);
}
