//! `switchboard audit`: is the record of what happened whole?

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use super::terminal::say;
use crate::files;

/// `audit verify`: also while another process serves from the same folder.
pub(super) fn verify(folder: &Path) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        files::is_folder(folder),
        "there is no data folder {}; name the one to check with --data DIR",
        folder.display()
    );
    let verified = store::verify_audit(folder)
        .with_context(|| format!("cannot read the audit log in {}", folder.display()))?;
    match verified {
        Ok((count, head)) => {
            say(format_args!(
                "✓ the audit log is whole: {count} records, head {head}"
            ));
            Ok(ExitCode::SUCCESS)
        }
        Err(found) => {
            say(format_args!(
                "✗ the audit log is broken at record {}: {}. Keep the folder as it is, and compare it with a backup",
                found.seq, found.reason
            ));
            Ok(ExitCode::FAILURE)
        }
    }
}
