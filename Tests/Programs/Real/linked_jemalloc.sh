# Sourced by the workloads of servers that link libjemalloc, after common.sh. Without Percolate they run as they are
# installed, and libjemalloc serves them: libc in front of it would take malloc away and leave mallocx. Under Percolate it
# serves no block, which its own statistics say at the end (jemalloc_witness.c).
need cc /usr/bin/python3

cc -shared -fPIC -O1 -o witness.so "$sources/jemalloc_witness.c" -ldl
case ${LD_PRELOAD-} in
    *percolate*) is_served_by_jemalloc=0 ;;
    *)
        is_served_by_jemalloc=1
        unset LD_PRELOAD
        ;;
esac

# witnessed COMMAND ...: runs a server with the witness.
witnessed() {
    JEMALLOC_WITNESS=$PWD/witness LD_PRELOAD=${LD_PRELOAD:+$LD_PRELOAD:}$PWD/witness.so exec "$@"
}

# judge PROGRAM: of each process of the server that said how many blocks libjemalloc had served. A few are libjemalloc's own.
judge() {
    local name blocks seen=0
    while read -r name blocks; do
        [[ $name == "$1" ]] || continue
        seen=1
        if ((is_served_by_jemalloc ? blocks < 100 : blocks > 4)); then
            echo "libjemalloc served $blocks blocks of $name" >&2
            return 1
        fi
    done <witness
    ((seen)) || { echo "no process of $1 testified" >&2; return 1; }
}

free_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
