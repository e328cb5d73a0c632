//! A batch of changes: messages between a begin and an end (linux/netfilter/nfnetlink.h).

use super::{
    expression::Expression,
    set::{Element, Set},
    socket,
};
use crate::kernel::{KernelError, attributes::Attributes};

/// nfnetlink's begin and end of a batch.
const BEGIN: u16 = 0x10;
const END: u16 = 0x11;
/// NFNL_SUBSYS_NFTABLES, in the upper half of a message's type and as the resource of begin and end.
const SUBSYSTEM: u16 = 10;
/// NFT_MSG_*.
const NEW_TABLE: u16 = 0;
const DELETE_TABLE: u16 = 2;
const NEW_CHAIN: u16 = 3;
const NEW_RULE: u16 = 6;
const NEW_SET: u16 = 9;
const NEW_ELEMENTS: u16 = 12;
const DELETE_ELEMENTS: u16 = 14;
/// NLM_F_REQUEST, and with an answer to each message (NLM_F_ACK).
const REQUEST: u16 = 0x1;
const ANSWERED: u16 = 0x5;
/// NLM_F_CREATE, and at the end of the chain (NLM_F_APPEND).
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;
/// Elements in one message: at some 44 bytes each they must fit into one attribute.
const ELEMENTS: usize = 1_000;

/// What a table's packets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4: `ip`.
    Ipv4 = 2,
    /// IPv6: `ip6`.
    Ipv6 = 10,
}

/// Where a chain sees packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Packets for this host.
    Input = 1,
    /// Packets that this host sends.
    Output = 3,
}

/// A chain of type filter that lets pass what no rule drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: &'static str,
    /// Where it sees packets.
    pub hook: Hook,
    /// Its place among the chains of the hook, lower ones first.
    pub priority: i32,
}

/// Changes to make together.
#[derive(Debug)]
pub struct Batch {
    /// The table that all of them are about.
    table: String,
    messages: Vec<u8>,
    sequence: u32,
    /// The number a set has within the batch.
    sets: u32,
}

impl Batch {
    /// No changes yet, for the table of that name in each family.
    pub fn new(table: &str) -> Self {
        let mut batch = Self { table: table.to_owned(), messages: Vec::new(), sequence: 0, sets: 0 };
        batch.message(BEGIN, REQUEST, [0, 0, 0], &Attributes::default());
        batch
    }

    /// The table; that it exists is fine.
    pub fn add_table(&mut self, family: Family) {
        let mut attributes = self.attributes();
        attributes.be32(2, 0);
        self.change(NEW_TABLE, 0, family, &attributes);
    }

    /// The table goes, and all that is in it; ENOENT when there is none.
    pub fn delete_table(&mut self, family: Family) {
        self.change(DELETE_TABLE, 0, family, &self.attributes());
    }

    /// A chain.
    pub fn add_chain(&mut self, family: Family, chain: Chain) {
        let mut attributes = self.attributes();
        // The policy 1 is "accept".
        attributes.text(3, chain.name).text(7, "filter").be32(5, 1).nest(4, |hook| {
            hook.be32(1, chain.hook as u32).be32(2, chain.priority.cast_unsigned());
        });
        self.change(NEW_CHAIN, CREATE, family, &attributes);
    }

    /// A chain that sees only what a rule of another one sends to it.
    pub fn add_plain_chain(&mut self, family: Family, name: &str) {
        let mut attributes = self.attributes();
        attributes.text(3, name);
        self.change(NEW_CHAIN, CREATE, family, &attributes);
    }

    /// A set with its elements.
    pub fn add_set(&mut self, family: Family, set: &Set, elements: &[Element]) {
        self.sets += 1;
        let mut attributes = self.attributes();
        attributes.text(2, set.name);
        set.describe(&mut attributes, self.sets, elements.len());
        self.change(NEW_SET, CREATE, family, &attributes);
        self.add_elements(family, set.name, elements);
    }

    /// Elements for a set that is there; those that it has already are fine.
    pub fn add_elements(&mut self, family: Family, set: &str, elements: &[Element]) {
        self.elements((NEW_ELEMENTS, CREATE), family, set, elements);
    }

    /// Elements that a set loses; ENOENT when it does not have one of them.
    pub fn delete_elements(&mut self, family: Family, set: &str, elements: &[Element]) {
        self.elements((DELETE_ELEMENTS, 0), family, set, elements);
    }

    fn elements(&mut self, (kind, flags): (u16, u16), family: Family, set: &str, elements: &[Element]) {
        for elements in elements.chunks(ELEMENTS) {
            let mut attributes = self.attributes();
            attributes.text(2, set).nest(3, |list| elements.iter().for_each(|element| element.write(list)));
            self.change(kind, flags, family, &attributes);
        }
    }

    /// A rule at the end of a chain.
    pub fn add_rule(&mut self, family: Family, chain: &str, expressions: &[Expression]) {
        let mut attributes = self.attributes();
        attributes.text(2, chain).nest(4, |list| {
            for expression in expressions {
                expression.write(list);
            }
        });
        self.change(NEW_RULE, CREATE | APPEND, family, &attributes);
    }

    /// Has the kernel make all changes, or none. Waits for it: never to be called on a lane that has something
    /// else to do. EOPNOTSUPP where the kernel has no nf_tables, EPERM without CAP_NET_ADMIN.
    pub fn commit(self, operation: &str) -> Result<(), KernelError> {
        socket::exchange(&self.into_bytes()).map_err(|error| KernelError::from_io(operation, &error))
    }

    /// The messages, from begin to end.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.message(END, REQUEST, [0, 0, 0], &Attributes::default());
        self.messages
    }

    /// Attributes that begin with the table's name, as all do.
    fn attributes(&self) -> Attributes {
        let mut attributes = Attributes::default();
        attributes.text(1, &self.table);
        attributes
    }

    fn change(&mut self, kind: u16, flags: u16, family: Family, attributes: &Attributes) {
        self.message(SUBSYSTEM << 8 | kind, ANSWERED | flags, [family as u8, 0, 0], attributes);
    }

    /// `general` is family and version of a message's nfgenmsg, and half of the resource.
    fn message(&mut self, kind: u16, flags: u16, general: [u8; 3], attributes: &Attributes) {
        let body = attributes.as_bytes();
        // No batch of ours is near 4 GiB; the kernel would refuse one with a wrong length.
        let length = u32::try_from(16 + 4 + body.len()).unwrap_or(u32::MAX);
        // Begin and end name the subsystem where changes have 0.
        let subsystem = if kind == BEGIN || kind == END { SUBSYSTEM.to_be_bytes()[1] } else { 0 };
        self.messages.extend(length.to_ne_bytes());
        self.messages.extend(kind.to_ne_bytes());
        self.messages.extend(flags.to_ne_bytes());
        self.messages.extend(self.sequence.to_ne_bytes());
        self.messages.extend([0; 4]);
        self.messages.extend(general);
        self.messages.push(subsystem);
        self.messages.extend(body);
        self.sequence += 1;
    }
}
