#!/bin/bash
# SQLite loads rows in bulk, indexes, updates and deletes them, checks its file and answers queries.
. "$(dirname "$0")/common.sh"
need sqlite3
rows=$(by_size 200000 3000000)

sqlite3 -batch -bail bank.db <<SQL
pragma journal_mode = wal;
pragma cache_size = 20000;
create table entry (id integer primary key, account integer, amount integer, note text, raw blob);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < $rows)
insert into entry select i, i * 7919 % 10007, i * 104729 % 2003 - 1001, printf('note %d of %x', i, i * 31),
    zeroblob(i % 97) from n;
commit;
create index entry_account on entry (account, amount);
create index entry_note on entry (note);
update entry set note = upper(note) || note where id % 7 = 0;
delete from entry where id % 11 = 0;
vacuum;
pragma integrity_check;
select count(*), sum(amount), sum(length(note)), sum(length(raw)) from entry;
select count(*), sum(t) from (select account, sum(amount) t from entry group by account having count(*) > 3);
select a.id, b.id from entry a join entry b on a.account = b.account and a.id < b.id order by a.note desc limit 5;
select group_concat(note, '|') from (select note from entry where note like '%ff' order by note limit 20);
create virtual table words using fts5(note);
insert into words select note from entry where id % 5 = 0;
select count(*) from words where words match 'note';
SQL
sqlite3 -batch -bail bank.db .dump | sha256sum
