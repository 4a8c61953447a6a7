-- A small release that is right: a shop with an amendment, a return, a return without an order,
-- a cancelled order of a guest, an inferred product, a closed product, and a return that is held.
CREATE SCHEMA log;
CREATE SCHEMA star;
CREATE SCHEMA levels;
CREATE SCHEMA rejoined;

CREATE TABLE log."CategorySet" AS
SELECT * FROM (VALUES (1::BIGINT, TIMESTAMP '2024-01-01', NULL::BIGINT, 'K1', 'Tools'))
AS t(_position, _time, _order, category_id, category_name);
CREATE TABLE log."ProductSet" AS
SELECT * FROM (VALUES
  (2::BIGINT, TIMESTAMP '2024-01-01', NULL::BIGINT, 'P1', 'Saw', 'K1'),
  (3, TIMESTAMP '2024-01-05', NULL, 'P2', 'Axe', 'K1'),
  (6, TIMESTAMP '2024-02-01', NULL, 'P1', 'Big saw', 'K1'))
AS t(_position, _time, _order, product_id, product_name, category_id);
CREATE TABLE log."ProductClosed" AS
SELECT * FROM (VALUES (10::BIGINT, TIMESTAMP '2024-03-01', NULL::BIGINT, 'P2')) AS t(_position, _time, _order, product_id);
CREATE TABLE log."CustomerSet" AS
SELECT * FROM (VALUES (4::BIGINT, TIMESTAMP '2024-01-01', NULL::BIGINT, 'C1', 'Oslo'))
AS t(_position, _time, _order, customer_id, city);
CREATE TABLE log."Placed" AS
SELECT * FROM (VALUES
  (5::BIGINT, TIMESTAMP '2024-01-10 12:00:00', NULL::BIGINT, 'O1', 'C1', 'web',
   [{'line_no': 1::BIGINT, 'product_id': 'P1', 'quantity': 2::BIGINT, 'unit_price': 10::DECIMAL(18, 4)},
    {'line_no': 2, 'product_id': 'P2', 'quantity': 1, 'unit_price': 5}]),
  (7, TIMESTAMP '2024-02-10 12:00:00', NULL, 'O2', NULL, 'web',
   [{'line_no': 1, 'product_id': 'P1', 'quantity': 3, 'unit_price': 10},
    {'line_no': 2, 'product_id': 'P3', 'quantity': 1, 'unit_price': 1}]))
AS t(_position, _time, _order, order_id, customer_id, channel, lines);
CREATE TABLE log."Amended" AS
SELECT * FROM (VALUES (8::BIGINT, TIMESTAMP '2024-02-15 12:00:00', NULL::BIGINT, 'O1', 1::BIGINT, 1::BIGINT, NULL::VARCHAR, 'product_id'))
AS t(_position, _time, _order, order_id, line_no, quantity, product_id, _absent);
CREATE TABLE log."ProductReturned" (
  _position BIGINT, _time TIMESTAMP, _order BIGINT, order_id VARCHAR, product_id VARCHAR, quantity BIGINT);
CREATE TABLE log."Returned" AS
SELECT * FROM (VALUES
  (9::BIGINT, TIMESTAMP '2024-02-20 12:00:00', NULL::BIGINT, 'O1', NULL::VARCHAR,
   [{'line_no': 1::BIGINT, 'product_id': NULL::VARCHAR, 'quantity': 1::BIGINT, 'unit_price': 10::DECIMAL(18, 4)}]),
  (11, TIMESTAMP '2024-03-05 12:00:00', NULL, NULL, 'C1',
   [{'line_no': 1, 'product_id': 'P2', 'quantity': 1, 'unit_price': 5}]),
  (13, TIMESTAMP '2024-03-07 12:00:00', NULL, 'O9', NULL,
   [{'line_no': 1, 'product_id': NULL, 'quantity': 1, 'unit_price': 1}]))
AS t(_position, _time, _order, order_id, customer_id, lines);
CREATE TABLE log."Cancelled" AS
SELECT * FROM (VALUES (12::BIGINT, TIMESTAMP '2024-03-06 12:00:00', NULL::BIGINT, 'O2')) AS t(_position, _time, _order, order_id);

CREATE TABLE dim_date AS
SELECT (year(d) * 10000 + month(d) * 100 + day(d))::BIGINT AS date_key, d::DATE AS date
FROM generate_series(DATE '2024-01-01', DATE '2024-12-31', INTERVAL 1 DAY) AS t(d);

CREATE TABLE levels.dim_category AS
SELECT * FROM (VALUES
  (-2::BIGINT, NULL, NULL, NULL::TIMESTAMP, NULL::TIMESTAMP, NULL::BOOLEAN, NULL::BOOLEAN),
  (-1, NULL, NULL, NULL, NULL, NULL, NULL),
  (1, 'K1', 'Tools', TIMESTAMP '2024-01-01', TIMESTAMP '9999-12-31', true, false))
