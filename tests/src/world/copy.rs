//! Directories copied whole: a state that many runs begin from.

use std::{fs, path::Path};

use super::WorldError;

/// Copies a directory with all that is in it.
///
/// # Errors
/// A file cannot be read or written.
pub fn copy_dir(from: &Path, to: &Path) -> Result<(), WorldError> {
    fs::create_dir_all(to).map_err(WorldError::file(to))?;
    for entry in fs::read_dir(from).map_err(WorldError::file(from))? {
        let entry = entry.map_err(WorldError::file(from))?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_dir(&path, &target)?;
        } else {
            fs::copy(&path, &target).map_err(WorldError::file(&path))?;
        }
    }
    Ok(())
}
