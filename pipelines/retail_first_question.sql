-- Which departments earn the most, month by month? Net of cancellations, amendments and returns.
SELECT d.year_month, p.department_name, sum(f.quantity) AS units, sum(f.net_amount) AS net_amount
FROM fact_orders AS f
JOIN dim_date AS d USING (date_key)
JOIN dim_product AS p USING (product_key)
GROUP BY ALL
ORDER BY d.year_month, net_amount DESC;
