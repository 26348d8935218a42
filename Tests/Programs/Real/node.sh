#!/bin/bash
. "$(dirname "$0")/common.sh"
need node
exec node "$sources/objects.js" "$(by_size 150000 2000000)"
