-- A small release that is right: lines that take ward, insurer, time and date from their visit's first
-- header event, a visit by night on either side of a clock change, a line that waits for its header, and a
-- visit without a ward.
CREATE SCHEMA log;
CREATE SCHEMA star;

CREATE TABLE log."WardOpened" AS
SELECT * FROM (VALUES
  (1::BIGINT, TIMESTAMP '2024-03-01', 1::BIGINT, 'N', 1::BIGINT, 4::BIGINT),
  (2, TIMESTAMP '2024-03-10 08:00:00', 2, 'N', 1, 6))
AS t(_position, _time, _order, site, ward_no, beds);
CREATE TABLE log."Admitted" AS
SELECT * FROM (VALUES
  (3::BIGINT, TIMESTAMP '2024-03-10 04:30:00', 3::BIGINT, 'V1', 'N', 1::BIGINT, 'Acme'),
  (4, TIMESTAMP '2024-03-11 03:30:00', 4, 'V2', 'N', 1, NULL),
  (5, TIMESTAMP '2024-03-12 12:00:00', 5, 'V1', 'N', 1, 'Other'),
  (9, TIMESTAMP '2024-03-11 04:30:00', 9, 'V3', 'N', NULL, 'Acme'))
AS t(_position, _time, _order, visit_id, site, ward_no, insurer);
CREATE TABLE log."Treated" AS
SELECT *, NULL::VARCHAR AS site, NULL::BIGINT AS ward_no, NULL::VARCHAR AS insurer, 'site,ward_no,insurer' AS _absent
FROM (VALUES
  (6::BIGINT, TIMESTAMP '2024-03-10 12:00:00', 6::BIGINT, 'V1', 1::BIGINT, 10::DECIMAL(10, 2), NULL::DECIMAL(10, 2)),
  (7, TIMESTAMP '2024-03-11 12:00:00', 7, 'V2', 1, 20.5, 0.5),
  (8, TIMESTAMP '2024-03-11 13:00:00', 8, 'V3', 1, 7, NULL),
  (10, TIMESTAMP '2024-03-11 14:00:00', 10, 'V9', 1, 99, NULL))
AS t(_position, _time, _order, visit_id, step, cost, discount);
CREATE TABLE log."Voided" AS
SELECT * FROM (VALUES (11::BIGINT, TIMESTAMP '2024-03-12 12:00:00', 11::BIGINT, 'V1', 1::BIGINT))
AS t(_position, _time, _order, visit_id, step);

CREATE TABLE dim_date AS
SELECT (year(d) * 10000 + month(d) * 100 + day(d))::BIGINT AS date_key, d::DATE AS date
FROM generate_series(DATE '2024-01-01', DATE '2024-12-31', INTERVAL 1 DAY) AS t(d);

CREATE TABLE star.dim_ward AS
SELECT * FROM (VALUES
  (-2::BIGINT, NULL, NULL::BIGINT, NULL::BIGINT, NULL::TIMESTAMP, NULL::TIMESTAMP, NULL::BOOLEAN, NULL::BOOLEAN),
  (-1, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (1, 'N', 1, 4, TIMESTAMP '2024-03-01', TIMESTAMP '2024-03-10 08:00:00', false, false),
  (2, 'N', 1, 6, TIMESTAMP '2024-03-10 08:00:00', TIMESTAMP '9999-12-31', true, false))
AS t(ward_key, site, ward_no, beds, valid_from, valid_to, is_current, is_inferred);

CREATE TABLE fact_treatments AS
SELECT * FROM (VALUES
  -- Eastern standard time: 23:30 the day before.
  (6::BIGINT, 0::BIGINT, 'V1', 'Acme', 1::BIGINT, 'treated', TIMESTAMP '2024-03-10 04:30:00', 20240309::BIGINT, 1::BIGINT,
   0::DECIMAL(10, 2), 10::DECIMAL(10, 2), 10::DECIMAL(12, 2)),
  -- Eastern daylight time: 23:30 the day before; an hour later it is past midnight.
  (7, 0, 'V2', NULL, 1, 'treated', TIMESTAMP '2024-03-11 03:30:00', 20240310, 2, 0.5, 20.5, 20),
  (8, 0, 'V3', 'Acme', 1, 'treated', TIMESTAMP '2024-03-11 04:30:00', 20240311, -1, 0, 7, 7),
  (11, 0, 'V1', 'Acme', 1, 'voided', TIMESTAMP '2024-03-12 12:00:00', 20240312, 1, 0, -10, -10))
AS t(position, item, visit_id, insurer, step, kind, occurred_at, date_key, ward_key, discount, cost, due);

CREATE TABLE fact_treatment_steps AS
SELECT * FROM (VALUES
  ('V1', 1::BIGINT, 'Acme', 'voided', 1::BIGINT, 20240309::BIGINT, 20240312::BIGINT,
   0::DECIMAL(10, 2), 10::DECIMAL(10, 2), 10::DECIMAL(12, 2), 0::DECIMAL(10, 2), 0::DECIMAL(10, 2), 0::DECIMAL(12, 2)),
  ('V2', 1, NULL, 'treated', 2, 20240310, -2, 0.5, 20.5, 20, 0.5, 20.5, 20),
  ('V3', 1, 'Acme', 'treated', -1, 20240311, -2, 0, 7, 7, 0, 7, 7))
AS t(visit_id, step, insurer, status, ward_key, treated_date_key, voided_date_key,
     discount, cost, due, discount_left, cost_left, due_left);
