#!/bin/bash
# BIND's server answers a hundred thousand queries for a zone of its own on loopback. Prints how many were answered, and a
# digest of answers to each kind of query.
. "$(dirname "$0")/common.sh"
need named dnsperf
. "$sources/linked_jemalloc.sh"
queries=$(by_size 100000 3000000)
port=$(free_port)

cat >named.conf <<END
options {
    directory "$PWD"; pid-file none; session-keyfile "$PWD/session.key"; listen-on port $port { 127.0.0.1; };
    listen-on-v6 { none; }; recursion no; dnssec-validation no; minimal-responses yes;
};
controls { };
zone "test" { type primary; file "test.zone"; };
END
{
    echo '$TTL 300'
    echo '@ SOA ns.test. admin.test. 1 3600 600 86400 300'
    echo '@ NS ns.test.'
    echo 'ns A 127.0.0.1'
    for ((i = 0; i < 5000; i++)); do
        echo "host$i A 10.1.$((i / 250)).$((i % 250))"
        echo "text$i TXT \"$(printf "%0$((i % 200 + 1))d" "$i")\""
    done
} >test.zone
for ((i = 0; i < 5000; i++)); do echo "host$i.test A"; echo "text$i.test TXT"; echo "none$i.test A"; done >queries

witnessed named -g -c named.conf -n 2 >named.log 2>&1 &
server=$!
trap 'kill -TERM $server 2>/dev/null || true; cat named.log >&2' EXIT

cat >ask.py <<'END'
import hashlib, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.connect(("127.0.0.1", int(sys.argv[1])))
digest = hashlib.sha256()
for line in open("queries").read().splitlines()[::5] if len(sys.argv) < 3 else ["ns.test A"]:
    name, kind = line.split()
    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split(".")) + b"\0"
    s.send(struct.pack(">6H", 7, 0, 1, 0, 0, 0) + labels + struct.pack(">2H", {"A": 1, "TXT": 16}[kind], 1))
    digest.update(s.recv(4096))
print("answers", digest.hexdigest())
END
wait_until 60 /usr/bin/python3 ask.py "$port" once
dnsperf -s 127.0.0.1 -p "$port" -d queries -n $((queries / 15000 + 1)) -c 4 -q 200 -t 10 >dnsperf.log 2>&1
sent=$(awk '/Queries sent:/ { print $3 }' dnsperf.log)
answered=$(awk '/Queries completed:/ { print $3 }' dnsperf.log)
((answered >= queries && answered * 1000 >= sent * 999)) || { cat dnsperf.log >&2; exit 1; }
echo "answered at least $queries"
/usr/bin/python3 ask.py "$port"
kill -TERM "$server"
wait "$server"
trap - EXIT
judge named
