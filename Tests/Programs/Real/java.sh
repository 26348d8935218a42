#!/bin/bash
. "$(dirname "$0")/common.sh"
need java javac
javac -d classes "$sources/Threads.java"
java -Xmx512m -cp classes Threads "$(by_size 400 6000)"
