//! Data folders that are not opened, and what the operator is told.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use store::{OpenError, OpenOptions, SqliteStore};

use super::{FILE, open};
use crate::world::TestClock;

fn refusal(folder: &Path) -> OpenError {
    match SqliteStore::open(folder, OpenOptions::default()) {
        Ok(_) => panic!("{} was opened", folder.display()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_second_host_is_told_who_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), &TestClock::new());
    let error = refusal(folder.path());
    let held = format!(
        "in use by another Switchboard (process {})",
        std::process::id()
    );
    assert!(error.to_string().contains(&held), "{error}");
    store.close().await;
    open(folder.path(), &TestClock::new());
}

#[test]
fn a_newer_schema_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), &TestClock::new()));
    let file = folder.path().join(FILE);
    Connection::open(&file)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = refusal(folder.path());
    assert!(
        matches!(error, OpenError::Newer { found: 99, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("run that version again"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = b"this is no database, whatever its name says\n".repeat(200);
    fs::write(folder.path().join(FILE), &garbage).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), garbage);
}

#[test]
fn somebody_elses_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    other
        .execute_batch("CREATE TABLE cookies (id INTEGER)")
        .unwrap();
    drop(other);
    let before = fs::read(folder.path().join(FILE)).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
    assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), before);
}

#[test]
fn a_folder_that_is_a_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data");
    fs::write(&file, "").unwrap();
    let error = refusal(&file);
    assert!(matches!(error, OpenError::Failed { .. }), "{error}");
    assert!(
        error.to_string().contains(&*file.to_string_lossy()),
        "{error}"
    );
}

/// Sysfs takes no files from anybody, so that this holds for root too, whom permissions do not stop.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let error = refusal(Path::new("/sys/kernel"));
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error}");
    assert!(error.to_string().contains("make it writable"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_new_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a/data");
    drop(open(&data, &TestClock::new()));
    assert_eq!(
        fs::metadata(data).unwrap().permissions().mode() & 0o777,
        0o700
    );
}
