//! libFuzzer's way into [`steadfast_fuzz::ipvs_answer`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::ipvs_answer::check(input));
