# nginx as the limit of reading: sendfile, no signatures, no checks. Writes only prepare what is read.

install_nginx() {
    nginx=$(command -v nginx || true)
    [ -n "$nginx" ] && return 0
    nginx=$cache/nginx/usr/sbin/nginx
    [ -x "$nginx" ] && return 0
    # Unpacked, not installed: an installed one would start as a service.
    mkdir -p "$cache/nginx" && (cd "$cache/nginx" && apt-get download --quiet nginx && dpkg -x nginx_*.deb .) &&
        [ -x "$nginx" ] && return 0
    echo "nginx: cannot be installed, left out" >&2
    return 1
}

start_nginx() {
    local directory=$data/nginx
    mkdir -p "$directory/files" "$directory/state"
    cat >"$directory/nginx.conf" <<END
daemon off;
user $(id -un);
worker_processes $(nproc);
pid state/pid;
error_log state/error.log;
events { worker_connections 1024; }
http {
    sendfile on; tcp_nopush on; tcp_nodelay on; access_log off; keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path state/body; proxy_temp_path state/proxy; fastcgi_temp_path state/fastcgi;
    uwsgi_temp_path state/uwsgi; scgi_temp_path state/scgi;
    server {
        listen 127.0.0.1:18480;
        root files;
        location / { dav_methods PUT DELETE; create_full_put_path on; }
    }
}
END
    start nginx 18480 "$nginx" -p "$directory/" -e state/error.log -c nginx.conf
    # Anonymous; the workers are children of the given process.
    targets+=(--target "nginx=http://127.0.0.1:18480,,,$pid" --children)
    descriptions+=(--describe "nginx=$("$nginx" -v 2>&1 | sed 's/.*: //'), static files with sendfile, unsigned requests; \
nothing written is synced")
}
