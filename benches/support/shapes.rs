//! Configurations of any size: large ones as users have them, and shapes that invite quadratic work.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// Interfaces that the instances use, `bench0` and on.
pub(crate) const LINKS: usize = 8;

/// A configuration of any size.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// How much of it there is in the small size: lines, names, files. Ten times that fits into what may be read.
    pub(crate) size: usize,
    content: Content,
}

enum Content {
    /// All in the main file.
    Text(fn(usize) -> String),
    /// The main file names so many further ones, which hold this.
    Includes(&'static str),
}

impl Shape {
    const fn of(name: &'static str, size: usize, text: fn(usize) -> String) -> Self {
        Self { name, size, content: Content::Text(text) }
    }

    /// Writes it into a directory; the main file.
    pub(crate) fn write(&self, directory: &Path, size: usize) -> io::Result<PathBuf> {
        let main = directory.join(format!("main-{size}.conf"));
        fs::write(
            &main,
            match self.content {
                Content::Text(text) => text(size),
                Content::Includes(text) => {
                    for n in 0..size {
                        fs::write(directory.join(format!("part-{n}.conf")), text)?;
                    }
                    lines(size, |n| format!("include part-{n}.conf"))
                }
            },
        )?;
        Ok(main)
    }
}

/// What grows, and might grow too fast.
pub(crate) const ALL: &[Shape] = &[
    Shape::of("one line", 400_000, |size| format!("router_id {}\n", "x".repeat(size))),
    Shape::of("lines of escapes", 380, |size| format!("{}\n", "\\#".repeat(500)).repeat(size)),
    Shape::of("lines of no keyword", 20_000, |size| lines(size, |n| format!("word{n:06} 1 2 3"))),
    Shape::of("braces that close nothing", 30_000, |size| "}\n".repeat(size)),
    Shape::of("blocks within blocks that do not exist", 20_000, |size| "a {\n".repeat(size)),
    Shape::of("definitions, each used", 8_000, |size| {
        lines(size, |n| format!("$D{n}=x{n}")) + &lines(size, |n| format!("static_routes {{ ${{D{n}}} }}"))
    }),
    Shape::of("uses of a chain of 100 definitions", 400, |size| {
        let chain = lines(100, |n| format!("$C{}=${{C{n}}}x", n + 1));
        format!("$C0=x\n{chain}{}", lines(size, |_| "static_routes { ${C100} }".to_owned()))
    }),
    Shape::of("parameters that nobody defined", 380, |size| {
        format!("static_routes {{ \"{}\" }}\n", "${_RANDOM x $U ".repeat(60)).repeat(size)
    }),
    Shape::of("rounds of ~SEQ", 20_000, |size| {
        format!("static_ipaddress {{\n~SEQ(N, {size}) 10.0.0.$N/32 dev lo\n}}\n")
    }),
    Shape { name: "includes", size: 390, content: Content::Includes("vrrp_version 3\n") },
    Shape::of("instances of one name", 3_000, |size| lines(size, |_| "vrrp_instance VI { }".to_owned())),
    Shape::of("instances of one VRID", 1_000, |size| lines(size, |n| instance(n, ""))),
    Shape::of("instances of one VRID with a peer each", 1_000, |size| lines(size, unicast_instance)),
    Shape::of("addresses of an instance", 8_000, |size| {
        one_instance(&format!("virtual_ipaddress {{\n{}}}", lines(size, address)))
    }),
    Shape::of("blocks of one address of an instance", 5_000, |size| {
        one_instance(&lines(size, |n| format!("virtual_ipaddress {{ {} }}", address(n))))
    }),
    Shape::of("scripts that an instance tracks", 4_000, |size| {
        let scripts = lines(size, |n| format!("vrrp_script s{n} {{\nscript /bin/true\n}}"));
        let tracked = lines(size, |n| format!("s{n}"));
        scripts + &one_instance(&format!("track_script {{\n{tracked}}}"))
    }),
    Shape::of("groups of two instances", 900, |size| {
        let group = |n| format!("vrrp_sync_group G{n} {{ group {{ VI_{} VI_{} }} }}", 2 * n, 2 * n + 1);
        lines(2 * size, unicast_instance) + &lines(size, group)
    }),
    Shape::of("real servers of a service", 3_500, |size| services(1, size)),
    Shape::of("services of one real server", 1_800, |size| services(size, size)),
];

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|n| line(n) + "\n").collect()
}

fn address(n: usize) -> String {
    format!("10.{}.{}.{}/32", n / 62_500, n / 250 % 250, n % 250 + 1)
}

/// One of many that have interface and VRID in common.
fn instance(n: usize, more: &str) -> String {
    let address = address(n);
    format!(
        "vrrp_instance VI_{n} {{ interface bench0\nvirtual_router_id 1\nvirtual_ipaddress {{ {address} }}\n{more}\n}}"
    )
}

/// One of many that differ in their peers.
fn unicast_instance(n: usize) -> String {
    instance(n, &format!("unicast_peer {{ 172.16.{}.{} }}", n / 250, n % 250 + 1))
}

/// The only one, with more in it.
fn one_instance(more: &str) -> String {
    format!("vrrp_instance VI {{\ninterface bench0\nvirtual_router_id 1\npriority 100\n{more}\n}}\n")
}

/// So many virtual routers, 250 to an interface.
pub(crate) fn instances(count: usize) -> String {
    let mut text = "global_defs {\n    router_id bench\n}\n".to_owned();
    for n in 0..count {
        let (link, vrid) = (n / 250, n % 250 + 1);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "vrrp_instance VI_{n} {{\n    state BACKUP\n    interface bench{link}\n    virtual_router_id {vrid}\n    \
             priority 100\n    advert_int 1\n    authentication {{\n        auth_type PASS\n        auth_pass secret\n    \
             }}\n    virtual_ipaddress {{\n        10.{link}.{vrid}.1/24\n    }}\n}}\n"
        );
    }
    text
}

/// So many services, with so many servers spread over them.
pub(crate) fn services(count: usize, servers: usize) -> String {
    let mut text = String::new();
    let mut server = 0;
    for n in 0..count {
        let (a, b, c) = (n / 62_500, n / 250 % 250, n % 250 + 1);
        let _ = write!(
            text,
            "virtual_server 10.{a}.{b}.{c} 80 {{\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n"
        );
        while server * count < (n + 1) * servers {
            let (a, b, c) = (16 + server / 62_500, server / 250 % 250, server % 250 + 1);
            let _ = write!(text, "    real_server 172.{a}.{b}.{c} 80 {{\n        TCP_CHECK {{ }}\n    }}\n");
            server += 1;
        }
        text.push_str("}\n");
    }
    text
}
