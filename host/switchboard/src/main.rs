//! The `switchboard` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    switchboard::cli::run()
}
