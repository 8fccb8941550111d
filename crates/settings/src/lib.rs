//! The one list of settings
