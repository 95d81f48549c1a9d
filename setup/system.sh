#!/usr/bin/env bash
# Makes sure that the machine has what the build needs, and installs with apt-get what is missing.
#
#   g++, make, pkg-config            RocksDB, zstd and lz4 are C and C++
#   libclang and its headers         the crate's bindings to RocksDB are generated from its C header
#   cargo of the version in Cargo.toml; it is not installed here, only asked for
#
# With everything in place this takes some milliseconds and writes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "holdall: $*" >&2; }

wanted=()
for tool in g++ make pkg-config; do
    command -v "$tool" >/dev/null || wanted+=("$tool")
done
command -v python3 >/dev/null || wanted+=(python3)

shopt -s nullglob
# Globs, not dpkg: a libclang from elsewhere serves as well.
libraries=("${LIBCLANG_PATH:-/nonexistent}"/libclang*.so* /usr/lib/llvm-*/lib/libclang[-.]*so* /usr/lib/*-linux-gnu/libclang[-.]*so*
    /usr/lib64/libclang[-.]*so* /usr/local/lib/libclang[-.]*so*)
headers=(/usr/lib/llvm-*/lib/clang/*/include/stddef.h /usr/lib/clang/*/include/stddef.h /usr/lib64/clang/*/include/stddef.h
    /usr/local/lib/clang/*/include/stddef.h "${LIBCLANG_PATH:-/nonexistent}"/clang/*/include/stddef.h)
if [ ${#libraries[@]} -eq 0 ] || [ ${#headers[@]} -eq 0 ]; then
    wanted+=(libclang1-14 libclang-common-14-dev)
fi

if [ ${#wanted[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null; then
        say "missing: ${wanted[*]} (names of Debian 12). Install them with your package manager, then try again."
        exit 1
    fi
    root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { say "missing: ${wanted[*]}. Run as root: apt-get install ${wanted[*]}"; exit 1; }
        root=(sudo)
    fi
    say "installing ${wanted[*]}"
    install() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2; }
    "${root[@]}" apt-get update >&2 || say "apt-get update failed; trying with the lists that are there"
    # Other releases carry other versions of libclang; libclang-dev is the newest there is, with its headers.
    install "${wanted[@]}" || install $(printf '%s\n' "${wanted[@]}" | sed -e '/libclang1-14/d' -e 's/libclang-common-14-dev/libclang-dev/')
fi

if ! command -v cargo >/dev/null; then
    [ -x "$HOME/.cargo/bin/cargo" ] || { say "cargo is missing: https://rustup.rs"; exit 1; }
fi
