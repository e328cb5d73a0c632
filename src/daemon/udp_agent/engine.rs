//! The file that makes the engine of SNMPv3 the same one after every start, and each start another time
//! (snmpEngineID, snmpEngineBoots).

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{error, info};

use crate::{kernel::own_file, snmp_wire::Engine};

/// The most that is read of the file.
const LIMIT: u64 = 512;
/// Boots that cannot be counted on any more (RFC 3414 §2.2.2).
const LAST_BOOT: u32 = 0x7fff_fffe;

/// The engines of this run, each begun once, whoever speaks for it.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct Engines {
    begun: Arc<Mutex<HashMap<PathBuf, Arc<Engine>>>>,
    /// Where there is no file.
    passing: Arc<Engine>,
}

impl Default for Engines {
    fn default() -> Self {
        Self { begun: Arc::default(), passing: Arc::new(Engine::passing()) }
    }
}

impl Engines {
    /// The engine of a file; one of this run alone without a file.
    pub(in crate::daemon) fn at(&self, path: Option<&Path>) -> Arc<Engine> {
        let Some(path) = path else { return Arc::clone(&self.passing) };
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let engine = begun.entry(path.to_owned()).or_insert_with(|| Arc::new(begin(path)));
        Arc::clone(engine)
    }
}

/// One more start of the engine in this file; of another engine, where the file is of no use. An engine that nobody has known
/// before cannot be told what was said before.
fn begin(path: &Path) -> Engine {
    let engine = match read(path) {
        Ok(Some(Engine { id, boots })) if boots < LAST_BOOT => Engine { id, boots: boots + 1 },
        Ok(_) => Engine::passing(),
        Err(why) => {
            error!("{} is of no use: {why}; managers have to discover a new SNMP engine", path.display());
            return Engine::passing();
        }
    };
    match write(path, &engine) {
        Ok(()) => {
            info!("SNMP engine {}, start {}", hex(&engine.id), engine.boots);
            engine
        }
        Err(why) => {
            error!(
                "{} cannot be written: {why}; managers have to discover a new SNMP engine",
                path.display()
            );
            Engine::passing()
        }
    }
}

/// What the file says; `None` where there is none.
fn read(path: &Path) -> io::Result<Option<Engine>> {
    match own_file::read(path, LIMIT) {
        Ok(text) => parse(&text).map(Some).ok_or_else(|| io::Error::other("it says nothing of an engine")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(text: &str) -> Option<Engine> {
    let line = |word: &str| text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
    let (pairs, []) = line("engine_id")?.as_bytes().as_chunks::<2>() else { return None };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let id: Vec<u8> = pairs.iter().map(byte).collect::<Option<_>>()?;
    let boots = line("engine_boots")?.parse().ok()?;
    (5..=32).contains(&id.len()).then_some(Engine { id, boots })
}

fn write(path: &Path, engine: &Engine) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = format!("engine_id {}\nengine_boots {}\n", hex(&engine.id), engine.boots);
    own_file::replace_for_good(path, text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_is_counted_and_what_is_of_no_use_makes_another_engine() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/engine");
        let first = begin(&path);
        assert_eq!((first.id.len(), first.boots), (21, 1));
        assert_eq!(begin(&path), Engine { id: first.id.clone(), boots: 2 });
        for (text, kept) in [("nonsense", true), ("engine_id 8000257205aa\nengine_boots 2147483646\n", false)]
        {
            own_file::replace(&path, text).unwrap();
            let other = begin(&path);
            assert_ne!(other.id, first.id);
            assert_eq!(other.boots, 1);
            assert_eq!(fs::read_to_string(&path).unwrap() == text, kept, "{text}");
        }
        assert_ne!(begin(Path::new("/proc/nowhere/engine")).id, first.id);
    }
}
