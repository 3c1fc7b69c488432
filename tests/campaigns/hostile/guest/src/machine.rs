//! Attacks on the machine: time, memory, stack, and what lies around on it.

use std::hint::black_box;
use std::net::TcpStream;

use crate::bindings::exports::acme::hostile::attacks::Error;
use crate::held;

pub(crate) fn spin() -> Result<String, Error> {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Fills a large range again and again: one instruction of the machine each time.
pub(crate) fn fill(bytes: usize) -> Result<String, Error> {
    let mut range = vec![0_u8; bytes];
    let mut value = 0_u8;
    loop {
        value = value.wrapping_add(1);
        black_box(&mut range).fill(value);
    }
}

pub(crate) fn copy(bytes: usize) -> Result<String, Error> {
    let from = vec![1_u8; bytes / 2];
    let mut to = vec![0_u8; bytes / 2];
    loop {
        black_box(&mut to).copy_from_slice(black_box(&from));
    }
}

/// Takes memory until there is no more, and uses it.
pub(crate) fn memory() -> Result<String, Error> {
    let mut taken = Vec::new();
    loop {
        taken.push(black_box(vec![1_u8; 1 << 20]));
    }
}

pub(crate) fn dive(depth: usize) -> usize {
    if depth == 0 {
        return 0;
    }
    let room = black_box([depth; 16]);
    dive(depth - 1) + black_box(room[depth % 16])
}

pub(crate) fn ping(depth: usize) -> usize {
    if depth == 0 {
        0
    } else {
        pong(black_box(depth - 1)) + black_box(1)
    }
}

fn pong(depth: usize) -> usize {
    if depth == 0 {
        0
    } else {
        ping(black_box(depth - 1)) + black_box(1)
    }
}

/// A text that is said to be longer than the memory that holds it.
pub(crate) fn output_beyond_memory() -> Result<String, Error> {
    let text = "x".repeat(16);
    let claimed = (1 << 30) - 1;
    // SAFETY: there is none; that is the attack. Nothing reads the text here.
    let text = unsafe { String::from_raw_parts(text.leak().as_mut_ptr(), claimed, claimed) };
    Ok(text)
}

pub(crate) fn file() -> Result<String, Error> {
    for path in [
        "/etc/passwd",
        "../../../etc/passwd",
        "/proc/self/environ",
        ".",
    ] {
        if let Ok(text) = std::fs::read_to_string(path) {
            return Ok(text);
        }
        if std::fs::read_dir(path).is_ok() || std::fs::write(path, "mine").is_ok() {
            return Ok(path.to_owned());
        }
    }
    held("no file can be opened")
}

pub(crate) fn socket() -> Result<String, Error> {
    match TcpStream::connect("127.0.0.1:22") {
        Ok(_) => Ok("connected".to_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Ok(error.to_string())
        }
        Err(error) => held(error),
    }
}

pub(crate) fn environment() -> Result<String, Error> {
    let variables: Vec<_> = std::env::vars().collect();
    let arguments: Vec<_> = std::env::args().collect();
    if variables.is_empty() && arguments.is_empty() {
        return held("there is no environment");
    }
    Ok(format!("{variables:?} {arguments:?}"))
}
