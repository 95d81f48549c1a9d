#!/usr/bin/env bash
# Compiles RocksDB once per machine and prints the environment that makes cargo link it.
#
# The crate would compile the same sources in every target directory and for every profile: about
# 24 CPU minutes each. This builds the very sources that Cargo.lock names, a dozen files to a
# translation unit (most of the time goes into parsing headers), into a cache outside the checkout,
# under a name made of the crate's version, the compiler and the flags. It is only a cache: without
# it a plain `cargo build` works and takes longer.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${HOLDALL_CACHE:-$HOME/.cache/holdall}
cxx=${CXX:-g++}
jobs=${HOLDALL_JOBS:-$(nproc)}
files_per_unit=12

source_of() { # the directory of a dependency, as cargo unpacked it
    cargo metadata --locked --format-version 1 | python3 -c '
import json, os, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == sys.argv[1]:
        print(os.path.dirname(package["manifest_path"]))' "$1"
}

rocksdb=$(source_of librocksdb-sys)
lz4=$(source_of lz4-sys)/liblz4/lib
zstd=$(source_of zstd-sys)/zstd/lib

flags=(-std=c++20 -O2 -g0 -DNDEBUG -fPIC -include cstdint -w
    -DLZ4=1 -DZSTD=1 -DHAVE_ALIGNED_NEW -DHAVE_UINT128_EXTENSION
    -DOS_LINUX -DROCKSDB_PLATFORM_POSIX -DROCKSDB_LIB_IO_POSIX
    -DROCKSDB_SCHED_GETCPU_PRESENT -DROCKSDB_AUXV_GETAUXVAL_PRESENT
    -DROCKSDB_FALLOCATE_PRESENT -DROCKSDB_RANGESYNC_PRESENT)
# CRC32C of every block and log record in hardware; every x86-64 server CPU since 2010 has both.
[ "$(uname -m)" = x86_64 ] && flags+=(-msse4.2 -mpclmul)

key=$(printf '%s\n' "$(basename "$rocksdb")" "$files_per_unit" "$("$cxx" --version | head -1)" "${flags[@]}" | sha256sum | cut -c1-12)
archive_dir=$cache/rocksdb/$(basename "$rocksdb" | tr '+' '_')-$key

build() {
    work=$archive_dir.building.$$
    mkdir -p "$work"
    trap 'rm -rf "$work"' EXIT
    grep -v '^util/build_version.cc$' "$rocksdb/rocksdb_lib_sources.txt" | grep . |
        awk -v n=$files_per_unit -v dir="$work" -v src="$rocksdb/rocksdb" \
            '{ printf "#include \"%s/%s\"\n", src, $1 > sprintf("%s/unit-%02d.cc", dir, int((NR-1)/n)) }'
    cp "$rocksdb/build_version.cc" "$work/unit-version.cc"
    local total; total=$(ls "$work"/unit-*.cc | wc -l)
    echo "holdall: compiling RocksDB once for this machine ($total units, about 10 minutes on two cores)" >&2
    ls "$work"/unit-*.cc | xargs -P "$jobs" -I{} sh -c '
        "$0" "$@" -c {} -o {}.o && echo "  compiled $(ls "$(dirname {})"/*.o | wc -l) of '"$total"'" >&2' \
        "$cxx" "${flags[@]}" -I"$rocksdb" -I"$rocksdb/rocksdb" -I"$rocksdb/rocksdb/include" -I"$lz4" -I"$zstd"
    ar crs "$work/librocksdb.a" "$work"/*.o
    rm "$work"/*.o "$work"/*.cc
    mv -T "$work" "$archive_dir"
    trap - EXIT
}

mkdir -p "$cache/rocksdb"
[ -f "$archive_dir/librocksdb.a" ] || build
printf 'export ROCKSDB_LIB_DIR=%q ROCKSDB_STATIC=1\n' "$archive_dir"
