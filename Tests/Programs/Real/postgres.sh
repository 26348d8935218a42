#!/bin/bash
# PostgreSQL sets up a cluster, serves pgbench's bank to several clients at once, and answers queries that sort, hash and
# aggregate. The clients' random numbers are seeded and additions commute, so that all balances are known in the end.
. "$(dirname "$0")/common.sh"
need '/usr/lib/postgresql/*/bin/postgres' '/usr/lib/postgresql/*/bin/pgbench' psql setpriv
bin=$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/postgres' | sort -V | tail -1)")
scale=$(by_size 2 20)
transactions=$(by_size 1500 40000)

mkdir db
as_owner=()
if ((EUID == 0)); then
    # PostgreSQL does not run as root.
    chown postgres db
    as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
export PGHOST=$PWD/db PGUSER=owner PGDATABASE=postgres

"${as_owner[@]}" "$bin/initdb" -D db/data -U owner -A trust --no-sync >initdb.log
"${as_owner[@]}" "$bin/postgres" -D db/data -k "$PGHOST" -c listen_addresses= -c fsync=off >server.log 2>&1 &
server=$!
trap 'kill -INT $server 2>/dev/null || true; cat server.log >&2' EXIT
wait_until 60 "$bin/pg_isready"

"$bin/pgbench" -i -q -s "$scale" >bench.log 2>&1
"$bin/pgbench" -n -c 6 -j 2 -t "$transactions" --random-seed=20 >>bench.log 2>&1
"$bin/pgbench" -n -S -M prepared -c 6 -j 2 -t "$transactions" --random-seed=21 >>bench.log 2>&1
grep '^number of transactions actually processed' bench.log
grep '^number of failed transactions' bench.log

psql -XAt -v ON_ERROR_STOP=1 <<'SQL'
\set QUIET on
set jit_above_cost = 1000;
select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history),
       (select sum(bbalance) from pgbench_branches) = (select sum(delta) from pgbench_history),
       (select sum(tbalance) from pgbench_tellers) = (select sum(delta) from pgbench_history);
select count(*), sum(delta) from pgbench_history;
select md5(string_agg(aid || ':' || abalance, ',' order by aid)) from pgbench_accounts;
select count(*), sum(a.abalance::bigint * b.aid) from pgbench_accounts a join pgbench_accounts b on a.aid = b.aid + 1;
create table words as select i, md5(i::text) as word, array_agg(j) as many
    from generate_series(1, 20000) i, generate_series(1, 5) j group by i;
create index on words (word);
analyze words;
select count(*), min(word), max(word), sum(cardinality(many)) from words where word > '8';
select md5(string_agg(regexp_replace(word, '[0-9]+', '-', 'g'), '' order by word desc)) from words;
SQL

"${as_owner[@]}" "$bin/pg_ctl" -D db/data -m fast -w stop >>server.log
wait "$server"
trap - EXIT
