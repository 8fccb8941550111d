//! Passwords and what they guard.

use crate::Settings;

/// Passwords and what they guard.
#[derive(Clone, PartialEq, Eq)]
pub struct Security {
    /// Password of the user `default`.
    pub password: Option<Vec<u8>>,
    /// Whether public addresses need a password.
    pub protected_mode: bool,
    /// Who may use `DEBUG`.
    pub debug_command: LocalAccess,
}

/// Who may do something that is usually forbidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalAccess {
    /// Nobody.
    No,
    /// Everybody.
    Yes,
    /// Clients on this machine.
    Local,
}

impl Settings {
    /// Passwords and what they guard.
    pub fn security(&self) -> Security {
        Security {
            password: Some(self.value("requirepass").to_bytes())
                .filter(|password| !password.is_empty()),
            protected_mode: self.bool("protected-mode"),
            debug_command: match self.text("enable-debug-command") {
                "yes" => LocalAccess::Yes,
                "local" => LocalAccess::Local,
                _ => LocalAccess::No,
            },
        }
    }
}

/// The password stays out of logs.
impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Security")
            .field("password", &self.password.as_ref().map(|_| "(redacted)"))
            .field("protected_mode", &self.protected_mode)
            .field("debug_command", &self.debug_command)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_printed() {
        let mut settings = Settings::default();
        settings.set(&[(b"requirepass", b"hunter2")]).unwrap();
        assert!(!format!("{settings:?} {:?}", settings.security()).contains("hunter2"));
    }
}
