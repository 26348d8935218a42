#!/bin/bash
# Programs that are known to need care from a strict allocator: they use all of what malloc_usable_size(3) says, grow
# blocks in place, bring pools of their own over malloc, or load extensions with RTLD_DEEPBIND.
. "$(dirname "$0")/common.sh"
need systemd-analyze systemd-tmpfiles ruby php sqlite3 vim zsh gawk mawk lua5.4 tclsh jq bc
rounds=$(by_size 1 20)

for ((round = 0; round < rounds; round++)); do
    # Vectors that grow into the usable size (GREEDY_REALLOC).
    systemd-analyze calendar --base-time='2024-01-01 00:00:00 UTC' --iterations=30 'Mon..Fri *-*-1..7 18:00/7' |
        grep -v 'From now'
    systemd-analyze timespan 1h30min 90s 7d
    systemd-analyze syscall-filter @system-service | sort | sha256sum
    mkdir -p root/{etc,usr/lib/tmpfiles.d}
    for ((i = 0; i < 400; i++)); do echo "d /var/lib/part-$((i % 40))/a-$i 0755 - - -"; done >root/usr/lib/tmpfiles.d/a.conf
    systemd-tmpfiles --create --root="$PWD/root" 2>/dev/null || true
    find root/var | sort | sha256sum

    # The collector counts usable sizes.
    ruby -e 'GC.stress = false
        words = (1..60000).map { |i| "word-#{i * 7919 % 10007}" * (i % 5 + 1) }
        groups = words.group_by(&:size).transform_values { |w| w.sort.uniq.join(",").sum }
        GC.compact if GC.respond_to?(:compact)
        puts groups.inspect; puts((2**4001 * 3**999).to_s.sum)
        puts (1..20000).reduce("") { |s, i| s << i.to_s }.sum'

    # Every value from malloc; extensions are loaded with RTLD_DEEPBIND.
    USE_ZEND_ALLOC=0 php -r '$a = []; for ($i = 0; $i < 60000; $i++) $a[] = str_repeat(chr(97 + $i % 26), $i % 300);
        sort($a); echo md5(implode("", $a)), " ", strlen(serialize($a)), "\n";
        echo md5(json_encode(array_map("strrev", array_slice($a, 0, 5000)))), "\n";
        echo preg_replace_callback("/b+/", fn($m) => strlen($m[0]), $a[4000]), "\n";'

    # Counts what it has by usable sizes.
    sqlite3 :memory: "pragma soft_heap_limit = 3000000; create table t(a, b);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000)
        insert into t select i, printf('%.*c', i % 400, 'x') from n;
        select count(*), sum(length(b)) from t; select length(group_concat(b)) from t;"

    # Arrays that grow by realloc, and undo trees.
    seq 1 3000 >lines.txt
    vim -es -u NONE -i NONE -N -c 'g/7/m0' -c '%s/1/one-and-more/g' -c 'undo' -c '%sort n' -c '%j' -c 'wq! joined.txt' lines.txt ||
        true
    sha256sum joined.txt
    zsh -f -c 'typeset -A a; for i in {1..20000}; do a[$i]=${(l:$((i % 60))::x:)}; done; print ${#a} ${#${(j:,:)a}}
        print -l ${(on)${(k)a}} | sha256sum'
    for awk in gawk mawk; do
        $awk 'BEGIN { for (i = 1; i < 60000; i++) { k = "k" (i * 7919 % 10007); a[k] = a[k] i; n[length(a[k])]++ }
            s = 0; for (k in a) s += length(a[k]) * (substr(k, 2) % 13); print s; for (i = 1; i < 60; i++) print i, n[i] }'
    done

    # Pools of their own.
    lua5.4 -e 'local t = {} for i = 1, 60000 do t[#t + 1] = ("s"):rep(i % 200) .. i end table.sort(t)
        for i = 1, #t, 3 do t[i] = nil end collectgarbage() print(#table.concat({"a", "b"}, ","), t[2], #t > 0)'
    tclsh <<'TCL'
set l {}
for {set i 0} {$i < 40000} {incr i} { lappend l [string repeat x [expr {$i % 90}]]; dict set d $i [llength $l] }
puts "[llength [lsort -unique $l]] [dict size $d] [string length [join $l ,]]"
TCL
    jq -n -c '[range(20000) | {a: ., b: (tostring * 3)}] | group_by(.a % 7) | map(length), (map(.[0].b) | add)'
    echo 'scale = 400; a(1) * 4; e(3); 2 ^ 3000' | bc -l | tr -d '\\\n' | sha256sum
done
