//! Links of our own making, against a real kernel.

use steadfast::kernel::{Link, NewLink, NewLinkKind, clock};

use super::{in_namespace, index, ip, requests};

#[test]
fn links_are_deleted_together_and_those_of_others_stay() {
    in_namespace(|| async {
        ip("link add name a type veth peer name b");
        // Somebody has the group that would be taken first.
        ip("link set dev b group 2147483647");
        ip("link add name theirs link a type macvlan mode private");
        let (requests, _connection) = requests();
        for number in 0..20 {
            let kind = NewLinkKind::Macvlan([0, 0, 0x5e, 0, 1, number]);
            let link = NewLink { name: format!("ours{number}"), parent: index("a"), kind, group: 0 };
            requests.create_link(&link).await.unwrap();
        }
        let listed = requests.links().await.unwrap();
        let (mut ours, others): (Vec<Link>, Vec<Link>) =
            listed.into_iter().partition(|link| link.name.starts_with("ours"));
        assert_eq!(ours.len(), 20);
        // One is gone before.
        ip("link del ours7");
        let start = clock::now();
        assert_eq!(requests.delete_links(&ours, &others).await, []);
        println!("19 links deleted in {:?}", clock::now().since(start));
        assert_eq!(requests.links().await.unwrap(), others);
        ours.truncate(2);
        assert_eq!(requests.delete_links(&ours, &others).await, [], "they are gone already");
    });
}
