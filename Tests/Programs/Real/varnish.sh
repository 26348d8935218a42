#!/bin/bash
# Varnish caches what a small server of Python's gives, for clients that keep their connections. Prints a digest of the bodies.
. "$(dirname "$0")/common.sh"
need varnishd
. "$sources/linked_jemalloc.sh"
rounds=$(by_size 3 300)
backend_port=$(free_port)
port=$(free_port)

cat >backend.py <<'END'
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Pages(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    def do_GET(self):
        number = int("".join(c for c in self.path if c.isdigit()) or 0)
        body = (self.path + "\n").encode() * (1 + number * 7919 % 3000)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments): pass
ThreadingHTTPServer.request_queue_size = 512
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Pages).serve_forever()
END
cat >client.py <<'END'
import hashlib, http.client, sys, threading
port, rounds = int(sys.argv[1]), int(sys.argv[2])
def fetch(part, results):
    digest = hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for round in range(rounds):
        for page in range(part, 200, 4):
            connection.request("GET", f"/page{page}", headers={"X-Round": "x" * (round * 37 % 900)})
            response = connection.getresponse()
            digest.update(bytes([response.status % 251]) + response.read())
    results[part] = digest.hexdigest()
results = {}
threads = [threading.Thread(target=fetch, args=(part, results)) for part in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for part in sorted(results): print("part", part, results[part])
END
cat >cache.vcl <<END
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "$backend_port"; }
sub vcl_backend_response { set beresp.ttl = 2s; set beresp.grace = 1s; }
END

/usr/bin/python3 backend.py "$backend_port" &
backend=$!
witnessed varnishd -F -j none -f "$PWD/cache.vcl" -a "127.0.0.1:$port" -T none -n "$PWD/varnish" -s malloc,16M >varnish.log 2>&1 &
server=$!
trap 'kill -TERM $server $backend 2>/dev/null || true; cat varnish.log >&2' EXIT
wait_until 60 /usr/bin/python3 -c "import http.client as h; c = h.HTTPConnection('127.0.0.1', $port); c.request('GET', '/'); assert c.getresponse().status == 200"
/usr/bin/python3 client.py "$port" "$rounds"
kill -TERM "$server"
wait "$server"
kill -TERM "$backend"
trap - EXIT
judge varnishd
