-- revenue_by_country_and_month
SELECT country, format('{:04d}-{:02d}', date_key // 10000, date_key // 100 % 100) AS year_month, sum(net_amount) AS net,
    count(DISTINCT order_id) AS orders
FROM fact_orders JOIN dim_customer USING (customer_key)
GROUP BY ALL ORDER BY 1, 2

-- best_days
SELECT isodow(date) AS day_of_week, dayname(date) AS day_name, count(DISTINCT order_id) AS orders,
    sum(quantity)::DECIMAL(38, 0) AS quantity
FROM fact_orders JOIN dim_date USING (date_key)
WHERE kind IN ('placed', 'returned')
GROUP BY ALL ORDER BY 1

-- products_by_category
SELECT category, count(DISTINCT product_id) AS products, sum(quantity)::DECIMAL(38, 0) AS quantity,
    max(unit_price) AS highest
FROM fact_orders JOIN dim_product USING (product_key)
GROUP BY 1 ORDER BY 1
