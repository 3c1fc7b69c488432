//! A watched folder: what lies still is offered once, what is refused has its reason beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use artifacts::{Digest, Fetched, Inbox, REFUSED_ENDING, SigningKey, signature_file};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::vendor::{COMPONENT, signed, subject};

fn offered(inbox: &mut Inbox) -> Vec<(String, Vec<u8>)> {
    let arrivals = inbox.look().unwrap();
    let named = arrivals.into_iter().map(|arrival| {
        let name = arrival
            .file
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        (name, arrival.found.unwrap().bytes)
    });
    named.collect()
}

fn offer(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    vec![(name.to_owned(), bytes.to_vec())]
}

/// As careful writers do it.
fn replace(file: &Path, bytes: &[u8]) {
    let part = file.with_extension("part");
    fs::write(&part, bytes).unwrap();
    fs::rename(part, file).unwrap();
}

#[test]
fn a_file_is_offered_once_when_it_lies_still() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.wasm");
    let mut inbox = Inbox::new(folder.path());
    assert!(offered(&mut inbox).is_empty());
    fs::write(&file, b"ha").unwrap();
    assert!(offered(&mut inbox).is_empty());
    // Still being written.
    fs::write(&file, b"half").unwrap();
    assert!(offered(&mut inbox).is_empty());
    fs::write(&file, b"half and half").unwrap();
    assert!(offered(&mut inbox).is_empty());
    assert_eq!(offered(&mut inbox), offer("a.wasm", b"half and half"));
    assert!(offered(&mut inbox).is_empty());
    replace(&file, b"another");
    assert!(offered(&mut inbox).is_empty());
    assert_eq!(offered(&mut inbox), offer("a.wasm", b"another"));
    // Gone, and there again.
    fs::remove_file(&file).unwrap();
    assert!(offered(&mut inbox).is_empty());
    fs::write(&file, b"another").unwrap();
    assert!(offered(&mut inbox).is_empty());
    assert_eq!(offered(&mut inbox).len(), 1);
}

#[test]
fn a_signature_that_comes_later_offers_the_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.wasm");
    fs::write(&file, COMPONENT).unwrap();
    let mut inbox = Inbox::new(folder.path());
    offered(&mut inbox);
    assert_eq!(offered(&mut inbox).len(), 1);
    let key = SigningKey::generate().unwrap();
    let artifacts::Signature::Own(envelope) = signed(&subject(COMPONENT), &key, None) else {
        unreachable!()
    };
    fs::write(signature_file(&file), envelope.to_line().unwrap()).unwrap();
    assert!(offered(&mut inbox).is_empty());
    let arrival = inbox.look().unwrap().remove(0);
    assert_eq!(arrival.found.unwrap().signatures.len(), 1);
}

#[test]
fn other_files_are_nobodys_business() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder.wasm")).unwrap();
    for name in [".hidden.wasm", "a.wasm.sig", "a.wasm.part", "a.txt", "wasm"] {
        fs::write(folder.path().join(name), b"x").unwrap();
    }
    let mut inbox = Inbox::new(folder.path());
    for _ in 0..3 {
        assert!(offered(&mut inbox).is_empty());
    }
    assert!(Inbox::new(folder.path().join("none")).look().is_err());
}

/// Watches a folder; each thing that was to be installed comes out, and is refused where its bytes say so.
fn watch(folder: PathBuf) -> (UnboundedReceiver<Digest>, tokio::task::JoinHandle<()>) {
    let (seen, arrivals) = unbounded_channel();
    let install = move |fetched: Fetched| {
        let seen = seen.clone();
        async move {
            seen.send(fetched.digest).unwrap();
            if fetched.bytes.starts_with(b"bad") {
                return Err("it is bad");
            }
            Ok(())
        }
    };
    let watching = Inbox::new(folder).watch(Duration::from_millis(5), install);
    (arrivals, tokio::spawn(watching))
}

#[tokio::test]
async fn a_refusal_lies_beside_its_file_until_a_better_one_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut arrivals, task) = watch(folder.path().to_owned());
    let file = folder.path().join("a.wasm");
    let refused = folder.path().join(format!("a.wasm{REFUSED_ENDING}"));
    replace(&file, b"bad");
    assert_eq!(arrivals.recv().await, Some(Digest::of(b"bad")));
    // The word is left before the next file is taken up.
    replace(&folder.path().join("b.wasm"), b"good b");
    assert_eq!(arrivals.recv().await, Some(Digest::of(b"good b")));
    assert_eq!(fs::read_to_string(&refused).unwrap(), "it is bad\n");
    replace(&file, b"good");
    assert_eq!(arrivals.recv().await, Some(Digest::of(b"good")));
    replace(&folder.path().join("b.wasm"), b"good again");
    assert_eq!(arrivals.recv().await, Some(Digest::of(b"good again")));
    assert!(!refused.exists());
    // What cannot even be read is refused without anybody being asked.
    fs::write(signature_file(&file), "junk!").unwrap();
    replace(&file, b"good, with junk beside it");
    replace(&folder.path().join("z.wasm"), b"good z");
    assert_eq!(arrivals.recv().await, Some(Digest::of(b"good z")));
    // Taken up no later than z, and before it: by their names.
    let reason = fs::read_to_string(&refused).unwrap();
    assert!(reason.contains("signatures cannot be read"), "{reason}");
    task.abort();
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_place_of_a_refusal_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let others = elsewhere.path().join("plugins.toml");
    fs::write(&others, "somebody else's").unwrap();
    let refused = folder.path().join(format!("a.wasm{REFUSED_ENDING}"));
    std::os::unix::fs::symlink(&others, &refused).unwrap();
    let (mut arrivals, task) = watch(folder.path().to_owned());
    replace(&folder.path().join("a.wasm"), b"bad");
    assert_eq!(arrivals.recv().await, Some(Digest::of(b"bad")));
    // The word is left before the next file is taken up.
    replace(&folder.path().join("b.wasm"), b"good");
    assert_eq!(arrivals.recv().await, Some(Digest::of(b"good")));
    assert_eq!(fs::read_to_string(&refused).unwrap(), "it is bad\n");
    assert!(!refused.is_symlink());
    assert_eq!(fs::read_to_string(&others).unwrap(), "somebody else's");
    task.abort();
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_signatures_keeps_nobody_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.wasm");
    let pipe = signature_file(&file);
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // Whoever opens it to read meets this writer, and reads a signature that is none.
    let written = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, "junk!")
    });
    fs::write(&file, COMPONENT).unwrap();
    let mut inbox = Inbox::new(folder.path());
    assert!(inbox.look().unwrap().is_empty());
    let found = inbox.look().unwrap().remove(0).found;
    let refused = found.unwrap_err().to_string();
    assert!(refused.contains("no file that can be read"), "{refused}");
    fs::read(pipe).unwrap();
    written.join().unwrap().unwrap();
}
