-- Up Migration
-- Keyed by id *and* time, since a hypertable's unique index must contain its time column. Times come from events, so the
-- same row has the same key after a redelivery.
CREATE TABLE inspection_events (
  event_id UUID NOT NULL,
  time TIMESTAMPTZ NOT NULL,
  tenant_id TEXT NOT NULL,
  inspection_id UUID NOT NULL,
  event_type VARCHAR(50) NOT NULL,
  status VARCHAR(20) NOT NULL,
  verdict VARCHAR(10),
  attempt INTEGER NOT NULL,
  line_id VARCHAR(100),
  station_id VARCHAR(100),
  trace_id TEXT NOT NULL,
  payload JSONB NOT NULL,
  PRIMARY KEY (event_id, time)
);
CREATE INDEX inspection_events_inspection ON inspection_events (inspection_id, time DESC);
CREATE INDEX inspection_events_line ON inspection_events (tenant_id, line_id, time DESC);

-- One row a job. `time` is when the job was requested: a job that ran twice still has one row.
CREATE TABLE inferences (
  id UUID NOT NULL,
  time TIMESTAMPTZ NOT NULL,
  tenant_id TEXT NOT NULL,
  inspection_id UUID NOT NULL,
  attempt INTEGER NOT NULL,
  status VARCHAR(20) NOT NULL,
  model_name VARCHAR(100) NOT NULL,
  model_version VARCHAR(50),
  input_artifacts TEXT[] NOT NULL,
  output_artifacts TEXT[],
  inference_data JSONB,
  confidence_score DOUBLE PRECISION,
  defects_detected INTEGER,
  batch_size INTEGER,
  execution_time_ms INTEGER,
  gpu_utilization DECIMAL(5,2),
  memory_usage_mb INTEGER,
  failure_reason TEXT,
  completed_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (id, time)
);
CREATE INDEX inferences_inspection ON inferences (inspection_id, time DESC);

-- Everything a model detected, accepted or not.
CREATE TABLE predictions (
  id UUID NOT NULL,
  time TIMESTAMPTZ NOT NULL,
  tenant_id TEXT NOT NULL,
  job_id UUID NOT NULL,
  inspection_id UUID NOT NULL,
  label VARCHAR(100) NOT NULL,
  defect_type VARCHAR(100) NOT NULL,
  severity VARCHAR(20) NOT NULL,
  x DOUBLE PRECISION NOT NULL,
  y DOUBLE PRECISION NOT NULL,
  width DOUBLE PRECISION NOT NULL,
  height DOUBLE PRECISION NOT NULL,
  confidence DOUBLE PRECISION NOT NULL,
  PRIMARY KEY (id, time)
);
CREATE INDEX predictions_inspection ON predictions (inspection_id, time DESC);

-- Defects of the attempts that the inspection accepted.
CREATE TABLE defects (
  id UUID NOT NULL,
  time TIMESTAMPTZ NOT NULL,
  tenant_id TEXT NOT NULL,
  inspection_id UUID NOT NULL,
  attempt INTEGER NOT NULL,
  line_id VARCHAR(100),
  defect_type VARCHAR(100) NOT NULL,
  label VARCHAR(100) NOT NULL,
  severity VARCHAR(20) NOT NULL,
  location JSONB NOT NULL,
  confidence DOUBLE PRECISION NOT NULL,
  description TEXT,
  corrective_action TEXT,
  PRIMARY KEY (id, time)
);
CREATE INDEX defects_inspection ON defects (inspection_id, time DESC);
CREATE INDEX defects_type_severity ON defects (defect_type, severity, time DESC);

CREATE TABLE system_metrics (
  time TIMESTAMPTZ NOT NULL,
  service_name VARCHAR(100) NOT NULL,
  metric_name VARCHAR(100) NOT NULL,
  metric_value DOUBLE PRECISION NOT NULL,
  tags JSONB,
  host VARCHAR(100)
);
CREATE INDEX system_metrics_name ON system_metrics (service_name, metric_name, time DESC);

-- Down Migration
DROP TABLE system_metrics, defects, predictions, inferences, inspection_events;
