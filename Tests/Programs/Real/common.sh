# Sourced first by every workload of this folder: `. "$(dirname "$0")/common.sh"`.
#
# A workload is called as `NAME.sh quick|long [ARG ...]` in an empty folder of its own, with the allocator in LD_PRELOAD.
# What it writes to standard output must be the same under every allocator; all else goes to files and standard error.
# It fails on the first error, and it ends its servers in order, because a killed process writes no statistics.
set -euo pipefail
export LC_ALL=C.UTF-8 TZ=UTC
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# installed PROGRAM-OR-PATTERN
installed() {
    case $1 in
        /*) compgen -G "$1" >/dev/null ;;
        *) type -P "$1" >/dev/null ;;
    esac
}

# need PROGRAM-OR-PATTERN ...: each is a line of `debian-packages`.
need() {
    local name program package reason
    for name in "$@"; do
        installed "$name" && continue
        while read -r program package reason; do
            [[ $program == "$name" ]] || continue
            echo "$name is missing: on Debian, install the package $package ($reason)." >&2
            exit 3
        done <"$sources/debian-packages"
        echo "$name is missing, and debian-packages does not say where it comes from." >&2
        exit 3
    done
}

# by_size QUICK LONG: the one that the workload's first argument asks for.
case ${1-} in
    quick) by_size() { echo "$1"; } ;;
    long) by_size() { echo "$2"; } ;;
    *) echo "usage: $0 quick|long [ARG ...]" >&2; exit 2 ;;
esac

# wait_until SECONDS COMMAND ...: until COMMAND succeeds.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= deadline)); then
            echo "gave up waiting for: $*" >&2
            return 1
        fi
        sleep 0.1
    done
}
