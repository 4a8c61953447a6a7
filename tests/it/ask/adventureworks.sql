-- revenue_by_category_and_year
SELECT category, date_key // 10000 AS "year", sum(net_amount) AS net_amount, count(DISTINCT order_id) AS orders,
    sum(quantity)::DECIMAL(38, 0) AS quantity
FROM fact_orders JOIN dim_product USING (product_key)
GROUP BY ALL ORDER BY 1, 2

-- sales_by_territory
SELECT territory_group, territory_country, region, year(date) AS "year", quarter(date) AS "quarter",
    sum(net_amount) AS net_amount, sum(tax_amount) AS tax_amount, sum(freight_amount) AS freight_amount,
    count(DISTINCT order_id) AS orders
FROM fact_orders JOIN dim_store USING (store_key) JOIN dim_date USING (date_key)
GROUP BY ALL ORDER BY 1, 2, 3, 4, 5

-- customers_by_country
SELECT country, state, date_key // 10000 AS "year", count(DISTINCT customer_id) AS customers,
    sum(net_amount) AS net_amount
FROM fact_orders JOIN dim_customer USING (customer_key)
WHERE NOT segment IS NULL
GROUP BY ALL ORDER BY 1, 2, 3

-- discounted_lines
SELECT subcategory, sum(discount_amount) AS discount_amount, count(*) AS lines,
    (sum(unit_price) / count(unit_price))::DECIMAL(38, 8) AS mean_price
FROM fact_orders JOIN dim_product USING (product_key)
WHERE discount_amount > 0
GROUP BY 1 ORDER BY 1
