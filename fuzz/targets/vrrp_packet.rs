//! libFuzzer's way into [`steadfast_fuzz::vrrp_packet`].

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| steadfast_fuzz::vrrp_packet::check(input));
