//! Named points at which tests make the process die, fail or wait.
//!
//! `failpoint!("room::step::kind")` costs nothing without the feature `failpoints`, which no release build has. With
//! it, `HOLDALL_FAILPOINTS="name=kill;other=error"` or [`set`] says what happens there.

/// Passes a failpoint; with `error`, evaluates to an `io::Result<()>`.
#[macro_export]
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        $crate::sys::failpoint::hit($name)
    };
    ($name:literal, error) => {{
        #[cfg(feature = "failpoints")]
        let result = $crate::sys::failpoint::hit_fallible($name);
        #[cfg(not(feature = "failpoints"))]
        let result: std::io::Result<()> = Ok(());
        result
    }};
}

pub use failpoint;

#[cfg(feature = "failpoints")]
pub use enabled::Action;
#[cfg(feature = "failpoints")]
pub use enabled::hit;
#[cfg(feature = "failpoints")]
pub use enabled::hit_fallible;
#[cfg(feature = "failpoints")]
pub use enabled::set;

#[cfg(feature = "failpoints")]
mod enabled {
    use std::collections::HashMap;
    use std::io;
    use std::sync::LazyLock;
    use std::time::Duration;

    use parking_lot::Mutex;

    /// What happens at a failpoint.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Action {
        /// The process dies at once, as by SIGKILL.
        Kill,
        /// The step fails with EIO, where it can fail.
        Error,
        /// The step waits.
        Delay(Duration),
        /// The step waits, and then fails with EIO.
        LateError(Duration),
    }

    static ACTIONS: LazyLock<Mutex<HashMap<String, Action>>> =
        LazyLock::new(|| Mutex::new(from_environment()));

    fn from_environment() -> HashMap<String, Action> {
        let text = std::env::var("HOLDALL_FAILPOINTS").unwrap_or_default();
        text.split(';').filter_map(|entry| entry.split_once('=')).filter_map(parse).collect()
    }

    fn parse((name, action): (&str, &str)) -> Option<(String, Action)> {
        let action = match action.split_once(':') {
            None if action == "kill" => Action::Kill,
            None if action == "error" => Action::Error,
            Some(("delay", millis)) => Action::Delay(Duration::from_millis(millis.parse().ok()?)),
            _ => return None,
        };
        Some((name.to_owned(), action))
    }

    /// Says what happens at `name` from now on; `None` for nothing.
    pub fn set(name: &str, action: Option<Action>) {
        match action {
            Some(action) => ACTIONS.lock().insert(name.to_owned(), action),
            None => ACTIONS.lock().remove(name),
        };
    }

    /// Passes a failpoint at which nothing can fail.
    pub fn hit(name: &str) {
        let _ = hit_fallible(name);
    }

    /// Passes a failpoint.
    pub fn hit_fallible(name: &str) -> io::Result<()> {
        let action = ACTIONS.lock().get(name).copied();
        match action {
            Some(Action::Kill) => std::process::abort(),
            Some(Action::Error) => return Err(io::Error::from_raw_os_error(5)),
            Some(Action::Delay(span)) => std::thread::sleep(span),
            Some(Action::LateError(span)) => {
                std::thread::sleep(span);
                return Err(io::Error::from_raw_os_error(5));
            }
            None => {}
        }
        Ok(())
    }
}
