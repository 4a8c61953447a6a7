-- What an expert would write by hand, on DuckDB 1.5, to get from the log of pipelines/retail.toml to the tables that
-- Starlog publishes as a star: the same columns, types and rows; only the surrogate keys are numbered otherwise.
-- It reads three variables (log: a pattern of files, holidays: a CSV file, out: a folder) and is run statement by
-- statement, see rival/expert.rs.
--
-- It is written for speed: each choice that was measured says so. What it leaves out: broken lines (it expects none),
-- the event store, checks, an atomic release, keys that survive the next night, and every other pipeline.

-- === The log ======================================================================================
-- One pass over the JSON, one type for the payloads of all events: every further pass would cost more than all
-- that follows. Rows keep the order of arrival, so that `rowid` says which line came first.

CREATE TEMP TABLE arrivals AS
SELECT seq, event_type AS type, timestamp AS occurred_at, payload
FROM read_json(
    getvariable('log'),
    format = 'newline_delimited',
    columns = {
        seq: 'BIGINT',
        event_type: 'ENUM(
            ''DepartmentCreated'', ''DepartmentRenamed'', ''CategoryCreated'', ''CategoryRenamed'', ''CategoryMoved'',
            ''ProductCreated'', ''ProductRenamed'', ''ProductPriceChanged'', ''ProductRecategorized'',
            ''ProductDiscontinued'',
            ''StoreOpened'', ''StoreRenamed'', ''StoreMoved'', ''StoreClosed'', ''StoreReopened'',
            ''CustomerRegistered'', ''CustomerMoved'', ''CustomerSegmentChanged'', ''CustomerClosed'',
            ''OrderPlaced'', ''OrderLineQuantityChanged'', ''OrderShipped'', ''OrderDelivered'', ''OrderCancelled'',
            ''OrderReturned'')',
        timestamp: 'TIMESTAMP',
        payload: 'STRUCT(
            order_id VARCHAR, customer_id VARCHAR, store_id VARCHAR, product_id VARCHAR,
            category_id VARCHAR, department_id VARCHAR,
            channel VARCHAR, currency VARCHAR,
            lines STRUCT(line_no BIGINT, product_id VARCHAR, quantity BIGINT,
                         unit_price DECIMAL(10,2), discount DECIMAL(18,2))[],
            line_no BIGINT, quantity BIGINT, discount DECIMAL(18,2),
            name VARCHAR, brand VARCHAR, unit_price DECIMAL(10,2),
            segment VARCHAR, city VARCHAR, region VARCHAR, state VARCHAR, country VARCHAR,
            sales_area_m2 BIGINT, opened_on DATE)'
    }
);

-- From here on the order of rows says nothing.
SET preserve_insertion_order = false;

-- A second copy of an event is dropped; the others are numbered as they came. Copies are few: between two of
-- them lies a stretch of lines whose numbers are off by the same amount.
CREATE TEMP TABLE stretches AS
WITH copies AS (
    SELECT a.rowid AS line
    FROM arrivals a
    JOIN (SELECT seq, min(rowid) AS first_line FROM arrivals GROUP BY seq HAVING count(*) > 1) f
        ON a.seq = f.seq AND a.rowid > f.first_line
    UNION ALL
    SELECT count(*) FROM arrivals
)
SELECT
    lag(line, 1, -1) OVER (ORDER BY line) + 1 AS first_line,
    line - 1 AS last_line,
    row_number() OVER (ORDER BY line) - 1 AS copies_before
FROM copies;

CREATE TEMP VIEW events AS
SELECT a.rowid + 1 - s.copies_before AS position, a.seq, a.type, a.occurred_at, a.payload
FROM arrivals a
JOIN stretches s ON a.rowid BETWEEN s.first_line AND s.last_line;

-- The day in Europe/Berlin. Summer time lasts from 1:00 UTC of the last Sunday in March to that in October; written
-- out, since ICU's AT TIME ZONE takes twice as long.
CREATE TEMP MACRO last_sunday(instant, month) AS
    make_timestamp(year(instant), month, 31, 1, 0, 0)
    - to_days(CAST(isodow(make_date(year(instant), month, 31)) % 7 AS INTEGER));
CREATE TEMP MACRO day_of(instant) AS
    CAST(instant + CASE
        WHEN instant >= last_sunday(instant, 3) AND instant < last_sunday(instant, 10) THEN INTERVAL 2 HOURS
        ELSE INTERVAL 1 HOUR
    END AS DATE);
CREATE TEMP MACRO key_of(day) AS
    CAST(year(day) * 10000 + month(day) * 100 + day(day) AS BIGINT);
