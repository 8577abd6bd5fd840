-- Up Migration
-- Projections of the event topics. They arrive in any order, so no table refers to another by foreign key; ids are derived
-- (UUIDv5), so a row that is written twice meets itself.
CREATE TABLE parts (
  id UUID PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  part_number VARCHAR(100) NOT NULL,
  part_type VARCHAR(50) NOT NULL,
  description TEXT,
  specifications JSONB,
  golden_artifact_id UUID,
  golden_storage_path TEXT,
  revision BIGINT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  UNIQUE (tenant_id, part_number)
);

CREATE TABLE lots (
  id UUID PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  lot_number VARCHAR(100) NOT NULL,
  part_id UUID NOT NULL,
  quantity INTEGER NOT NULL,
  manufactured_date DATE,
  status VARCHAR(20) NOT NULL DEFAULT 'active',
  metadata JSONB,
  created_at TIMESTAMPTZ NOT NULL,
  UNIQUE (tenant_id, lot_number)
);
CREATE INDEX lots_part_id ON lots (part_id);

-- Current state: a plain table, because TimescaleDB cannot keep an id unique across chunks.
CREATE TABLE inspections (
  id UUID PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  lot_id UUID NOT NULL,
  part_id UUID NOT NULL,
  chip_id VARCHAR(100) NOT NULL,
  inspection_type VARCHAR(50) NOT NULL,
  status VARCHAR(20) NOT NULL,
  verdict VARCHAR(10),
  priority INTEGER NOT NULL,
  station_id VARCHAR(100),
  line_id VARCHAR(100),
  operator_id VARCHAR(100),
  metadata JSONB,
  attempts INTEGER NOT NULL,
  job_id UUID,
  model_name VARCHAR(100),
  model_version VARCHAR(50),
  failure_reason TEXT,
  defects_detected INTEGER NOT NULL,
  revision BIGINT NOT NULL,
  scheduled_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ,
  completed_at TIMESTAMPTZ,
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  UNIQUE (tenant_id, lot_id, chip_id, inspection_type)
);
CREATE INDEX inspections_created_at ON inspections (tenant_id, created_at DESC, id DESC);
CREATE INDEX inspections_chip_id ON inspections (chip_id);
CREATE INDEX inspections_lot_id ON inspections (lot_id);
CREATE INDEX inspections_open ON inspections (status) WHERE status IN ('pending', 'in_progress');

CREATE TABLE artifacts (
  id UUID PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  inspection_id UUID,
  part_id UUID,
  artifact_type VARCHAR(20) NOT NULL,
  filename VARCHAR(255) NOT NULL,
  storage_path TEXT NOT NULL,
  content_type VARCHAR(100) NOT NULL,
  size_bytes BIGINT NOT NULL,
  checksum TEXT NOT NULL,
  metadata JSONB,
  uploaded_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX artifacts_inspection_id ON artifacts (inspection_id);

CREATE TABLE reports (
  id UUID PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  inspection_id UUID,
  report_type VARCHAR(50) NOT NULL,
  title VARCHAR(200) NOT NULL,
  description TEXT,
  filters JSONB,
  generated_by VARCHAR(100),
  format VARCHAR(20) NOT NULL,
  storage_path TEXT,
  file_size_bytes BIGINT,
  generated_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ
);
CREATE INDEX reports_generated_at ON reports (tenant_id, generated_at DESC, id DESC);

CREATE TABLE audit_log (
  id UUID PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  table_name VARCHAR(100) NOT NULL,
  record_id UUID NOT NULL,
  operation VARCHAR(20) NOT NULL,
  old_values JSONB,
  new_values JSONB,
  changed_by VARCHAR(100) NOT NULL,
  changed_at TIMESTAMPTZ NOT NULL,
  request_id VARCHAR(100),
  ip_address INET
);
CREATE INDEX audit_log_record ON audit_log (table_name, record_id);
CREATE INDEX audit_log_changed_at ON audit_log (changed_at);

-- Input positions of each sink, advanced in the transaction that writes the rows. `epoch` grows with every new owner and
-- fences the one before. -1: nothing stored yet.
CREATE TABLE sink_offsets (
  sink TEXT NOT NULL,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  next_offset BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (sink, topic, partition)
);

-- Records whose rows PostgreSQL refused, with the reason, for repair and replay. Their neighbours are stored.
CREATE TABLE sink_dead_letters (
  sink TEXT NOT NULL,
  topic TEXT NOT NULL,
  partition INTEGER NOT NULL,
  record_offset BIGINT NOT NULL,
  record_key TEXT,
  record_value TEXT NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (sink, topic, partition, record_offset)
);

-- Down Migration
DROP TABLE sink_dead_letters, sink_offsets, audit_log, reports, artifacts, inspections, lots, parts;
