//! Which links the configuration asks for, and what they are called.
//!
//! Names are chosen once, when the interfaces that exist are known: rows, MIB and log then speak of them.

use std::net::IpAddr;

use tracing::warn;

use crate::{
    config::{Config, Global, Instance, IpvlanMode, VirtualLink, VirtualLinkKind},
    kernel::{Isolation, Link, NewLinkKind, Sharing, Stacked},
    units::{Family, Vrid},
};

/// The longest name of an interface (IFNAMSIZ without its NUL).
const MAX_NAME_BYTES: usize = 15;

/// A link that virtual routers need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::daemon) struct PlannedLink {
    /// Its name.
    pub(in crate::daemon) name: String,
    /// The interface it is stacked upon.
    pub(in crate::daemon) parent: String,
    /// What it is.
    pub(in crate::daemon) kind: NewLinkKind,
    /// The number that `ip link set group` gives; `None` means its parent's.
    pub(super) group: Option<u32>,
    /// Its parent is reported anew when it is made.
    pub(super) announce_parent: bool,
    /// The address that an ipvlan has of its own, to send from.
    pub(super) address: Option<IpAddr>,
    /// Advertisements go through it.
    pub(super) transport: bool,
    /// It carries IPv4.
    pub(super) ipv4: bool,
    /// It carries IPv6.
    pub(super) ipv6: bool,
}

impl PlannedLink {
    /// Whether an existing link is as it has to be. On a parent of its own kind the kernel does not stack it, but puts it
    /// beside, on that one's parent.
    pub(in crate::daemon) fn is(&self, link: &Link, parent: &Link) -> bool {
        let below = match (self.kind, parent.stacked) {
            (
                NewLinkKind::Macvlan(_),
                Some(Stacked { parent, sharing: Sharing::PrivateMacvlan | Sharing::Macvlan }),
            ) => parent,
            (NewLinkKind::Ipvlan(_), Some(Stacked { parent, sharing: Sharing::Ipvlan(_) })) => parent,
            _ => parent.index,
        };
        let stacked = link.stacked.filter(|stacked| stacked.parent == below);
        match (self.kind, stacked.map(|stacked| stacked.sharing)) {
            (NewLinkKind::Macvlan(mac), Some(Sharing::PrivateMacvlan)) => link.mac == Some(mac),
            (NewLinkKind::Ipvlan(wanted), Some(Sharing::Ipvlan(found))) => wanted == found,
            _ => false,
        }
    }

    /// Whether it needs the link-local addresses of its parent, to send advertisements from.
    pub(in crate::daemon) fn borrows_link_local(&self) -> bool {
        self.ipv6 && self.transport && matches!(self.kind, NewLinkKind::Macvlan(_))
    }

    fn carry(&mut self, family: Family) {
        match family {
            Family::V4 => self.ipv4 = true,
            Family::V6 => self.ipv6 = true,
        }
    }
}

/// A virtual router's MAC (RFC 9568 §7.2 (7.2-2), §7.3 (7.3-1)). What is sent to it the kernel routes (§6.4.3 (6.4.3-5)).
pub(in crate::daemon) fn virtual_mac(family: Family, vrid: Vrid) -> [u8; 6] {
    let kind = match family {
        Family::V4 => 1,
        Family::V6 => 2,
    };
    [0x00, 0x00, 0x5e, 0x00, kind, vrid.value()]
}

/// The links of all instances. Each instance is told the name of its link, and each address its device. What is `known` from
/// a plan before keeps its name.
pub(in crate::daemon) fn plan(
    config: &mut Config,
    existing: &[Link],
    known: &[PlannedLink],
) -> Vec<PlannedLink> {
    let Config { global, instances, .. } = config;
    let mut draft = Draft { existing, known, global, links: Vec::new() };
    for instance in instances {
        draft.instance(instance);
    }
    draft.links
}

/// Whether a link is of a kind that we make: it may be replaced. Any other is none of our business.
pub(super) fn is_of_our_kind(link: &Link) -> bool {
    let sharing = link.stacked.map(|stacked| stacked.sharing);
    matches!(sharing, Some(Sharing::PrivateMacvlan | Sharing::Ipvlan(_)))
}

/// A plan in the making.
struct Draft<'a> {
    existing: &'a [Link],
    known: &'a [PlannedLink],
    global: &'a Global,
    links: Vec<PlannedLink>,
}