CREATE TEMP MACRO forever() AS TIMESTAMP '9999-12-31 00:00:00';
-- The order of events inside a member or an order.
CREATE TEMP MACRO rank_of(occurred_at, seq) AS
    CAST(epoch_us(occurred_at) AS HUGEINT) * 9223372036854775808 + seq;

-- === Product, category, department ================================================================

CREATE TEMP TABLE catalogue AS
SELECT
    seq, type, occurred_at, payload.product_id, payload.category_id, payload.department_id,
    payload.name, payload.brand, payload.unit_price
FROM events
WHERE type IN ('DepartmentCreated', 'DepartmentRenamed', 'CategoryCreated', 'CategoryRenamed', 'CategoryMoved',
               'ProductCreated', 'ProductRenamed', 'ProductPriceChanged', 'ProductRecategorized',
               'ProductDiscontinued');

CREATE TEMP TABLE departments AS
WITH states AS (
    SELECT department_id, occurred_at, arg_max(name, seq) AS department_name
    FROM catalogue
    WHERE type IN ('DepartmentCreated', 'DepartmentRenamed')
    GROUP BY department_id, occurred_at
),
versions AS (
    SELECT *
    FROM states
    WINDOW w AS (PARTITION BY department_id ORDER BY occurred_at)
    QUALIFY row_number() OVER w = 1 OR department_name <> lag(department_name) OVER w
)
-- Whoever asks for a time before the first version gets the first.
SELECT
    department_id,
    department_name,
    CASE WHEN row_number() OVER w = 1 THEN '-infinity' ELSE occurred_at END AS said_from,
    lead(occurred_at, 1, 'infinity') OVER w AS said_to
FROM versions
WINDOW w AS (PARTITION BY department_id ORDER BY occurred_at);

CREATE TEMP TABLE categories AS
WITH folded AS (
    SELECT
        category_id,
        occurred_at,
        last_value(name IGNORE NULLS) OVER so_far AS category_name,
        last_value(department_id IGNORE NULLS) OVER so_far AS department_id,
        lead(occurred_at, 1, 'infinity') OVER w AS until
    FROM catalogue
    WHERE type IN ('CategoryCreated', 'CategoryRenamed', 'CategoryMoved')
    WINDOW
        w AS (PARTITION BY category_id ORDER BY occurred_at, seq),
        so_far AS (PARTITION BY category_id ORDER BY occurred_at, seq ROWS UNBOUNDED PRECEDING)
),
split AS (
    SELECT
        f.category_id, f.category_name, f.department_id, d.department_name,
        greatest(f.occurred_at, d.said_from) AS valid_from
    FROM folded f
    LEFT JOIN departments d
        ON d.department_id = f.department_id AND d.said_from < f.until AND d.said_to > f.occurred_at
    WHERE f.occurred_at < f.until
),
versions AS (
    SELECT *
    FROM split
    WINDOW w AS (PARTITION BY category_id ORDER BY valid_from)
    QUALIFY (category_name, department_id, department_name)
        IS DISTINCT FROM lag((category_name, department_id, department_name)) OVER w
        OR row_number() OVER w = 1
)
SELECT
    category_id, category_name, department_id, department_name,
    CASE WHEN row_number() OVER w = 1 THEN '-infinity' ELSE valid_from END AS said_from,
    lead(valid_from, 1, 'infinity') OVER w AS said_to
FROM versions
WINDOW w AS (PARTITION BY category_id ORDER BY valid_from);

CREATE TEMP TABLE products AS
WITH lives AS (
    -- What is said after a closing starts from nothing.
    SELECT
        *,
        type = 'ProductDiscontinued' AS closes,
        count(*) FILTER (type = 'ProductDiscontinued') OVER (
            PARTITION BY product_id ORDER BY occurred_at, seq ROWS UNBOUNDED PRECEDING) AS life
    FROM catalogue
    WHERE product_id IS NOT NULL
),
folded AS (
    SELECT
        product_id, occurred_at, closes,
        last_value(unit_price IGNORE NULLS) OVER so_far AS list_price,
        last_value(category_id IGNORE NULLS) OVER so_far AS category_id,
        lead(occurred_at, 1, forever()) OVER w AS until
    FROM lives
    WINDOW
        w AS (PARTITION BY product_id ORDER BY occurred_at, seq),
        so_far AS (PARTITION BY product_id, life ORDER BY occurred_at, seq ROWS UNBOUNDED PRECEDING)
),
split AS (
    SELECT
        f.product_id, f.list_price, f.category_id, c.category_name, c.department_id, c.department_name,
        greatest(f.occurred_at, c.said_from) AS valid_from,
        least(f.until, c.said_to) AS valid_to
    FROM folded f
    LEFT JOIN categories c
        ON c.category_id = f.category_id AND c.said_from < f.until AND c.said_to > f.occurred_at
    WHERE NOT f.closes AND f.occurred_at < f.until
),
marked AS (
    SELECT
        *,
        valid_from IS DISTINCT FROM lag(valid_to) OVER w
            OR (list_price, category_id, category_name, department_id, department_name) IS DISTINCT FROM
               lag((list_price, category_id, category_name, department_id, department_name)) OVER w AS opens,
        lag(valid_to) OVER w AS ended_before,
        max(valid_to) OVER (PARTITION BY product_id) AS ended
    FROM split
    WINDOW w AS (PARTITION BY product_id ORDER BY valid_from)
)
SELECT
    product_id, list_price, category_id, category_name, department_id, department_name, valid_from,
    lead(ended_before, 1, ended) OVER w AS valid_to