AS t(category_key, category_id, category_name, valid_from, valid_to, is_current, is_inferred);
CREATE TABLE levels.dim_product AS
SELECT * FROM (VALUES
  (-2::BIGINT, NULL, NULL, -2::BIGINT, NULL::TIMESTAMP, NULL::TIMESTAMP, NULL::BOOLEAN, NULL::BOOLEAN),
  (-1, NULL, NULL, -1, NULL, NULL, NULL, NULL),
  (1, 'P1', 'Saw', 1, TIMESTAMP '2024-01-01', TIMESTAMP '2024-02-01', false, false),
  (2, 'P2', 'Axe', 1, TIMESTAMP '2024-01-05', TIMESTAMP '2024-03-01', false, false),
  (3, 'P1', 'Big saw', 1, TIMESTAMP '2024-02-01', TIMESTAMP '9999-12-31', true, false),
  (4, 'P3', NULL, -2, TIMESTAMP '0001-01-01', TIMESTAMP '9999-12-31', true, true))
AS t(product_key, product_id, product_name, category_key, valid_from, valid_to, is_current, is_inferred);
CREATE TABLE levels.dim_city AS
SELECT * FROM (VALUES (-2::BIGINT, NULL), (-1, NULL), (1, 'Oslo')) AS t(city_key, city);
CREATE TABLE levels.dim_customer AS
SELECT * FROM (VALUES
  (-2::BIGINT, NULL, -2::BIGINT, NULL::TIMESTAMP, NULL::TIMESTAMP, NULL::BOOLEAN, NULL::BOOLEAN),
  (-1, NULL, -1, NULL, NULL, NULL, NULL),
  (1, 'C1', 1, TIMESTAMP '2024-01-01', TIMESTAMP '9999-12-31', true, false))
AS t(customer_key, customer_id, city_key, valid_from, valid_to, is_current, is_inferred);

CREATE VIEW rejoined.dim_product AS
SELECT p.product_key, p.product_id, p.product_name, c.category_id, c.category_name,
  p.valid_from, p.valid_to, p.is_current, p.is_inferred
FROM levels.dim_product AS p JOIN levels.dim_category AS c USING (category_key);
CREATE VIEW rejoined.dim_customer AS
SELECT m.customer_key, m.customer_id, c.city, m.valid_from, m.valid_to, m.is_current, m.is_inferred
FROM levels.dim_customer AS m JOIN levels.dim_city AS c USING (city_key);
CREATE TABLE star.dim_product AS FROM rejoined.dim_product;
CREATE TABLE star.dim_customer AS FROM rejoined.dim_customer;

CREATE TABLE fact_orders AS
SELECT * FROM (VALUES
  (5::BIGINT, 1::BIGINT, 'O1', 'web', 1::BIGINT, 'placed', TIMESTAMP '2024-01-10 12:00:00', 20240110::BIGINT, 1::BIGINT, 1::BIGINT,
   2::BIGINT, 10::DECIMAL(18, 4), 20::DECIMAL(18, 4)),
  (5, 2, 'O1', 'web', 2, 'placed', TIMESTAMP '2024-01-10 12:00:00', 20240110, 2, 1, 1, 5, 5),
  (7, 1, 'O2', 'web', 1, 'placed', TIMESTAMP '2024-02-10 12:00:00', 20240210, 3, -1, 3, 10, 30),
  (7, 2, 'O2', 'web', 2, 'placed', TIMESTAMP '2024-02-10 12:00:00', 20240210, 4, -1, 1, 1, 1),
  (8, 0, 'O1', 'web', 1, 'amended', TIMESTAMP '2024-02-15 12:00:00', 20240215, 1, 1, -2, 10, -20),
  (8, 0, 'O1', 'web', 1, 'placed', TIMESTAMP '2024-02-15 12:00:00', 20240215, 3, 1, 1, 10, 10),
  (9, 1, 'O1', 'web', 1, 'returned', TIMESTAMP '2024-02-20 12:00:00', 20240220, 3, 1, -1, 10, -10),
  (11, 1, NULL, NULL, NULL, 'returned', TIMESTAMP '2024-03-05 12:00:00', 20240305, 2, 1, -1, 5, -5),
  (12, 0, 'O2', 'web', 1, 'cancelled', TIMESTAMP '2024-03-06 12:00:00', 20240306, 3, -1, -3, 10, -30),
  (12, 0, 'O2', 'web', 2, 'cancelled', TIMESTAMP '2024-03-06 12:00:00', 20240306, 4, -1, -1, 1, -1))
AS t(position, item, order_id, channel, order_line_no, kind, occurred_at, date_key, product_key, customer_key,
     quantity, unit_price, net_amount);

CREATE TABLE fact_order_lines AS
SELECT * FROM (VALUES
  ('O1', 1::BIGINT, 'web', 'returned', 3::BIGINT, 1::BIGINT, 20240110::BIGINT, 20240220::BIGINT,
   1::BIGINT, 10::DECIMAL(18, 4), 10::DECIMAL(18, 4), 0::BIGINT, 0::DECIMAL(18, 4)),
  ('O1', 2, 'web', 'placed', 2, 1, 20240110, -2, 1, 5, 5, 1, 5),
  ('O2', 1, 'web', 'cancelled', 3, -1, 20240210, -2, 3, 10, 30, 0, 0),
  ('O2', 2, 'web', 'cancelled', 4, -1, 20240210, -2, 1, 1, 1, 0, 0))
AS t(order_id, order_line_no, channel, status, product_key, customer_key, placed_date_key, returned_date_key,
     quantity, unit_price, net_amount, quantity_left, net_amount_left);