impl Draft<'_> {
    fn instance(&mut self, instance: &mut Instance) {
        let own = instance.link.take().map(|wish| {
            let place = self.own_link(instance, &wish);
            // What goes through an ipvlan comes from its address.
            let link = &self.links[place];
            instance.source = instance.source.or(link.address.filter(|_| link.transport));
            instance.link = Some(VirtualLink { name: Some(self.links[place].name.clone()), ..wish });
            place
        });
        let Instance { interface, vrid, family, settings, virtual_addresses, excluded_addresses, .. } =
            instance;
        for line in virtual_addresses.iter_mut().chain(excluded_addresses) {
            let parent = line.device.as_deref().unwrap_or(interface);
            let of_line = Family::of(line.address);
            let place = match own {
                Some(own) if parent == interface && of_line == *family => own,
                _ if line.use_vmac || settings.use_vmac_addr => self.link_of_address(parent, of_line, *vrid),
                Some(own) if parent == interface => own,
                _ => continue,
            };
            let link = &mut self.links[place];
            link.carry(of_line);
            line.device = Some(link.name.clone());
        }
    }

    /// The link that an instance asks for.
    fn own_link(&mut self, instance: &Instance, wish: &VirtualLink) -> usize {
        let (family, vrid) = (instance.family, instance.vrid);
        let kind = match wish.kind {
            VirtualLinkKind::Macvlan(mac) => {
                NewLinkKind::Macvlan(mac.unwrap_or_else(|| virtual_mac(family, vrid)))
            }
            VirtualLinkKind::Ipvlan(mode, _) => NewLinkKind::Ipvlan(match mode {
                IpvlanMode::Bridge => Isolation::Bridge,
                IpvlanMode::Private => Isolation::Private,
                IpvlanMode::Vepa => Isolation::Vepa,
            }),
        };
        let prefix = self.global.settings.vmac_prefix.to_string();
        let place = self.link(kind, &instance.interface, wish.name.as_deref(), (&prefix, family, vrid));
        let link = &mut self.links[place];
        if let VirtualLinkKind::Ipvlan(_, address) = wish.kind {
            link.address = address;
        }
        link.group = wish.group;
        link.announce_parent = wish.announce_parent;
        link.transport = !wish.transmit_on_parent;
        link.carry(family);
        place
    }

    /// The link of an address that asks for one on its interface: for its family, the virtual router's MAC.
    fn link_of_address(&mut self, parent: &str, family: Family, vrid: Vrid) -> usize {
        let prefix = self.global.settings.vmac_addr_prefix.to_string();
        self.link(NewLinkKind::Macvlan(virtual_mac(family, vrid)), parent, None, (&prefix, family, vrid))
    }

    /// The link of that kind on that interface: a planned one, one that an earlier run left, or a new one. There
    /// cannot be two of one MAC on an interface; of ipvlans there may be many.
    fn link(
        &mut self,
        kind: NewLinkKind,
        parent: &str,
        name: Option<&str>,
        (prefix, family, vrid): (&str, Family, Vrid),
    ) -> usize {
        let same = |known: &PlannedLink| known.kind == kind && known.parent == parent;
        if let (NewLinkKind::Macvlan(_), Some(place)) = (kind, self.links.iter().position(same)) {
            return place;
        }
        let mut link = PlannedLink {
            name: String::new(),
            parent: parent.to_owned(),
            kind,
            group: None,
            announce_parent: false,
            address: None,
            transport: false,
            ipv4: false,
            ipv6: false,
        };
        let known = self.known(&link, name);
        let wanted = name.filter(|name| self.may_have(name));
        if let (Some(name), None, None) = (name, &known, wanted) {
            warn!("{name} is another interface's name: the link gets another one");
        }
        link.name = known
            .or_else(|| self.left_over(&link))
            .or_else(|| wanted.map(str::to_owned))
            .unwrap_or_else(|| self.free_name(prefix, family, vrid));
        self.links.push(link);
        self.links.len() - 1
    }

    /// The name of a link of the plan before: a macvlan keeps it whatever the configuration says now, as there cannot be
    /// another one of its MAC beside it.
    fn known(&self, link: &PlannedLink, name: Option<&str>) -> Option<String> {
        let is_macvlan = matches!(link.kind, NewLinkKind::Macvlan(_));
        let is_free = |known: &&PlannedLink| self.links.iter().all(|link| link.name != known.name);
        let is_it = |known: &&PlannedLink| known.kind == link.kind && known.parent == link.parent;
        let may_be = |known: &&PlannedLink| is_macvlan || name.is_none_or(|name| name == known.name);
        let mut known = self.known.iter().filter(|known| is_it(known) && may_be(known));
        known.find(is_free).map(|known| known.name.clone())
    }

    /// The name of a macvlan that is as it has to be.
    fn left_over(&self, link: &PlannedLink) -> Option<String> {
        let NewLinkKind::Macvlan(_) = link.kind else { return None };
        let parent = self.existing.iter().find(|known| known.name == link.parent)?;
        let found = self.existing.iter().find(|known| link.is(known, parent))?;
        Some(found.name.clone())
    }

    /// Whether a link may have the name that the configuration gives it: unless something else has it, of which only a
    /// private macvlan or an ipvlan may be replaced.
    fn may_have(&self, name: &str) -> bool {
        let planned = self.links.iter().any(|link| link.name == name);
        let existing = self.existing.iter().find(|link| link.name == name);
        !planned && existing.is_none_or(is_of_our_kind)
    }

    /// `vrrp.51`; when that is taken `vrrp6.51` for IPv6, then `vrrp1.51` and so on. The prefix is shortened where the
    /// name would be too long.
    fn free_name(&self, prefix: &str, family: Family, vrid: Vrid) -> String {
        let taken = |name: &str| {
            let planned = self.links.iter().chain(self.known).any(|link| link.name == name);
            planned || self.existing.iter().any(|link| link.name == name)
        };
        let of_family = (family == Family::V6).then(|| format!("6.{vrid}"));
        let suffixes = [format!(".{vrid}")].into_iter().chain(of_family);
        let mut names = suffixes.chain((1_u32..).map(|number| format!("{number}.{vrid}"))).map(|suffix| {
            let room = MAX_NAME_BYTES.saturating_sub(suffix.len());
            let prefix: String = prefix
                .char_indices()
                .take_while(|(at, c)| at + c.len_utf8() <= room)
                .map(|(_, c)| c)
                .collect();
            prefix + &suffix
        });
        names.find(|name| !taken(name)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{self, Elsewhere, Options},
        units::IfIndex,
    };

    /// An instance on the only interface that every host has; the tests never start it.
    fn config(globals: &str, instances: &[&str]) -> Config {
        let block = |(number, lines): (usize, &&str)| {
            format!(
                "vrrp_instance VI{number} {{\ninterface eth0\nvirtual_router_id 51\n{}\n}}\n",
                lines.replace("; ", "\n")
            )
        };
        let instances: String = instances.iter().enumerate().map(block).collect();
        let text = format!("global_defs {{\n{globals}\n}}\n{instances}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let (config, report) = config::load_with(file.path(), &Options::default(), &Elsewhere);
        config.unwrap_or_else(|| panic!("{}", report.render()))
    }

    fn existing() -> Vec<Link> {
        vec![Link::sample(2, "eth0"), Link::sample(3, "eth1")]
    }

    /// A macvlan of that mode.
    fn macvlan(name: &str, parent: u32, mac: [u8; 6], sharing: Sharing) -> Link {
        let stacked = Some(Stacked { parent: IfIndex(parent), sharing });
        Link { mac: Some(mac), stacked, ..Link::sample(9, name) }
    }

    const MAC: [u8; 6] = [0, 0, 0x5e, 0, 1, 51];

    /// Names and parents of the links planned, and the devices of the addresses.
    fn planned(
        globals: &str,
        instances: &[&str],
        existing: &[Link],
    ) -> (Vec<(String, String)>, Vec<Option<String>>) {
        let mut config = config(globals, instances);
        let links = plan(&mut config, existing, &[]);
        let lines =
            |instance: Instance| instance.virtual_addresses.into_iter().chain(instance.excluded_addresses);
        let devices = config.instances.into_iter().flat_map(lines).map(|line| line.device).collect();
        (links.into_iter().map(|link| (link.name, link.parent)).collect(), devices)
    }

    fn names(globals: &str, instances: &[&str], existing: &[Link]) -> Vec<String> {
        planned(globals, instances, existing).0.into_iter().map(|(name, _)| name).collect()
    }

    const V4: &str = "use_vmac; virtual_ipaddress {; 192.0.2.1/24; }";
    const V6: &str = "use_vmac; virtual_ipaddress {; fe80::1/64; }";

    #[test]
    fn a_name_is_made_of_prefix_and_number_and_another_where_it_is_taken() {
        assert_eq!(names("", &[V4], &existing()), ["vrrp.51"]);
        assert_eq!(names("", &[V6], &existing()), ["vrrp.51"]);
        assert_eq!(names("", &[V4, V6], &existing()), ["vrrp.51", "vrrp6.51"]);
        assert_eq!(names("vmac_prefix a_very_long_prefix", &[V4], &existing()), ["a_very_long_.51"]);
        let taken = [existing(), vec![Link::sample(4, "vrrp.51"), Link::sample(5, "vrrp1.51")]].concat();
        assert_eq!(names("", &[V4], &taken), ["vrrp2.51"]);
        assert_eq!(names("", &[V6], &taken), ["vrrp6.51"]);
    }

    #[test]
    fn a_name_in_the_configuration_counts_unless_something_else_has_it() {
        let named = "use_vmac edge; virtual_ipaddress {; 192.0.2.1/24; }";
        assert_eq!(names("", &[named], &existing()), ["edge"]);
        let with = |link: Link| [existing(), vec![link]].concat();
        assert_eq!(names("", &[named], &with(Link::sample(4, "edge"))), ["vrrp.51"]);
        assert_eq!(names("", &[named], &with(macvlan("edge", 2, MAC, Sharing::Macvlan))), ["vrrp.51"]);
        assert_eq!(names("", &[named], &with(macvlan("edge", 3, MAC, Sharing::PrivateMacvlan))), ["edge"]);
    }

    #[test]
    fn a_link_that_is_as_it_has_to_be_is_used_under_its_name() {
        let with = |link: Link| [existing(), vec![link]].concat();
        let right = with(macvlan("old", 2, MAC, Sharing::PrivateMacvlan));
        assert_eq!(names("", &[V4], &right), ["old"]);
        assert_eq!(names("", &["use_vmac edge; virtual_ipaddress {; 192.0.2.1; }"], &right), ["old"]);
        let wrong = [
            macvlan("old", 3, MAC, Sharing::PrivateMacvlan),
            macvlan("old", 2, [0, 0, 0x5e, 0, 1, 52], Sharing::PrivateMacvlan),
            macvlan("old", 2, MAC, Sharing::Macvlan),
        ];
        for wrong in wrong {
            assert_eq!(names("", &[V4], &with(wrong)), ["vrrp.51"]);
        }
    }

    #[test]
    fn an_address_is_on_the_link_of_its_router_unless_it_says_otherwise() {
        let lines = "use_vmac; virtual_ipaddress {; 192.0.2.1; 192.0.2.2 dev eth0; 192.0.2.3 dev eth1; }; \
            virtual_ipaddress_excluded {; 2001:db8::1/64; }";
        let (links, devices) = planned("", &[lines], &existing());
        assert_eq!(links, [("vrrp.51".to_owned(), "eth0".to_owned())]);
        let devices: Vec<_> = devices.iter().map(|device| device.as_deref().unwrap_or_default()).collect();
        assert_eq!(devices, ["vrrp.51", "vrrp.51", "eth1", "vrrp.51"]);
    }

    #[test]
    fn an_address_may_have_a_link_for_its_interface_and_family() {
        let lines = "virtual_ipaddress {; 192.0.2.1; 192.0.2.2 use_vmac; 192.0.2.3 dev eth1 use_vmac; }; \
            virtual_ipaddress_excluded {; 2001:db8::1/64; }";
        let (links, devices) = planned("vmac_addr_prefix v", &[lines], &existing());
        let link = |name: &str, parent: &str| (name.to_owned(), parent.to_owned());
        assert_eq!(links, [link("v.51", "eth0"), link("v1.51", "eth1")]);
        let devices: Vec<_> = devices.iter().map(|device| device.as_deref().unwrap_or_default()).collect();
        assert_eq!(devices, ["", "v.51", "v1.51", ""]);
        let all = format!("use_vmac; use_vmac_addr; {lines}");
        let (links, devices) = planned("", &[&all], &existing());
        assert_eq!(links, [link("vrrp.51", "eth0"), link("vrrp1.51", "eth1"), link("vrrp6.51", "eth0")]);
        let devices: Vec<_> = devices.iter().map(|device| device.as_deref().unwrap_or_default()).collect();
        assert_eq!(devices, ["vrrp.51", "vrrp.51", "vrrp1.51", "vrrp6.51"]);
    }

    #[test]
    fn the_mac_is_the_virtual_routers_or_the_configurations() {
        let mac = |lines: &str| plan(&mut config("", &[lines]), &existing(), &[])[0].kind;
        assert_eq!(mac(V4), NewLinkKind::Macvlan([0, 0, 0x5e, 0, 1, 51]));
        assert_eq!(mac(V6), NewLinkKind::Macvlan([0, 0, 0x5e, 0, 2, 51]));
        let own = "use_vmac 02:00:00:00:01; virtual_ipaddress {; 192.0.2.1; }";
        assert_eq!(mac(own), NewLinkKind::Macvlan([2, 0, 0, 0, 1, 51]));
        let shared = "use_ipvlan 192.0.2.9 private; virtual_ipaddress {; 192.0.2.1; }";
        assert_eq!(mac(shared), NewLinkKind::Ipvlan(Isolation::Private));
    }
}