FROM (FROM marked WHERE opens)
WINDOW w AS (PARTITION BY product_id ORDER BY valid_from);

-- === Stores and customers =========================================================================

CREATE TEMP TABLE store_events AS
SELECT
    seq, type, occurred_at, payload.store_id, payload.name, payload.sales_area_m2, payload.opened_on,
    payload.city, payload.state, payload.country
FROM events
WHERE type IN ('StoreOpened', 'StoreRenamed', 'StoreMoved', 'StoreClosed', 'StoreReopened');

CREATE TEMP TABLE stores AS
WITH lives AS (
    SELECT
        *,
        type = 'StoreClosed' AS closes,
        count(*) FILTER (type = 'StoreClosed') OVER (
            PARTITION BY store_id ORDER BY occurred_at, seq ROWS UNBOUNDED PRECEDING) AS life
    FROM store_events
),
folded AS (
    SELECT
        store_id, occurred_at, closes,
        last_value(city IGNORE NULLS) OVER so_far AS city,
        last_value(state IGNORE NULLS) OVER so_far AS state,
        last_value(country IGNORE NULLS) OVER so_far AS country,
        lead(occurred_at, 1, forever()) OVER w AS until
    FROM lives
    WINDOW
        w AS (PARTITION BY store_id ORDER BY occurred_at, seq),
        so_far AS (PARTITION BY store_id, life ORDER BY occurred_at, seq ROWS UNBOUNDED PRECEDING)
),
marked AS (
    SELECT
        *,
        occurred_at IS DISTINCT FROM lag(until) OVER w
            OR (city, state, country) IS DISTINCT FROM lag((city, state, country)) OVER w AS opens,
        lag(until) OVER w AS ended_before,
        max(until) OVER (PARTITION BY store_id) AS ended
    FROM folded
    WHERE NOT closes AND occurred_at < until
    WINDOW w AS (PARTITION BY store_id ORDER BY occurred_at)
)
SELECT
    store_id, city, state, country, occurred_at AS valid_from,
    lead(ended_before, 1, ended) OVER w AS valid_to
FROM (FROM marked WHERE opens)
WINDOW w AS (PARTITION BY store_id ORDER BY occurred_at);

CREATE TEMP TABLE customer_events AS
SELECT
    seq, type, occurred_at, payload.customer_id, payload.name, payload.segment,
    payload.city, payload.region, payload.country
FROM events
WHERE type IN ('CustomerRegistered', 'CustomerMoved', 'CustomerSegmentChanged', 'CustomerClosed');

CREATE TEMP TABLE customers AS
WITH lives AS (
    SELECT
        *,
        type = 'CustomerClosed' AS closes,
        count(*) FILTER (type = 'CustomerClosed') OVER (
            PARTITION BY customer_id ORDER BY occurred_at, seq ROWS UNBOUNDED PRECEDING) AS life
    FROM customer_events
),
folded AS (
    SELECT
        customer_id, occurred_at, closes,
        last_value(city IGNORE NULLS) OVER so_far AS city,
        last_value(region IGNORE NULLS) OVER so_far AS region,
        last_value(country IGNORE NULLS) OVER so_far AS country,
        lead(occurred_at, 1, forever()) OVER w AS until
    FROM lives
    WINDOW
        w AS (PARTITION BY customer_id ORDER BY occurred_at, seq),
        so_far AS (PARTITION BY customer_id, life ORDER BY occurred_at, seq ROWS UNBOUNDED PRECEDING)
),
marked AS (
    SELECT
        *,
        occurred_at IS DISTINCT FROM lag(until) OVER w
            OR (city, region, country) IS DISTINCT FROM lag((city, region, country)) OVER w AS opens,
        lag(until) OVER w AS ended_before,
        max(until) OVER (PARTITION BY customer_id) AS ended
    FROM folded
    WHERE NOT closes AND occurred_at < until
    WINDOW w AS (PARTITION BY customer_id ORDER BY occurred_at)
)
SELECT
    customer_id, city, region, country, occurred_at AS valid_from,
    lead(ended_before, 1, ended) OVER w AS valid_to
