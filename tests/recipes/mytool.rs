use std::ffi::OsString;
use std::process::{exit, Command};
use std::{env, io};

#[cfg(unix)] // Becomes the shim; returns only where that cannot be started.
fn self_update(given: &[OsString]) -> io::Result<i32> {
    use std::os::unix::process::CommandExt;
    let tool = env::current_exe()?.canonicalize()?;
    let folder = tool.parent().ok_or(io::ErrorKind::NotFound)?;
    if given.is_empty() {
        env::set_current_dir(folder)?; // the current one may have been removed
    }
    Err(Command::new(folder.join("updater-shim")).args(given).exec())
}

#[cfg(windows)] // Downloads on the user's terminal; a shim that waits for our end does the rest.
fn self_update(given: &[OsString]) -> io::Result<i32> {
    use std::os::windows::process::CommandExt;
    const NO_WINDOW_AND_NEW_GROUP: u32 = 0x0800_0200;
    let tool = env::current_exe()?;
    let folder = tool.parent().ok_or(io::ErrorKind::NotFound)?;
    let shim = folder.join("updater-shim.exe");
    if !given.is_empty() {
        return Ok(Command::new(&shim).args(given).status()?.code().unwrap_or(1));
    }
    let status = Command::new(&shim).arg("--download-only").current_dir(folder).status()?;
    if status.success() {
        let pid = std::process::id().to_string();
        let mut update = Command::new(&shim);
        update.args(["--parent-pid", &pid]).current_dir(folder);
        update.creation_flags(NO_WINDOW_AND_NEW_GROUP).spawn()?;
    }
    Ok(status.code().unwrap_or(1))
}

fn main() {
    if env::args().nth(1).as_deref() == Some("self-update") {
        let given: Vec<_> = env::args_os().skip(2).collect();
        exit(self_update(&given).unwrap_or_else(|error| {
            eprintln!("mytool: {error}");
            1
        }));
    }
    println!("mytool 1.0.0");
}
