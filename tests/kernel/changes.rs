//! Changes that are asked for together.

use steadfast::{
    kernel::{Added, Change, Granted},
    units::IfIndex,
};

use super::{address, in_namespace, index, ip, many, requests, shown};

#[test]
fn of_many_changes_each_is_granted_or_refused_by_itself_and_in_order() {
    in_namespace(|| async {
        ip("link add name a type veth peer name b");
        let (requests, _connection) = requests();
        // More than fit into one system call, some of them in vain.
        let mut changes: Vec<_> = many(index("a"), 500).into_iter().map(Change::AddAddress).collect();
        let of = |number: usize| changes[number].clone();
        let nowhere = || Change::AddAddress(address(IfIndex(999), [10, 9, 0, 1], 24));
        let (twice, first, last) = (of(7), of(0), of(499));
        changes[100] = nowhere();
        changes[101] = twice;
        changes.push(nowhere());
        let answers = requests.change(changes).await;
        assert_eq!(answers.len(), 501);
        for (number, answer) in answers.iter().enumerate() {
            match number {
                100 | 500 => assert_eq!(answer.as_ref().unwrap_err().errno(), Some(nix::libc::ENODEV)),
                101 => assert_eq!(*answer, Ok(Granted::Added(Added::AlreadyThere))),
                _ => assert_eq!(*answer, Ok(Granted::Added(Added::New)), "{number}"),
            }
        }
        assert_eq!(shown("a").len(), 498);
        // One after the other, whatever became of it.
        let Change::AddAddress(address) = &first else { panic!("{first:?}") };
        let again = vec![Change::RemoveAddress(address.clone()), nowhere(), first.clone(), last];
        let answers = requests.change(again).await;
        assert_eq!(answers[0], Ok(Granted::Removed));
        assert!(answers[1].is_err());
        assert_eq!(answers[2], Ok(Granted::Added(Added::New)));
        assert_eq!(answers[3], Ok(Granted::Added(Added::AlreadyThere)));
    });
}

#[test]
fn changes_are_on_their_way_before_anybody_waits_for_them() {
    in_namespace(|| async {
        ip("link add name a type veth peer name b");
        let (requests, _connection) = requests();
        let unheard = requests.change(many(index("a"), 1).into_iter().map(Change::AddAddress).collect());
        let heard = requests.change(many(index("a"), 1).into_iter().map(Change::AddAddress).collect());
        assert_eq!(heard.await, [Ok(Granted::Added(Added::AlreadyThere))]);
        drop(unheard);
        assert_eq!(requests.change(Vec::new()).await, []);
    });
}
