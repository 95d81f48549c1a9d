# Garage, built from crates: one node, one copy, LMDB.

garage_version=2.5.0

install_garage() {
    local home=$cache/garage-$garage_version
    garage=$home/bin/garage
    [ -x "$garage" ] && return 0
    echo "garage: building; this takes long, once" >&2
    # The environment of our own build is none of its business.
    env -u CARGO_TARGET_DIR -u ROCKSDB_LIB_DIR -u ROCKSDB_STATIC \
        cargo install garage --version "$garage_version" --locked --root "$home" && return 0
    echo "garage: cannot be built, left out" >&2
    return 1
}

start_garage() {
    mkdir -p "$data/garage"
    cat >"$data/garage.toml" <<END
metadata_dir = "$data/garage/meta"
data_dir = "$data/garage/data"
db_engine = "lmdb"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:18341"
rpc_public_addr = "127.0.0.1:18341"
rpc_secret = "$secret_key"
[s3_api]
s3_region = "us-east-1"
api_bind_addr = "127.0.0.1:18340"
END
    start garage 18340 "$garage" -c "$data/garage.toml" server
    local node
    node=$("$garage" -c "$data/garage.toml" node id -q | cut -d@ -f1)
    {
        "$garage" -c "$data/garage.toml" layout assign -z here -c 60G "$node"
        "$garage" -c "$data/garage.toml" layout apply --version 1
        "$garage" -c "$data/garage.toml" key import --yes -n bench "$access_key" "$secret_key"
        "$garage" -c "$data/garage.toml" key allow --create-bucket bench
    } >>"$data/garage.log" 2>&1
    add garage 18340 "Garage $garage_version, one node, one copy, lmdb, as it ships (metadata_fsync and data_fsync off): \
no sync before it acknowledges"
}
