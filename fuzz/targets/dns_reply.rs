//! libFuzzer's way into [`steadfast_fuzz::dns_reply`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::dns_reply::check(input));
