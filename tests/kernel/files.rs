//! Files that are watched whatever becomes of them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use steadfast::kernel::{FileWatch, file_watch};
use tempfile::TempDir;

/// More events than the kernel queues for one reader.
const FLOOD: usize = 20_000;

/// What a watch reports, on a thread of its own, since it blocks.
struct Reports(Receiver<Vec<usize>>);

impl Reports {
    fn of(files: Vec<PathBuf>) -> Self {
        let mut watch = FileWatch::open(files);
        assert_eq!(watch.take_troubles(), []);
        let (sender, receiver) = channel();
        // It ends with its receiver, or with the process.
        thread::spawn(move || while sender.send(watch.wait()).is_ok() {});
        Self(receiver)
    }

    /// Waits until this file is reported, and returns the others that were meanwhile.
    fn wait_for(&self, file: usize) -> Vec<usize> {
        let mut others = Vec::new();
        loop {
            let reported = self.0.recv_timeout(Duration::from_secs(20));
            let reported = reported.unwrap_or_else(|_| panic!("{file} is not reported, only {others:?}"));
            let found = reported.contains(&file);
            others.extend(reported.into_iter().filter(|other| *other != file));
            if found {
                return others;
            }
        }
    }
}

fn write(path: &Path) {
    fs::write(path, "5").unwrap();
}

#[test]
fn a_file_is_reported_when_it_is_written_replaced_removed_and_made_again() {
    let directory = TempDir::new().unwrap();
    let [one, two] = ["one", "two"].map(|name| directory.path().join(name));
    let reports = Reports::of(vec![one.clone(), two.clone()]);
    let other = directory.path().join("other");
    let steps: [(&str, &dyn Fn()); 6] = [
        ("made", &|| write(&one)),
        ("written", &|| write(&one)),
        ("replaced", &|| {
            write(&other);
            fs::rename(&other, &one).unwrap();
        }),
        ("moved away", &|| fs::rename(&one, &other).unwrap()),
        ("linked", &|| fs::hard_link(&other, &one).unwrap()),
        ("removed", &|| fs::remove_file(&one).unwrap()),
    ];
    for (what, step) in steps {
        step();
        assert_eq!(reports.wait_for(0), [0_usize; 0], "{what}: nothing about another file");
        write(&two);
        assert_eq!(reports.wait_for(1), [0_usize; 0], "{what}: reported once");
    }
}

#[test]
fn a_file_is_not_reported_before_it_is_closed() {
    let directory = TempDir::new().unwrap();
    let [one, two] = ["one", "two"].map(|name| directory.path().join(name));
    let reports = Reports::of(vec![one.clone(), two.clone()]);
    let open = fs::File::create(&one).unwrap();
    write(&two);
    assert_eq!(reports.wait_for(1), [0_usize; 0]);
    drop(open);
    assert_eq!(reports.wait_for(0), [0_usize; 0]);
}

#[test]
fn a_directory_may_come_and_go() {
    let directory = TempDir::new().unwrap();
    let deep = directory.path().join("a/b/c");
    let file = deep.join("file");
    let reports = Reports::of(vec![file.clone()]);
    for _ in 0..3 {
        fs::create_dir_all(&deep).unwrap();
        write(&file);
        until(&reports, || file.exists());
        fs::rename(directory.path().join("a"), directory.path().join("z")).unwrap();
        // The directory that is watched has moved with its parent, unseen; its removal is seen.
        fs::remove_dir_all(directory.path().join("z")).unwrap();
        reports.wait_for(0);
    }
}

/// Each directory may be made in just the moment in which it has been looked for and the one above it is not watched yet.
#[test]
fn a_file_is_read_whenever_its_directories_are_made() {
    let directory = TempDir::new().unwrap();
    let top = directory.path().join("a");
    let file = top.join("b/c/file");
    let mut watch = FileWatch::open(vec![file.clone()]);
    let (sender, reader) = channel();
    let read = file.clone();
    // Reads it at each report, and only then.
    thread::spawn(move || while sender.send((watch.wait(), fs::read_to_string(&read).ok()).1).is_ok() {});
    let wait_for = |text: Option<String>| {
        let report = || reader.recv_timeout(Duration::from_secs(20)).expect("a report");
        while report() != text {}
    };
    for round in 0..1000 {
        for below in ["", "b", "b/c"] {
            // At another pace in each round.
            (0..round % 50).for_each(|_| drop(fs::metadata(directory.path())));
            fs::create_dir(top.join(below)).unwrap();
        }
        fs::write(&file, round.to_string()).unwrap();
        wait_for(Some(round.to_string()));
        fs::remove_dir_all(&top).unwrap();
        wait_for(None);
    }
}

