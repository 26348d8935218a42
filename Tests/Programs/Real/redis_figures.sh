#!/bin/bash
# Redis, which links libjemalloc, says in INFO what it takes from the allocator. Under Percolate those are Percolate's own figures, as
# its statistics say them from outside at the same moment, within one in a hundred.
. "$(dirname "$0")/common.sh"
need redis-server redis-benchmark
. "$sources/linked_jemalloc.sh"
requests=$(by_size 60000 3000000)

cli() { redis-cli -s redis.sock "$@"; }
witnessed redis-server --port 0 --unixsocket redis.sock --save '' --appendonly no >server.log 2>&1 &
server=$!
trap 'kill -TERM $server 2>/dev/null || true; cat server.log >&2' EXIT
answers() { [[ $(cli ping) == PONG ]]; }
wait_until 60 answers
redis-benchmark -s redis.sock -q -n "$requests" -r 100000 -c 20 -P 16 -d 200 -t set,lpush,hset,sadd,zadd >benchmark.log
cli flushall async >/dev/null
redis-benchmark -s redis.sock -q -n "$requests" -r 30000 -c 20 -P 16 -d 1000 -t set,hset >benchmark.log

# figure NAME: of INFO.
figure() { tr -d '\r' <info | awk -F: -v name="$1" '$1 == name { print $2 }'; }
# close LEFT RIGHT WHAT
close() {
    local difference
    [[ $1 =~ ^[0-9]+$ && $2 =~ ^[0-9]+$ ]] || { echo "$3: '$1' and '$2'" >&2; return 1; }
    difference=$(($1 > $2 ? $1 - $2 : $2 - $1))
    ((difference * 100 <= $1)) && return
    echo "$3: $1 and $2" >&2
    return 1
}
plausible() {
    local allocated active resident rss
    allocated=$(figure allocator_allocated) active=$(figure allocator_active)
    resident=$(figure allocator_resident) rss=$(figure used_memory_rss)
    # used_memory counts the same blocks by malloc_usable_size. To libjemalloc blocks in caches are allocated.
    ((is_served_by_jemalloc)) || close "$(figure used_memory)" "$allocated" 'used_memory and allocator_allocated'
    ((allocated <= active && active <= resident && resident < rss + (8 << 20) && resident * 2 > rss)) && return
    echo "not plausible: $allocated $active $resident $rss" >&2
    return 1
}
sleep 1.5
cli info memory >info
plausible
if ((!is_served_by_jemalloc)) && [[ -n ${PERCOLATE_COMMAND-} ]]; then
    LD_PRELOAD='' "$PERCOLATE_COMMAND" stats "$server" >outside
    outside() { awk -v name="$1" '$1 == name { print $2 }' outside; }
    close "$(figure allocator_allocated)" "$(outside application_bytes)" 'allocator_allocated and application_bytes'
    close "$(figure allocator_active)" "$(outside in_use_bytes)" 'allocator_active and in_use_bytes'
    close "$(figure allocator_resident)" \
        "$(($(outside in_use_bytes) + $(outside free_resident_bytes) + $(outside metadata_bytes)))" allocator_resident
fi
cli memory malloc-stats | grep -c '^Allocated: [0-9]*, active: [0-9]*, metadata: [0-9]* (n_thp [0-9]*), resident: '
cli memory purge
cli config set jemalloc-bg-thread no
cli config set jemalloc-bg-thread yes
cli shutdown nosave >/dev/null 2>&1 || true
wait "$server"
trap - EXIT
judge redis-server
