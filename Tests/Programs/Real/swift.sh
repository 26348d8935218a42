#!/bin/bash
# swiftc compiles a program of tasks and actors under the allocator, and the program runs under it.
. "$(dirname "$0")/common.sh"
if ! installed swiftc; then
    echo "swiftc is missing: it comes with the Swift toolchain, which these tests take as installed." >&2
    exit 3
fi
cp "$sources/Actors.swift" .
swiftc -O -swift-version 6 -parse-as-library -module-cache-path "$PWD/modules" Actors.swift -o actors
./actors "$(by_size 60 1500)"
