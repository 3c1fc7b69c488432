//! The `switchboard` program.

use std::process::ExitCode;

/// Tasks move between threads here, and what one allocates another frees: the system's allocator spends its time on locks. SQLite
/// has this one, too (`override`): the system's gives memory back and asks for it again with every transaction.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    switchboard::cli::run()
}
