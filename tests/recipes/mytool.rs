use std::process::{exit, Command};
use std::{env, io};

#[cfg(unix)] // Becomes the shim; returns only where that cannot be started.
fn self_update() -> io::Result<i32> {
    use std::os::unix::process::CommandExt;
    let tool = env::current_exe()?.canonicalize()?;
    let folder = tool.parent().ok_or(io::ErrorKind::NotFound)?;
    Err(Command::new(folder.join("updater-shim")).current_dir(folder).exec())
}

#[cfg(windows)] // Downloads on the user's terminal; a shim that waits for our end does the rest.
fn self_update() -> io::Result<i32> {
    use std::os::windows::process::CommandExt;
    const NO_WINDOW_AND_NEW_GROUP: u32 = 0x0800_0200;
    let tool = env::current_exe()?;
    let folder = tool.parent().ok_or(io::ErrorKind::NotFound)?;
    let shim = folder.join("updater-shim.exe");
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
        exit(self_update().unwrap_or_else(|error| {
            eprintln!("mytool: {error}");
            1
        }));
    }
    println!("mytool 1.0.0");
}
