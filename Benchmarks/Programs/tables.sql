-- Rows, indexes, joins and aggregates in memory. The amount is the value in `amount`, set by the caller.
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, region INTEGER NOT NULL);
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, amount REAL NOT NULL, note TEXT);
WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < (SELECT value / 10 FROM amount))
INSERT INTO customer SELECT n, 'customer ' || hex(n * 7919), n * 31 % 97 FROM counter;
WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < (SELECT value FROM amount))
INSERT INTO purchase SELECT n, n * 7919 % (SELECT value / 10 FROM amount) + 1, n * 13 % 10007 / 7.0, printf('%.*c', n % 60, 'x') FROM counter;
CREATE INDEX purchase_customer ON purchase (customer);
CREATE INDEX customer_region ON customer (region, name);
SELECT region, count(*), sum(amount), max(length(note)) FROM purchase JOIN customer ON customer.id = purchase.customer
GROUP BY region ORDER BY 3 DESC LIMIT 5;
SELECT group_concat(name, ';') FROM (SELECT name FROM customer ORDER BY name LIMIT 2000);
UPDATE purchase SET note = note || ' revised' WHERE id % 3 = 0;
DELETE FROM purchase WHERE id % 5 = 0;
SELECT count(DISTINCT note), avg(amount) FROM purchase;
