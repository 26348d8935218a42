#!/bin/bash
# CPython's own regression tests of threads, processes, collection and foreign functions. Prints the result of each test.
# PYTHONMALLOC=malloc in the environment sends every object of Python to malloc.
. "$(dirname "$0")/common.sh"
need /usr/bin/python3 '/usr/lib/python3.*/test/test_threading.py' '/usr/lib/python3.*/ctypes/test/__init__.py'

# run_tests NAME [OPTION ...]: two files at a time, because most tests mostly wait.
run_tests() {
    local name=$1
    shift
    if ! /usr/bin/python3 -m test -j2 --timeout 300 --junit-xml "$PWD/$name.xml" --tempdir "$PWD" "$@" \
        >"$name.log" 2>&1 </dev/null; then
        cat "$name.log" >&2
        exit 1
    fi
}

# The tests of processes take one of the CPUs at most, so they run beside the others.
if [[ $1 == quick ]]; then
    run_tests processes -m 'WithProcessesTestPool' -m 'WithProcessesTestQueue' -m 'WithProcessesTestProcess' \
        -m 'WithManagerTestPool' -m '*TestHeap*' -m '*TestSharedMemory*' test_multiprocessing_fork &
else
    run_tests processes test_multiprocessing_fork test_multiprocessing_spawn test_multiprocessing_forkserver \
        test_concurrent_futures &
fi
processes=$!
trap wait EXIT
run_tests basic test_threading test_thread test_threading_local test_gc test_ctypes test_subprocess
wait "$processes"

/usr/bin/python3 - basic.xml processes.xml <<'PYTHON'
import sys
import xml.etree.ElementTree as ElementTree

lines = []
for path in sys.argv[1:]:
    for case in ElementTree.parse(path).iter("testcase"):
        outcome = "".join(sorted(child.tag for child in case if child.tag in ("skipped", "failure", "error")))
        lines.append(f"{case.get('name')} {outcome or case.get('result')}")
if len(lines) < 500:
    sys.exit(f"only {len(lines)} tests ran")
print("\n".join(sorted(lines)))
PYTHON