FROM (FROM marked WHERE opens)
WINDOW w AS (PARTITION BY customer_id ORDER BY occurred_at);

-- === The dimensions, with those that only an order has mentioned ==================================

CREATE TEMP TABLE dim_product AS
WITH whole_life AS (
    SELECT
        product_id,
        arg_max(name, (occurred_at, seq)) AS name,
        arg_max(brand, (occurred_at, seq)) AS brand,
        arg_min(unit_price, (occurred_at, seq)) FILTER (type = 'ProductCreated') AS first_price
    FROM catalogue
    WHERE product_id IS NOT NULL
    GROUP BY product_id
),
mentioned AS (
    SELECT unnest(payload.lines).product_id AS product_id FROM events WHERE type = 'OrderPlaced'
    UNION
    SELECT product_id FROM catalogue WHERE product_id IS NOT NULL AND type <> 'ProductDiscontinued'
)
SELECT
    row_number() OVER (ORDER BY product_id, valid_from) AS product_key,
    product_id, name, brand, list_price, first_price, category_id, category_name, department_id, department_name,
    valid_from, valid_to, valid_to = forever() AS is_current, false AS is_inferred
FROM products
LEFT JOIN whole_life USING (product_id)
UNION ALL BY NAME
SELECT
    (SELECT count(*) FROM products) + row_number() OVER (ORDER BY product_id) AS product_key, product_id,
    TIMESTAMP '0001-01-01' AS valid_from, forever() AS valid_to, true AS is_current, true AS is_inferred
FROM mentioned ANTI JOIN products USING (product_id)
UNION ALL BY NAME
SELECT unnest([-1, -2]) AS product_key;

CREATE TEMP TABLE dim_customer AS
WITH segments AS (
    SELECT customer_id, occurred_at, seq, segment, lag(segment) OVER w AS previous_segment
    FROM customer_events
    WHERE segment IS NOT NULL
    WINDOW w AS (PARTITION BY customer_id ORDER BY occurred_at, seq)
),
segment_changes AS (
    SELECT
        customer_id,
        arg_max(previous_segment, (occurred_at, seq)) FILTER (segment <> previous_segment) AS previous_segment
    FROM segments
    GROUP BY customer_id
),
whole_life AS (
    SELECT
        customer_id,
        arg_max(name, (occurred_at, seq)) AS name,
        arg_max(segment, (occurred_at, seq)) AS segment
    FROM customer_events
    GROUP BY customer_id
),
mentioned AS (
    SELECT payload.customer_id FROM events WHERE type = 'OrderPlaced' AND payload.customer_id IS NOT NULL
    UNION
    SELECT customer_id FROM customer_events WHERE type <> 'CustomerClosed'
)
SELECT
    row_number() OVER (ORDER BY customer_id, valid_from) AS customer_key,
    customer_id, name, segment, previous_segment, city, region, country,
    valid_from, valid_to, valid_to = forever() AS is_current, false AS is_inferred
FROM customers
LEFT JOIN whole_life USING (customer_id)
LEFT JOIN segment_changes USING (customer_id)
UNION ALL BY NAME
SELECT
    (SELECT count(*) FROM customers) + row_number() OVER (ORDER BY customer_id) AS customer_key, customer_id,
    TIMESTAMP '0001-01-01' AS valid_from, forever() AS valid_to, true AS is_current, true AS is_inferred
FROM mentioned ANTI JOIN customers USING (customer_id)
UNION ALL BY NAME
SELECT unnest([-1, -2]) AS customer_key;

CREATE TEMP TABLE dim_store AS
WITH whole_life AS (
    SELECT
        store_id,
        arg_max(name, (occurred_at, seq)) AS name,
        arg_max(sales_area_m2, (occurred_at, seq)) AS sales_area_m2,
        arg_min(opened_on, (occurred_at, seq)) AS opened_on
    FROM store_events
    GROUP BY store_id
),
mentioned AS (
    SELECT payload.store_id FROM events WHERE type = 'OrderPlaced'
    UNION
    SELECT store_id FROM store_events WHERE type <> 'StoreClosed'
)
SELECT
    row_number() OVER (ORDER BY store_id, valid_from) AS store_key,
    store_id, name, sales_area_m2, opened_on, city, state, country,
    valid_from, valid_to, valid_to = forever() AS is_current, false AS is_inferred
