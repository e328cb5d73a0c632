//! The README shows the example that is compiled.

#[test]
fn the_readme_shows_the_example() {
    let (readme, example) = (include_str!("../README.md"), include_str!("../examples/uptime.rs"));
    assert!(readme.contains(&format!("```rust\n{example}```")), "copy examples/uptime.rs into README.md");
    assert!(example.lines().count() <= 40, "an example of {} lines", example.lines().count());
}
