#!/bin/bash
# Redis serves a benchmark, is filled with known keys, saves itself by fork while it is written to, and starts again from
# the file it saved. Prints the number of keys and the digest of all data, before and after.
. "$(dirname "$0")/common.sh"
need redis-server redis-benchmark
requests=$(by_size 60000 2000000)
keys=$(by_size 40000 1000000)

cli() { redis-cli -s redis.sock "$@"; }

start() {
    redis-server --port 0 --unixsocket redis.sock --save '' --appendonly no --enable-debug-command local "$@" \
        >>server.log 2>&1 &
    server=$!
    trap 'kill -TERM $server 2>/dev/null || true; cat server.log >&2' EXIT
    wait_until 120 answers
}

# While it loads its file it refuses, and redis-cli ends with 0 all the same.
answers() { [[ $(cli ping) == PONG ]]; }

stop() {
    cli shutdown nosave >/dev/null 2>&1 || true
    wait "$server"
    trap - EXIT
}

saved() { cli info persistence | tr -d '\r' | grep -qx 'rdb_bgsave_in_progress:0'; }

start
redis-benchmark -s redis.sock -q -n "$requests" -r 100000 -c 20 -P 16 -d 120 \
    -t set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset >benchmark.log
if grep -qi error benchmark.log; then cat benchmark.log >&2; exit 1; fi
cli flushall >/dev/null

# Strings of mixed sizes, and each of the larger types; a third of the keys is written again at another size.
fill='for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    redis.call("set", "string:" .. i, string.rep("v" .. i, 1 + i % 60))
    redis.call("hset", "hash:" .. i % 997, "field" .. i, string.rep("h", i % 150))
    redis.call("rpush", "list:" .. i % 499, i)
    redis.call("sadd", "set:" .. i % 251, "member" .. i)
    redis.call("zadd", "zset:" .. i % 101, i * 7919 % 10007, "m" .. i)
    if i % 3 == 0 then redis.call("append", "string:" .. i / 3, string.rep("a", i % 300)) end
    if i % 5 == 0 then redis.call("del", "string:" .. i / 5) end
end'
step=5000
for ((first = 1; first <= keys; first += step)); do
    cli eval "$fill" 0 "$first" $((first + step - 1)) >/dev/null
done
cli dbsize
cli debug digest | tee digest.saved

cli bgsave >/dev/null
# What is written now copies pages that the saving child still reads, and must not be in its file.
for ((first = keys + 1; first <= keys + 4 * step; first += step)); do
    cli eval "$fill" 0 "$first" $((first + step - 1)) >/dev/null
done
wait_until 120 saved
cli info persistence | tr -d '\r' | grep -x 'rdb_last_bgsave_status:ok'
stop

start
cli dbsize
cli debug digest | tee digest.loaded
cmp digest.saved digest.loaded
cli memory purge >/dev/null || true
stop
