-- done_by_region
SELECT region, clinic_name, ward_name, fiscal_year, fiscal_quarter, sum(net) AS net,
    sum(minutes)::DECIMAL(38, 0) AS minutes, count(DISTINCT visit) AS visits, count(*) AS count
FROM fact_procedures JOIN dim_bed USING (bed_key) JOIN dim_date USING (date_key)
GROUP BY ALL ORDER BY region, clinic_name, ward_name, fiscal_year, fiscal_quarter

-- who_admits_whose_work
SELECT a.title AS admitted_by_title, s.title AS surgeon_title, class, sum(units)::DECIMAL(38, 0) AS units,
    count(DISTINCT hospital_id || '/' || ward_no) AS wards, max(tariff) AS dearest
FROM fact_procedures f, dim_staff a, dim_staff s, dim_bed b
WHERE a.staff_key = f.admitted_by_key AND s.staff_key = f.surgeon_key AND b.bed_key = f.bed_key
    AND NOT coalesce(s.grade < 2, false)
GROUP BY ALL ORDER BY 1, 2, 3

-- visits_by_insurer_now
WITH newest AS (SELECT patient_no, insurer, city FROM dim_patient
    QUALIFY row_number() OVER (PARTITION BY patient_no ORDER BY valid_from DESC) = 1)
SELECT insurer, city, sum(visits)::DECIMAL(38, 0) AS visits
FROM fact_visits
JOIN (SELECT patient_key, patient_no FROM dim_patient) USING (patient_key) LEFT JOIN newest USING (patient_no)
GROUP BY 1, 2 ORDER BY 1, 2

-- visits_by_insurer_then
WITH known AS (SELECT patient_no, insurer FROM dim_patient
    QUALIFY row_number() OVER (PARTITION BY patient_no
        ORDER BY valid_from < '2024-03-02 05:00' DESC, CASE WHEN valid_from < '2024-03-02 05:00' THEN valid_from END DESC,
            valid_from) = 1)
SELECT known.insurer, sum(visits)::DECIMAL(38, 0) AS visits
FROM fact_visits JOIN (SELECT patient_key, patient_no FROM dim_patient) USING (patient_key) LEFT JOIN known USING (patient_no)
GROUP BY 1 ORDER BY 1