/// Takes reports until the last one came when the condition was true.
fn until(reports: &Reports, condition: impl Fn() -> bool) {
    loop {
        reports.wait_for(0);
        if condition() {
            return;
        }
    }
}

#[test]
fn a_link_is_watched_at_both_ends() {
    let directory = TempDir::new().unwrap();
    let (link, there) = (directory.path().join("link"), directory.path().join("there"));
    fs::create_dir(&there).unwrap();
    let targets = ["first", "second"].map(|name| there.join(name));
    targets.iter().for_each(|target| write(target));
    symlink(&targets[0], &link).unwrap();
    let reports = Reports::of(vec![link.clone()]);
    write(&targets[0]);
    reports.wait_for(0);
    let new = directory.path().join("new");
    symlink(&targets[1], &new).unwrap();
    fs::rename(&new, &link).unwrap();
    reports.wait_for(0);
    // The watch on the new target is set before the report is made.
    write(&targets[1]);
    reports.wait_for(0);
}

#[test]
fn what_a_link_leads_to_may_come_later() {
    let directory = TempDir::new().unwrap();
    let [link, target] = ["link", "there/target"].map(|name| directory.path().join(name));
    symlink(&target, &link).unwrap();
    let reports = Reports::of(vec![link.clone()]);
    fs::create_dir(directory.path().join("there")).unwrap();
    write(&target);
    until(&reports, || link.exists());
    // It is watched as soon as it has been looked at.
    write(&target);
    reports.wait_for(0);
}

#[test]
fn after_a_flood_every_file_is_looked_at() {
    let directory = TempDir::new().unwrap();
    let files = ["one", "two"].map(|name| directory.path().join(name));
    let mut watch = FileWatch::open(files.to_vec());
    let noise = [directory.path().join("noise"), directory.path().join("more")];
    noise.iter().for_each(|path| write(path));
    for number in 0..FLOOD {
        // To open for writing and close is an event, and no work for the disk.
        drop(fs::OpenOptions::new().write(true).open(&noise[number % 2]).unwrap());
    }
    // This one is lost.
    write(&files[1]);
    let mut reported = Vec::new();
    while !reported.contains(&1) {
        reported.extend(watch.wait());
    }
    assert!(reported.contains(&0), "{reported:?}");
    // And it goes on.
    write(&files[0]);
    while watch.wait() != [0] {}
}

#[test]
fn reports_keep_the_order_of_changes() {
    let directory = TempDir::new().unwrap();
    let files = ["one", "two", "three"].map(|name| directory.path().join(name));
    let mut watch = FileWatch::open(files.to_vec());
    for number in [2, 0, 1, 2] {
        write(&files[number]);
    }
    assert_eq!(watch.wait(), [2, 0, 1]);
}

#[test]
fn only_the_beginning_of_a_regular_file_is_read() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "x".repeat(1 << 20)).unwrap();
    assert_eq!(file_watch::read_beginning(&path, 5).unwrap(), b"xxxxx");
    let pipe = directory.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for other in [directory.path(), &pipe, Path::new("/dev/zero")] {
        let error = file_watch::read_beginning(other, 5).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{}", other.display());
    }
}

#[test]
fn a_file_is_initialised_once_unless_it_is_to_be_overwritten() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("file");
    let read = || fs::read_to_string(&path).unwrap();
    assert!(file_watch::initialise(&path, "7\n", false).unwrap());
    assert!(!file_watch::initialise(&path, "8\n", false).unwrap());
    assert_eq!(read(), "7\n");
    assert!(file_watch::initialise(&path, "8\n", true).unwrap());
    assert_eq!(read(), "8\n");
    assert!(file_watch::initialise(&directory.path().join("no/file"), "8\n", true).is_err());
}

#[test]
fn what_a_link_leads_to_is_not_overwritten() {
    let directory = TempDir::new().unwrap();
    let [path, precious] = ["file", "precious"].map(|name| directory.path().join(name));
    fs::write(&precious, "content").unwrap();
    symlink(&precious, &path).unwrap();
    assert!(file_watch::initialise(&path, "8\n", true).is_err());
    fs::remove_file(&path).unwrap();
    fs::hard_link(&precious, &path).unwrap();
    assert!(file_watch::initialise(&path, "8\n", true).is_err());
    assert_eq!(fs::read_to_string(&precious).unwrap(), "content");
}
