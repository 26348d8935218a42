#!/bin/bash
# Prints the manual page of the options, from the table in the README, which is named by the argument.
set -euo pipefail

cat <<'END'
.Dd November 27, 2026
.Dt PERCOLATE-OPTIONS 7
.Os
.Sh NAME
.Nm percolate-options
.Nd options of the memory allocator Percolate
.Sh SYNOPSIS
.Ev PERCOLATE_OPTIONS Ns = Ns Ar key Ns = Ns Ar value Ns Op , Ns Ar key Ns = Ns Ar value ...
.Sh DESCRIPTION
Percolate reads the environment variable
.Ev PERCOLATE_OPTIONS
when a process starts.
.Ic percolate run -o Ar key Ns = Ns Ar value
adds to it.
An unknown key or a bad value gives one line on standard error and the default.
A value cannot hold a comma.
Programs that run with raised privileges take no options.
.Bl -tag -width Ds
END
# A row of the table: the key, its values, the default and the meaning.
awk -F ' *[|] *' '
    function plain(text) { gsub(/`/, "", text); gsub(/\\/, "\\e", text); return text }
    /^\| key \|/ { inside = 1; next }
    inside && /^\|-/ { next }
    inside && !/^\|/ { exit }
    inside {
        print ".It Ic " plain($2)
        print ".Em Values :\n" plain($3) ".\n.Em Default :\n" plain($4) ".\n.br"
        print toupper(substr(plain($5), 1, 1)) substr(plain($5), 2) "."
        rows++
    }
    END { if (!rows) { print "there is no table of options" >"/dev/stderr"; exit 1 } }' "$1"
cat <<'END'
.El
.Sh SEE ALSO
.Xr percolate 1 ,
.Xr percolate 3
END
