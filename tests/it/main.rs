//! The server as a client meets it. One binary: the harness starts servers, the folders mirror `src/`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod admin;
mod check;
mod harness;
#[path = "../rig/mod.rs"]
#[allow(clippy::disallowed_methods, reason = "it plays the disk, which loses things")]
mod rig;
mod security;
mod wire;