FROM stores
LEFT JOIN whole_life USING (store_id)
UNION ALL BY NAME
SELECT
    (SELECT count(*) FROM stores) + row_number() OVER (ORDER BY store_id) AS store_key, store_id,
    TIMESTAMP '0001-01-01' AS valid_from, forever() AS valid_to, true AS is_current, true AS is_inferred
FROM mentioned ANTI JOIN stores USING (store_id)
UNION ALL BY NAME
SELECT unnest([-1, -2]) AS store_key;

-- For looking versions up: before its first a member has the first, in a gap and after its end the last before.
-- Members have few versions, so that a hash join on the member beats an ASOF join, which sorts all orders.
CREATE TEMP TABLE product_at AS
SELECT
    product_id, product_key,
    CASE WHEN row_number() OVER w = 1 THEN '-infinity' ELSE valid_from END AS since,
    lead(valid_from, 1, 'infinity') OVER w AS until
FROM dim_product
WHERE product_key > 0
WINDOW w AS (PARTITION BY product_id ORDER BY valid_from);

CREATE TEMP TABLE customer_at AS
SELECT
    customer_id, customer_key,
    CASE WHEN row_number() OVER w = 1 THEN '-infinity' ELSE valid_from END AS since,
    lead(valid_from, 1, 'infinity') OVER w AS until
FROM dim_customer
WHERE customer_key > 0
WINDOW w AS (PARTITION BY customer_id ORDER BY valid_from);

CREATE TEMP TABLE store_at AS
SELECT
    store_id, store_key,
    CASE WHEN row_number() OVER w = 1 THEN '-infinity' ELSE valid_from END AS since,
    lead(valid_from, 1, 'infinity') OVER w AS until
FROM dim_store
WHERE store_key > 0
WINDOW w AS (PARTITION BY store_id ORDER BY valid_from);

-- === What was ordered =============================================================================

-- What became of an order as a whole. Few are changed line by line: only these are replayed below.
CREATE TEMP TABLE fates AS
SELECT
    order_id,
    day_of(shipped_at) AS shipped,
    day_of(delivered_at) AS delivered,
    day_of(cancelled_at) AS cancelled,
    CASE latest_type
        WHEN 'OrderShipped' THEN 'shipped' WHEN 'OrderDelivered' THEN 'delivered' WHEN 'OrderCancelled' THEN 'cancelled'
    END AS status,
    latest,
    is_changed
FROM (
    SELECT
        payload.order_id,
        min(occurred_at) FILTER (type = 'OrderShipped') AS shipped_at,
        min(occurred_at) FILTER (type = 'OrderDelivered') AS delivered_at,
        min(occurred_at) FILTER (type = 'OrderCancelled') AS cancelled_at,
        max(rank_of(occurred_at, seq)) FILTER (type IN ('OrderShipped', 'OrderDelivered', 'OrderCancelled')) AS latest,
        arg_max(type, rank_of(occurred_at, seq))
            FILTER (type IN ('OrderShipped', 'OrderDelivered', 'OrderCancelled')) AS latest_type,
        bool_or(type IN ('OrderLineQuantityChanged', 'OrderCancelled', 'OrderReturned')) AS is_changed
    FROM events
    WHERE type IN ('OrderLineQuantityChanged', 'OrderShipped', 'OrderDelivered', 'OrderCancelled', 'OrderReturned')
    GROUP BY payload.order_id
);

-- The lines as placed.
CREATE TEMP TABLE lines AS
WITH orders AS (
    SELECT
        e.position, e.occurred_at, day_of(e.occurred_at) AS day, key_of(day) AS date_key,
        strftime(day, '%Y-%m') AS date_month, e.payload,
        coalesce(c.customer_key, -1) AS customer_key, coalesce(s.store_key, -1) AS store_key,
        coalesce(key_of(f.shipped), -2) AS shipped_date_key, f.shipped - day AS days_to_shipped,
        coalesce(key_of(f.delivered), -2) AS delivered_date_key, f.delivered - day AS days_to_delivered,
        coalesce(key_of(f.cancelled), -2) AS cancelled_date_key, f.cancelled - day AS days_to_cancelled,
        coalesce(f.status, 'placed') AS status,
        coalesce(f.is_changed, false) AS is_changed
    FROM events e
    LEFT JOIN fates f ON f.order_id = e.payload.order_id
    LEFT JOIN customer_at c
        ON c.customer_id = e.payload.customer_id AND e.occurred_at >= c.since AND e.occurred_at < c.until
    LEFT JOIN store_at s
        ON s.store_id = e.payload.store_id AND e.occurred_at >= s.since AND e.occurred_at < s.until
    WHERE e.type = 'OrderPlaced'
),
items AS (
    SELECT
        * EXCLUDE (payload), payload.order_id, payload.channel, payload.currency,
        generate_subscripts(payload.lines, 1) AS item, unnest(payload.lines) AS line
    FROM orders
)
SELECT
    i.* EXCLUDE (line), p.product_key, i.line.line_no, i.line.quantity, i.line.unit_price,
    CAST(i.line.quantity * i.line.unit_price AS DECIMAL(18,2)) AS gross, i.line.discount, gross - i.line.discount AS net
