//! libFuzzer's way into [`steadfast_fuzz::config`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::config::check(input));
