use crate::{Container, Error, ErrorKind, ExitStatus};
use std::io;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::io::Interest;

impl Container {
    /// Waits in a task of tokio, on the pidfd in its reactor; no thread is blocked. Dropping the future ends the wait and
    /// nothing else. The runtime needs its I/O driver (`enable_io`).
    pub async fn wait_async(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(known) = self.look() {
                return Ok(known?);
            }
            match self.pidfd() {
                Ok(pidfd) => {
                    // Deprecated for descriptors that somebody else may close; this one is owned.
                    #[allow(deprecated)]
                    let ready = AsyncFd::with_interest(pidfd, Interest::READABLE)?;
                    drop(ready.readable().await?);
                }
                // It has ended since, and whoever deleted it took its record: this handle still knows.
                Err(error) => return Ok(self.look().unwrap_or(Err(error))?),
            }
        }
    }

    fn look(&self) -> Option<Result<ExitStatus, Error>> {
        match self.wait_timeout(Duration::ZERO) {
            Err(error) if error.kind() == ErrorKind::Timeout => None,
            known => Some(known),
        }
    }
}