FROM items i
LEFT JOIN product_at p
    ON p.product_id = i.line.product_id AND i.occurred_at >= p.since AND i.occurred_at < p.until;

-- === The orders that were amended, cancelled or returned, line by line and event by event =========

CREATE TEMP TABLE changed_lines AS
SELECT
    l.position, l.item, l.order_id, l.line_no, l.channel, l.currency, l.occurred_at, l.day,
    l.product_key, l.customer_key, l.store_key, l.quantity, l.unit_price, l.discount
FROM lines l
WHERE l.is_changed;

CREATE TEMP TABLE moves AS
WITH changes AS (
    SELECT position, rank_of(occurred_at, seq) AS rank, type, payload, occurred_at, day_of(occurred_at) AS day
    FROM events
    WHERE type IN ('OrderLineQuantityChanged', 'OrderCancelled', 'OrderReturned')
),
returns AS (
    SELECT position, rank, payload.order_id, occurred_at, day,
           generate_subscripts(payload.lines, 1) AS item, unnest(payload.lines) AS line
    FROM changes
    WHERE type = 'OrderReturned'
),
moves AS (
    SELECT position, rank, 0 AS item, 'amended' AS kind, payload.order_id, payload.line_no, occurred_at, day,
           payload.quantity, payload.discount
    FROM changes
    WHERE type = 'OrderLineQuantityChanged'
    UNION ALL
    SELECT position, rank, item, 'returned', order_id, line.line_no, occurred_at, day, line.quantity, NULL
    FROM returns
    UNION ALL
    SELECT c.position, c.rank, 0, 'cancelled', l.order_id, l.line_no, c.occurred_at, c.day, NULL, NULL
    FROM changes c
    JOIN changed_lines l ON l.order_id = c.payload.order_id
    WHERE c.type = 'OrderCancelled'
)
SELECT
    m.*, l.channel, l.currency, l.unit_price, l.product_key, l.customer_key, l.store_key
FROM moves m
JOIN changed_lines l USING (order_id, line_no);

CREATE TEMP TABLE replay AS
WITH steps AS (
    SELECT
        position, item, 0 AS rank, 'placed' AS kind, order_id, line_no, channel, currency, occurred_at, day,
        product_key, customer_key, store_key, quantity, unit_price, discount
    FROM changed_lines
    UNION ALL
    -- An amendment places the line anew, with the versions of its own time.
    SELECT
        m.position, m.item, m.rank, m.kind, m.order_id, m.line_no, m.channel, m.currency, m.occurred_at, m.day,
        p.product_key, coalesce(c.customer_key, -1), coalesce(s.store_key, -1),
        m.quantity, m.unit_price, m.discount
    FROM moves m
    LEFT JOIN product_at op ON op.product_key = m.product_key
    LEFT JOIN customer_at oc ON oc.customer_key = m.customer_key
    LEFT JOIN store_at os ON os.store_key = m.store_key
    LEFT JOIN product_at p ON p.product_id = op.product_id AND m.occurred_at >= p.since AND m.occurred_at < p.until
    LEFT JOIN customer_at c ON c.customer_id = oc.customer_id AND m.occurred_at >= c.since AND m.occurred_at < c.until
    LEFT JOIN store_at s ON s.store_id = os.store_id AND m.occurred_at >= s.since AND m.occurred_at < s.until
    WHERE m.kind = 'amended'
    UNION ALL
    SELECT
        position, item, rank, kind, order_id, line_no, channel, currency, occurred_at, day,
        NULL, NULL, NULL, quantity, unit_price, NULL
    FROM moves
    WHERE kind <> 'amended'
),
numbered AS (
    -- What stands before its placing is applied right after it.
    SELECT *, row_number() OVER (PARTITION BY order_id, line_no ORDER BY kind <> 'placed', rank, item) AS step
    FROM steps
),
placings AS (
    -- What the line is by then: its latest placing, and how much was returned of it and of those before.
    SELECT
        *,
        count(*) FILTER (kind IN ('placed', 'amended')) OVER w AS placing_no,
        last_value(CASE WHEN kind IN ('placed', 'amended') THEN quantity END IGNORE NULLS) OVER w AS placed,
        last_value(discount IGNORE NULLS) OVER w AS placed_discount,
        last_value(product_key IGNORE NULLS) OVER w AS line_product_key,
        last_value(customer_key IGNORE NULLS) OVER w AS line_customer_key,
        last_value(store_key IGNORE NULLS) OVER w AS line_store_key,
        CAST(coalesce(sum(quantity) FILTER (kind = 'returned') OVER w, 0) AS BIGINT) AS returned
    FROM numbered
    WINDOW w AS (PARTITION BY order_id, line_no ORDER BY step ROWS UNBOUNDED PRECEDING)
),
reversed AS (
    -- A cancellation takes what is left, if anything: afterwards at least as much is reversed as was placed.
    SELECT
        *,
        returned + greatest(0, coalesce(max(placed - returned) FILTER (kind = 'cancelled') OVER w, 0)) AS reversed
    FROM placings
    WINDOW w AS (PARTITION BY order_id, line_no ORDER BY step ROWS UNBOUNDED PRECEDING)
)
SELECT
    *,
    reversed - lag(reversed, 1, 0) OVER w AS taken,
    reversed - first_value(reversed) OVER (PARTITION BY order_id, line_no, placing_no ORDER BY step) AS taken_in_all,
    lag(placed) OVER w AS old_placed,
    lag(placed_discount) OVER w AS old_discount,
    lag(line_product_key) OVER w AS old_product_key,
    lag(line_customer_key) OVER w AS old_customer_key,
    lag(line_store_key) OVER w AS old_store_key
