# Holdall itself, in full durability.

# start_holdall NAME VOLUMES PORT
start_holdall() {
    local name=$1 volumes=$2 port=$3
    local directory=$data/$name paths
    paths=$(seq -s, -f "$directory/%g" "$volumes")
    for path in ${paths//,/ }; do mkdir -p "$path"; done
    start "$name" "$port" env \
        HOLDALL_ADDRESS=127.0.0.1:"$port" HOLDALL_ADMIN_ADDRESS=127.0.0.1:$((port + 1)) \
        HOLDALL_VOLUMES="$paths" HOLDALL_DURABILITY=strict \
        HOLDALL_ACCESS_KEY="$access_key" HOLDALL_SECRET_KEY="$secret_key" \
        "$holdall" serve
    add "$name" "$port" "$("$holdall" --version), a copy on each of $volumes volume(s), durability strict: synced before it \
is acknowledged"
}
