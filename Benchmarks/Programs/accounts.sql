\set lower random(1, 90000)
SELECT bid, count(*), sum(abalance), string_agg(filler, '') FROM pgbench_accounts WHERE aid BETWEEN :lower AND :lower + 400 GROUP BY bid;
SELECT a.aid, b.bbalance, upper(a.filler) FROM pgbench_accounts a JOIN pgbench_branches b USING (bid) WHERE a.aid = :lower;
SELECT jsonb_agg(jsonb_build_object('aid', aid, 'balance', abalance)) FROM pgbench_accounts WHERE aid BETWEEN :lower AND :lower + 60;
