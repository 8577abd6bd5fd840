/** A table that the sink fills: rows are copied to a temporary table of these columns, then merged with `mergeSql`. */
export interface SinkTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly stage: string;
  readonly createStageSql: string;
  readonly copySql: string;
  readonly mergeSql: string;
}

interface Merge {
  /** Columns of the unique key. */
  readonly key: readonly string[];
  /** Column that tells the newer row; undefined: rows never change and the first one stays. */
  readonly newest?: string;
}

function table(name: string, columns: readonly string[], { key, newest }: Merge): SinkTable {
  const stage = `stage_${name}`;
  const list = columns.join(', ');
  const keys = key.join(', ');
  const insert = `INSERT INTO ${name} (${list})`;
  const updates = columns.filter((column) => !key.includes(column)).map((column) => `${column} = excluded.${column}`);
  return {
    name,
    columns,
    stage,
    createStageSql: `CREATE TEMP TABLE IF NOT EXISTS ${stage} ON COMMIT DELETE ROWS AS SELECT ${list} FROM ${name} WITH NO DATA`,
    copySql: `COPY ${stage} (${list}) FROM STDIN`,
    mergeSql:
      newest === undefined
        ? `${insert} SELECT ${list} FROM ${stage} ON CONFLICT (${keys}) DO NOTHING`
        : // One statement may touch a row once only, so the newest of the batch is picked first.
          `${insert} SELECT DISTINCT ON (${keys}) ${list} FROM ${stage} ORDER BY ${keys}, ${newest} DESC
           ON CONFLICT (${keys}) DO UPDATE SET ${updates.join(', ')} WHERE excluded.${newest} > ${name}.${newest}`,
  };
}

/** All tables that the event topics project into. */
export const sinkTables = {
  parts: table(
    'parts',
    [
      'id',
      'tenant_id',
      'part_number',
      'part_type',
      'description',
      'golden_artifact_id',
      'golden_storage_path',
      'revision',
      'created_at',
      'updated_at',
    ],
    { key: ['id'], newest: 'revision' },
  ),
  lots: table('lots', ['id', 'tenant_id', 'lot_number', 'part_id', 'quantity', 'created_at'], { key: ['id'] }),
  inspections: table(
    'inspections',
    [
      'id',
      'tenant_id',
      'lot_id',
      'part_id',
      'chip_id',
      'inspection_type',
      'status',
      'verdict',
      'priority',
      'station_id',
      'line_id',
      'metadata',
      'attempts',
      'job_id',
      'model_name',
      'model_version',
      'failure_reason',
      'defects_detected',
      'revision',
      'started_at',
      'completed_at',
      'created_at',
      'updated_at',
    ],
    { key: ['id'], newest: 'revision' },
  ),
  artifacts: table(
    'artifacts',
    [
      'id',
      'tenant_id',
      'inspection_id',
      'part_id',
      'artifact_type',
      'filename',
      'storage_path',
      'content_type',
      'size_bytes',
      'checksum',
      'metadata',
      'uploaded_at',
    ],
    // A golden image may be uploaded and confirmed anew under the same id.
    { key: ['id'], newest: 'uploaded_at' },
  ),
  inspectionEvents: table(
    'inspection_events',
    [
      'event_id',
      'time',
      'tenant_id',
      'inspection_id',
      'event_type',
      'status',
      'verdict',
      'attempt',
      'line_id',
      'station_id',
      'trace_id',
      'payload',
    ],
    { key: ['event_id', 'time'] },
  ),
  inferences: table(
    'inferences',
    [
      'id',
      'time',
      'tenant_id',
      'inspection_id',
      'attempt',
      'status',
      'model_name',
      'model_version',
      'input_artifacts',
      'inference_data',
      'confidence_score',
      'defects_detected',
      'batch_size',
      'execution_time_ms',
      'failure_reason',
      'completed_at',
    ],
    { key: ['id', 'time'] },
  ),
  predictions: table(
    'predictions',
    [
      'id',
      'time',
      'tenant_id',
      'job_id',
      'inspection_id',
      'label',
      'defect_type',
      'severity',
      'x',
      'y',
      'width',
      'height',
      'confidence',
      'second_opinion',
    ],
    { key: ['id', 'time'] },
  ),
  defects: table(
    'defects',
    [
      'id',
      'time',
      'tenant_id',
      'inspection_id',
      'attempt',
      'line_id',
      'defect_type',
      'label',
      'severity',
      'location',
      'confidence',
      'second_opinion',
    ],
    { key: ['id', 'time'] },
  ),
} as const;

/** One of the tables that the sink fills. */
export type SinkTableName = keyof typeof sinkTables;
