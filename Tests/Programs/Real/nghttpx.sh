#!/bin/bash
# nghttpx turns HTTP/2 of h2load's clients into HTTP/1.1 for a small server of Python's. Prints how many requests succeeded, and a
# digest of a page.
. "$(dirname "$0")/common.sh"
need nghttpx h2load
. "$sources/linked_jemalloc.sh"
requests=$(by_size 4000 400000)
backend_port=$(free_port)
port=$(free_port)
mkdir pages
for i in {0..19}; do /usr/bin/python3 -c "print('page $i ' * (40 * $i + 1))" >"pages/$i"; done

cat >backend.py <<'END'
import os, sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
class Pages(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    def log_message(self, *arguments): pass
os.chdir("pages")
ThreadingHTTPServer.request_queue_size = 512
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Pages).serve_forever()
END
/usr/bin/python3 backend.py "$backend_port" &
backend=$!
wait_until 60 /usr/bin/python3 -c "import socket; socket.create_connection(('127.0.0.1', $backend_port))"
witnessed nghttpx --conf=/dev/null --frontend="127.0.0.1,$port;no-tls" --backend="127.0.0.1,$backend_port" --workers=2 \
    --single-process --errorlog-file="$PWD/errors.log" >nghttpx.log 2>&1 &
server=$!
trap 'kill -TERM $server $backend 2>/dev/null || true; cat nghttpx.log errors.log >&2' EXIT
for i in {0..19}; do echo "http://127.0.0.1:$port/$i"; done >addresses
wait_until 60 nghttp -n "http://127.0.0.1:$port/0"
h2load -n "$requests" -c 10 -m 10 -i addresses >h2load.log 2>&1
grep -o "[0-9]* succeeded, [0-9]* failed, [0-9]* errored" h2load.log
nghttp "http://127.0.0.1:$port/19" | sha256sum
# A graceful end would wait for connections that are kept alive.
kill -PWR "$server"
wait "$server"
kill -TERM "$backend"
trap - EXIT
judge nghttpx
