//! Files in the shared directories, which a path can't leave: the kernel refuses `..`, absolute paths and links on the way.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Opens a path beneath the first shared directory that has it.
///
/// # Errors
/// A sentence for the import's log.
pub fn open(directories: &[PathBuf], path: &str) -> Result<File, String> {
    if directories.is_empty() {
        return Err("no shared directory is configured; start the server with --shared-dir".to_owned());
    }
    for directory in directories {
        match beneath(directory, Path::new(path)) {
            Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => return Ok(file),
            Ok(_) => return Err(format!("{path} is not a file")),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(Errno::LOOP | Errno::XDEV) => {
                return Err(format!("{path} leads through a link or out of the shared directory, which is refused"));
            }
            Err(error) => return Err(format!("{path} can't be read: {error}")),
        }
    }
    Err(format!("{path} is in none of the shared directories"))
}

fn beneath(directory: &Path, path: &Path) -> Result<File, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(directory, flags | OFlags::DIRECTORY, Mode::empty())?;
    // NONBLOCK: opening a FIFO must not wait for a writer.
    let file = rustix::fs::openat2(
        &directory,
        path,
        flags | OFlags::NONBLOCK,
        Mode::empty(),
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
    )?;
    Ok(File::from(file))
}
