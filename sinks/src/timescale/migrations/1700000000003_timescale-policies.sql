-- Up Migration
-- With TimescaleDB: hypertables, a continuous aggregate and its policies. Without: the plain tables stay as they are, the
-- aggregate is a view, and `apply_retention()` (called by the application once an hour) does what the retention policy would.
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') THEN
    PERFORM create_hypertable('inspection_events', 'time', chunk_time_interval => INTERVAL '1 day');
    PERFORM create_hypertable('inferences', 'time', chunk_time_interval => INTERVAL '1 day');
    PERFORM create_hypertable('predictions', 'time', chunk_time_interval => INTERVAL '1 day');
    PERFORM create_hypertable('defects', 'time', chunk_time_interval => INTERVAL '1 day');
    PERFORM create_hypertable('system_metrics', 'time', chunk_time_interval => INTERVAL '1 day');
    PERFORM add_retention_policy('system_metrics', INTERVAL '90 days');
    EXECUTE $view$
      CREATE MATERIALIZED VIEW system_metrics_hourly WITH (timescaledb.continuous) AS
      SELECT time_bucket(INTERVAL '1 hour', time) AS bucket, service_name, metric_name,
             avg(metric_value) AS avg_value, max(metric_value) AS max_value, min(metric_value) AS min_value
      FROM system_metrics GROUP BY bucket, service_name, metric_name WITH NO DATA
    $view$;
    PERFORM add_continuous_aggregate_policy('system_metrics_hourly',
      start_offset => INTERVAL '3 hours', end_offset => INTERVAL '1 hour', schedule_interval => INTERVAL '1 hour');
    CREATE FUNCTION apply_retention(row_limit INTEGER) RETURNS BIGINT LANGUAGE sql AS 'SELECT 0::BIGINT';
  ELSE
    CREATE VIEW system_metrics_hourly AS
      SELECT date_trunc('hour', time) AS bucket, service_name, metric_name,
             avg(metric_value) AS avg_value, max(metric_value) AS max_value, min(metric_value) AS min_value
      FROM system_metrics GROUP BY bucket, service_name, metric_name;
    CREATE INDEX system_metrics_time ON system_metrics (time);
    -- Deletes at most row_limit rows, so that one call never locks for long; returns how many went.
    CREATE FUNCTION apply_retention(row_limit INTEGER) RETURNS BIGINT LANGUAGE sql AS '
      WITH old AS (
        DELETE FROM system_metrics WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM system_metrics WHERE time < now() - INTERVAL ''90 days'' LIMIT row_limit))
        RETURNING 1)
      SELECT count(*) FROM old';
  END IF;
END $$;

-- Down Migration
DROP FUNCTION apply_retention(INTEGER);
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb') THEN
    DROP MATERIALIZED VIEW system_metrics_hourly;
  ELSE
    DROP VIEW system_metrics_hourly;
  END IF;
END $$;
