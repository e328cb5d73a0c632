//! Where reloads are told of: a MASTER whose advertisements are counted, and who would take over.

use std::time::Duration;

use lab::{Capture, Control, Host, Lan, Result, Router, State, Subject, wait};

use crate::world::{ADVERTS, SOON, Setup, V3, VI, VIP, in_its_way, ours};

pub(crate) const INTERVAL: Duration = Duration::from_millis(100);
pub(crate) const ALPHA: &str = "10.9.0.1";

pub(crate) fn setup(priority: u8) -> Setup {
    Setup { advert_int: "0.1".into(), ..V3.alpha(priority) }
}

fn peer(priority: u8) -> Setup {
    Setup { advert_int: "0.1".into(), ..V3.beta(priority) }
}

/// Alpha as MASTER, and mostly beta as its BACKUP.
pub(crate) struct Scene {
    pub(crate) lan: Lan,
    pub(crate) router: Router,
    backup: Option<Router>,
    pub(crate) control: Control,
}

impl Scene {
    pub(crate) fn new(text: &str) -> Result<Self> {
        let mut scene = Self::alone(text)?;
        let backup = peer(100).start_until(&Subject::Keepalived, &scene.lan["beta"], State::Backup)?;
        scene.backup = Some(backup);
        Ok(scene)
    }

    /// Without a BACKUP, which would not believe a MASTER that advertises other addresses than it has itself.
    pub(crate) fn alone(text: &str) -> Result<Self> {
        let lan = Lan::pair()?;
        let router = Router::start(&ours(), &lan["alpha"], "alpha", text)?;
        router.wait_entering(VI, State::Master, SOON)?;
        wait::until_true("the address", SOON, || lan["alpha"].has_address(VIP))?;
        let backup = None;
        Ok(Self { control: Control::start(), router, backup, lan })
    }

    pub(crate) fn alpha(&self) -> &Host {
        &self.lan["alpha"]
    }

    /// What was foretold is done.
    pub(crate) fn reload(&self, text: &str) -> Result<()> {
        let told = self.foretold(text)?;
        let mark = self.router.mark();
        self.router.reload(self.alpha(), "alpha", text, SOON)?;
        let Some(told) = told else { return Ok(()) };
        let line = self.router.process().wait_log_since(mark, "Configuration reloaded: ", SOON)?;
        assert!(line.ends_with(&told), "{line}, foretold {told}");
        Ok(())
    }

    /// What `steadfast config diff` says beforehand of instances and groups; there is nobody to ask for keepalived.
    fn foretold(&self, text: &str) -> Result<Option<String>> {
        let Some(program) = in_its_way(&ours(), Some(env!("CARGO_BIN_EXE_steadfast")), None) else {
            return Ok(None);
        };
        let new = self.alpha().write("foretold.conf", text)?.display().to_string();
        let old = self.alpha().dir().join("alpha.conf").display().to_string();
        let output = self.alpha().exec(&[program, "config", "diff", &old, &new])?;
        let said = output.stdout;
        let counts = said.lines().last().and_then(|line| line.strip_prefix("a reload: "));
        assert!(counts.is_some() || said == "no difference\n", "{said}");
        Ok(Some(counts.unwrap_or("0 added, 0 changed, 0 removed").to_owned()))
    }

    /// The BACKUP takes over.
    pub(crate) fn wait_takeover(&self) -> Result<()> {
        let backup = self.backup.as_ref().expect("there is one in this story");
        backup.wait_entering(VI, State::Master, SOON).map(drop)
    }

    pub(crate) fn capture(&self) -> Result<Capture> {
        Capture::start(&self.lan["beta"], "vb0", ADVERTS)
    }

    /// Some more advertisements come, and neither router has changed its state since the beginning.
    pub(crate) fn goes_on(&self, capture: &Capture) -> Result<()> {
        let seen = capture.vrrp()?.len();
        capture.wait_vrrp("more advertisements", SOON, |adverts| adverts.len() >= seen + 5)?;
        assert_eq!(self.router.entries(VI, State::Master), 1, "{}", self.router.log());
        if let Some(backup) = &self.backup {
            assert_eq!(backup.entries(VI, State::Master), 0, "{}", backup.log());
        }
        Ok(())
    }
}

/// Each instance's vrid is its position, and so is the last byte of its address.
pub(crate) fn instances(names: &[(&str, u8, &str)]) -> String {
    let one = |(name, vrid, line): &(&str, u8, &str)| {
        let setup = Setup { vrid: *vrid, vips: vec![format!("10.9.0.{}/24", 100 + vrid)], ..setup(150) };
        let interface = if line.contains("down") { "down0" } else { "va0" };
        Setup { interface: interface.into(), ..setup }.line(line.replace("down", "")).instance(name)
    };
    names.iter().map(one).collect()
}

/// A file with words of `global_defs`.
pub(crate) fn with_globals(text: &str, globals: &str) -> String {
    text.replacen("router_id lab\n", &format!("router_id lab\n{globals}"), 1)
}
