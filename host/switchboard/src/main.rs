//! The `switchboard` program.

use std::process::ExitCode;

/// Tasks move between threads here, and what one allocates another frees: the system's allocator spends its time on locks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    switchboard::cli::run()
}
