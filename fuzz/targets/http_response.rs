//! libFuzzer's way into [`steadfast_fuzz::http_response`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::http_response::check(input));
