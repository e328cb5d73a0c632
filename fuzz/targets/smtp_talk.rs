//! libFuzzer's way into [`steadfast_fuzz::smtp_talk`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::smtp_talk::check(input));