FROM reversed
WINDOW w AS (PARTITION BY order_id, line_no ORDER BY step);

-- `cents * part / whole` to the nearest cent, halves away from zero.
CREATE TEMP MACRO share(cents, part, whole) AS
    CAST(sign(part) * ((2 * cents * abs(part) + whole) // (2 * whole)) AS BIGINT);
CREATE TEMP MACRO cents(amount) AS CAST(amount * 100 AS BIGINT);

CREATE TEMP TABLE moved AS
SELECT
    position, item, order_id, line_no, channel, currency, kind, occurred_at, day,
    line_product_key AS product_key, line_customer_key AS customer_key, line_store_key AS store_key,
    -taken AS quantity, unit_price,
    CAST((share(cents(placed_discount), taken_in_all - taken, placed)
          - share(cents(placed_discount), taken_in_all, placed)) * 0.01 AS DECIMAL(18,2)) AS discount
FROM replay
WHERE kind = 'returned' OR (kind = 'cancelled' AND taken > 0)
UNION ALL
SELECT
    position, item, order_id, line_no, channel, currency, 'amended', occurred_at, day,
    old_product_key, old_customer_key, old_store_key, -old_placed, unit_price, -old_discount
FROM replay
WHERE kind = 'amended'
UNION ALL
SELECT
    position, item, order_id, line_no, channel, currency, 'placed', occurred_at, day,
    product_key, customer_key, store_key, quantity, unit_price, discount
FROM replay
WHERE kind = 'amended';

-- === Published ====================================================================================

COPY dim_product TO (getvariable('out') || '/dim_product.parquet') (FORMAT parquet, COMPRESSION zstd);
COPY dim_customer TO (getvariable('out') || '/dim_customer.parquet') (FORMAT parquet, COMPRESSION zstd);
COPY dim_store TO (getvariable('out') || '/dim_store.parquet') (FORMAT parquet, COMPRESSION zstd);

COPY (
    WITH days AS (
        SELECT CAST(unnest(generate_series(
            date_trunc('year', min(day_of(occurred_at))),
            date_trunc('year', max(day_of(occurred_at))) + INTERVAL 1 YEAR - INTERVAL 1 DAY,
            INTERVAL 1 DAY)) AS DATE) AS date
        FROM (SELECT unnest([min(occurred_at), max(occurred_at)]) AS occurred_at FROM arrivals)
    ),
    holidays AS (
        FROM read_csv(getvariable('holidays'), header = true, columns = {date: 'DATE', name: 'VARCHAR'})
    )
    SELECT
        key_of(date) AS date_key,
        date,
        year(date) AS year,
        quarter(date) AS quarter,
        month(date) AS month,
        monthname(date) AS month_name,
        strftime(date, '%Y-%m') AS year_month,
        day(date) AS day_of_month,
        dayofyear(date) AS day_of_year,
        isoyear(date) AS iso_year,
        week(date) AS iso_week,
        isodow(date) AS day_of_week,
        dayname(date) AS day_name,
        isodow(date) >= 6 AS is_weekend,
        year(date + INTERVAL 11 MONTHS) AS fiscal_year,
        quarter(date + INTERVAL 11 MONTHS) AS fiscal_quarter,
        month(date + INTERVAL 11 MONTHS) AS fiscal_month,
        holidays.name IS NOT NULL AS is_holiday,
        holidays.name AS holiday_name
    FROM days
    LEFT JOIN holidays USING (date)
    UNION ALL BY NAME
    SELECT unnest([-1, -2]) AS date_key
) TO (getvariable('out') || '/dim_date.parquet') (FORMAT parquet, COMPRESSION zstd);

COPY (
    SELECT
        position, item, order_id, line_no, channel, currency, line_no AS order_line_no, 'placed' AS kind,
        occurred_at, date_key, product_key, customer_key, store_key,
        quantity, unit_price, gross AS gross_amount, discount AS discount_amount, net AS net_amount, date_month
    FROM lines
    UNION ALL
    SELECT
        position, item, order_id, line_no, channel, currency, line_no, kind,
        occurred_at, key_of(day), product_key, customer_key, store_key,
        quantity, unit_price,
        CAST(quantity * unit_price AS DECIMAL(18,2)) AS gross, discount, CAST(gross - discount AS DECIMAL(18,2)),
        strftime(day, '%Y-%m')
    FROM moved
) TO (getvariable('out') || '/fact_orders') (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (date_month));

COPY (
    WITH sums AS (
        SELECT
            order_id, line_no,
            sum(quantity) AS quantity, sum(quantity * unit_price) AS gross, sum(discount) AS discount
        FROM moved
        GROUP BY order_id, line_no
    ),
    ends AS (
        SELECT
            order_id, line_no,
            min(day) FILTER (kind = 'returned') AS returned,
            max(rank) FILTER (kind IN ('amended', 'returned')) AS latest,
            arg_max(kind, step) FILTER (kind IN ('amended', 'returned')) AS latest_kind,
            arg_max(line_product_key, step) AS product_key,
            arg_max(line_customer_key, step) AS customer_key,
            arg_max(line_store_key, step) AS store_key,
            arg_max(placed, step) AS quantity,
            arg_max(placed_discount, step) AS discount
        FROM replay
        GROUP BY order_id, line_no
    )
    SELECT
        position, CAST(item AS BIGINT) AS item, order_id, line_no AS order_line_no, line_no, channel, currency, status,
        product_key, customer_key, store_key,
        date_key AS placed_date_key, shipped_date_key, delivered_date_key, cancelled_date_key,
        CAST(-2 AS BIGINT) AS returned_date_key,
        days_to_shipped, days_to_delivered, days_to_cancelled, CAST(NULL AS BIGINT) AS days_to_returned,
        quantity, unit_price, gross AS gross_amount, discount AS discount_amount, net AS net_amount,
        quantity AS quantity_left, gross AS gross_amount_left, discount AS discount_amount_left,
        net AS net_amount_left, date_month
    FROM lines
    WHERE NOT is_changed
    UNION ALL
    SELECT
        l.position, CAST(l.item AS BIGINT), l.order_id, l.line_no, l.line_no, l.channel, l.currency,
        CASE WHEN e.latest > coalesce(f.latest, 0) THEN e.latest_kind ELSE l.status END,
        e.product_key, e.customer_key, e.store_key,
        l.date_key, l.shipped_date_key, l.delivered_date_key, l.cancelled_date_key,
        coalesce(key_of(e.returned), -2),
        l.days_to_shipped, l.days_to_delivered, l.days_to_cancelled, e.returned - l.day,
        e.quantity, l.unit_price,
        CAST(e.quantity * l.unit_price AS DECIMAL(18,2)), e.discount,
        CAST(e.quantity * l.unit_price - e.discount AS DECIMAL(18,2)),
        CAST(l.quantity + coalesce(s.quantity, 0) AS BIGINT),
        CAST(l.gross + coalesce(s.gross, 0) AS DECIMAL(18,2)),
        CAST(l.discount + coalesce(s.discount, 0) AS DECIMAL(18,2)),
        CAST(l.net + coalesce(s.gross - s.discount, 0) AS DECIMAL(18,2)),
        l.date_month
    FROM lines l
    JOIN fates f USING (order_id)
    JOIN ends e USING (order_id, line_no)
    LEFT JOIN sums s USING (order_id, line_no)
    WHERE l.is_changed
) TO (getvariable('out') || '/fact_order_lines') (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (date_month));
