#!/bin/bash
. "$(dirname "$0")/common.sh"
need perl
exec perl "$sources/words.pl" "$(by_size 150000 2000000)"
