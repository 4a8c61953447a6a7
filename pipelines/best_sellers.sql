-- The ten products that sell best in each month, and their share of the month's revenue.
WITH sold AS (
    SELECT d.year_month, p.product_id, p.name, sum(f.quantity) AS quantity, sum(f.net_amount) AS net_amount
    FROM fact_orders AS f
    JOIN dim_product AS p ON p.product_key = f.product_key
    JOIN dim_date AS d ON d.date_key = f.date_key
    WHERE p.product_key > 0
    GROUP BY ALL
)
SELECT
    year_month,
    rank() OVER by_revenue AS place,
    product_id,
    name,
    quantity,
    net_amount,
    CAST(100 * net_amount / sum(net_amount) OVER (PARTITION BY year_month) AS DECIMAL(5, 2)) AS percent_of_month
FROM sold
WINDOW by_revenue AS (PARTITION BY year_month ORDER BY net_amount DESC)
QUALIFY place <= 10
