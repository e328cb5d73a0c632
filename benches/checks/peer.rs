//! keepalived where the kernel has no IPVS: it does not check at all there, unless it believes that what it asks of IPVS is done.
//!
//! A library that its loader puts before libnl says so. No check asks anything of IPVS while its server stays as it is, so what
//! a check costs is the same with it; Steadfast checks without it.

use std::collections::HashMap;
use std::process::Command;

use lab::{Error, Host, Result};

use crate::round::Place;

/// What stands in for the functions of libnl that ask IPVS.
const SOURCE: &str = include_str!("yes.c");

/// The variables that either program is started with.
pub(crate) fn environment(place: Place, host: &Host) -> Result<HashMap<String, String>> {
    match place {
        Place::Guest => Ok(HashMap::new()),
        Place::Here => Ok(HashMap::from([("LD_PRELOAD".to_owned(), compile(host)?)])),
    }
}

/// Compiles it into the directory of the host.
fn compile(host: &Host) -> Result<String> {
    let (source, library) = (host.write("yes.c", SOURCE)?, host.dir().join("yes.so"));
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O2", "-o"]).args([&library, &source]);
    let done =
        command.output().map_err(|error| Error::Unexpected(format!("cc, of Debian's gcc: {error}")))?;
    if done.status.success() {
        return Ok(library.to_string_lossy().into_owned());
    }
    Err(Error::Unexpected(format!("cc yes.c: {}", String::from_utf8_lossy(&done.stderr))))
}
