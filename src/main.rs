//! The `holdall` command.

use std::process::ExitCode;

/// For the Rust side; RocksDB keeps the C library's. docs/decisions/allocator.md has the figures behind the choice.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    holdall::cli::main()
}
