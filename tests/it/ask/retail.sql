-- daily_orders
SELECT strptime(date_key::VARCHAR, '%Y%m%d')::DATE AS "date", count(DISTINCT order_id) AS orders,
    sum(net_amount) AS net_amount, sum(quantity)::DECIMAL(38, 0) AS quantity
FROM fact_orders GROUP BY date_key ORDER BY date_key

-- revenue_by_department
SELECT p.department_name, strftime(d.date, '%Y-%m') AS year_month, sum(f.net_amount) AS net_amount,
    sum(f.discount_amount) AS discount_amount, count(DISTINCT f.order_id) AS orders
FROM fact_orders f, dim_product p, dim_date d
WHERE f.product_key = p.product_key AND f.date_key = d.date_key
GROUP BY 1, 2 ORDER BY 1, 2

-- revenue_by_department_now
WITH newest AS (SELECT product_id, department_name FROM dim_product
    QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY valid_from DESC) = 1)
SELECT newest.department_name, sum(net_amount) AS net_amount, count(DISTINCT order_id) AS orders
FROM fact_orders JOIN dim_product USING (product_key) LEFT JOIN newest USING (product_id)
GROUP BY 1 ORDER BY 1

-- customers_by_region
SELECT c.country, c.region, year(d.date) AS "year", quarter(d.date) AS "quarter",
    count(DISTINCT c.customer_id) AS customers, count(DISTINCT order_id) AS orders, sum(net_amount) AS net_amount
FROM fact_orders JOIN dim_customer c USING (customer_key) JOIN dim_date d USING (date_key)
WHERE c.customer_key > 0
GROUP BY ALL ORDER BY ALL

-- returns_by_category
SELECT department_name, category_name, sum(quantity)::DECIMAL(38, 0) AS returned, sum(net_amount) AS net_amount,
    count(*) AS lines
FROM fact_orders JOIN dim_product USING (product_key)
WHERE kind = 'returned' AND date_key >= 20230101 AND date_key <= 20230228
GROUP BY ALL ORDER BY ALL

-- weekend_sales_by_store
SELECT country, store_id, channel, count(DISTINCT order_id) AS orders, sum(net_amount) AS net_amount,
    (sum(net_amount) / count(net_amount))::DECIMAL(38, 6) AS line_amount, max(unit_price) AS dearest
FROM fact_orders JOIN dim_store USING (store_key)
WHERE kind = 'placed' AND dayofweek(strptime(date_key::VARCHAR, '%Y%m%d')) IN (0, 6)
GROUP BY ALL ORDER BY ALL

-- total
SELECT count(DISTINCT order_id) AS orders,
    (SELECT count(DISTINCT product_id) FROM dim_product WHERE product_key IN (SELECT product_key FROM fact_orders)) AS products,
    sum(gross_amount) AS gross_amount, sum(net_amount) AS net_amount
FROM fact_orders
