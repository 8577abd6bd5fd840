import {
  type ArtifactEvent,
  type CatalogEvent,
  type Defect,
  type InferenceEvent,
  type InspectionEvent,
  type ProjectedEvent,
  topics,
} from '@chip-quality/schemas';
import { arrayText, copyLine, jsonText, timeText } from './copy-text.ts';
import type { SinkTableName } from './tables.ts';

/** One finished COPY line for one table. */
export interface SinkRow {
  /** Table that the row goes to. */
  readonly table: SinkTableName;
  /** Its columns as COPY reads them, with the line's end. */
  readonly line: string;
}

function row(table: SinkTableName, values: Parameters<typeof copyLine>[0]): SinkRow {
  return { table, line: copyLine(values) };
}

function opinionText({ second_opinion }: Defect): string | null {
  return second_opinion === null ? null : jsonText(second_opinion);
}

function inspectionRows({
  event_id,
  event_type,
  timestamp,
  tenant_id,
  trace_id,
  payload: p,
}: InspectionEvent): SinkRow[] {
  const rows = [
    row('inspectionEvents', [
      event_id,
      timeText(timestamp),
      tenant_id,
      p.inspection_id,
      event_type,
      p.status,
      p.verdict,
      p.attempt,
      p.line_id,
      p.station_id,
      trace_id,
      jsonText(p),
    ]),
    row('inspections', [
      p.inspection_id,
      tenant_id,
      p.lot_id,
      p.part_id,
      p.chip_id,
      p.inspection_type,
      p.status,
      p.verdict,
      p.priority,
      p.station_id,
      p.line_id,
      p.metadata,
      p.attempt,
      p.job_id,
      p.model_name,
      p.model_version,
      p.failure_reason,
      p.defects.length,
      p.revision,
      timeText(p.started_at),
      timeText(p.completed_at),
      timeText(p.created_at),
      timeText(p.updated_at),
    ]),
  ];
  if (event_type !== 'inspection.completed') return rows;
  for (const defect of p.defects) {
    const { x, y, width, height } = defect;
    rows.push(
      row('defects', [
        defect.id,
        timeText(p.completed_at ?? timestamp),
        tenant_id,
        p.inspection_id,
        p.attempt,
        p.line_id,
        defect.defect_type,
        defect.label,
        defect.severity,
        jsonText({ x, y, width, height }),
        defect.confidence,
        opinionText(defect),
      ]),
    );
  }
  return rows;
}

function artifactRows({ tenant_id, timestamp, payload }: ArtifactEvent): SinkRow[] {
  const { artifact: a } = payload;
  return [
    row('artifacts', [
      a.artifact_id,
      tenant_id,
      payload.inspection_id,
      null,
      a.artifact_type,
      a.filename,
      a.storage_path,
      a.content_type,
      a.size_bytes,
      a.checksum,
      a.metadata,
      timeText(timestamp),
    ]),
  ];
}

/** What the client asked for, beside what it got. */
function requestedSettings({ batch_size, confidence_threshold, priority }: InferenceEvent['payload']): object {
  return { batch_size, confidence_threshold, priority };
}

function inferenceRows({ event_type, tenant_id, timestamp, payload: p }: InferenceEvent): SinkRow[] {
  if (event_type === 'inference.requested') return [];
  const { results, failure } = p;
  const time = timeText(p.requested_at);
  const rows = [
    row('inferences', [
      p.job_id,
      time,
      tenant_id,
      p.inspection_id,
      p.attempt,
      results === null ? 'failed' : 'completed',
      p.model_name,
      results?.model_version ?? null,
      arrayText(p.artifacts.map((artifact) => artifact.artifact_id)),
      jsonText({ ...(results ?? failure), requested: requestedSettings(p) }),
      results?.confidence_score ?? null,
      results?.defects_detected ?? null,
      results?.batch_size ?? null,
      results?.processing_time_ms ?? null,
      failure?.reason ?? null,
      timeText(timestamp),
    ]),
  ];
  for (const d of results?.defects ?? []) {
    rows.push(
      row('predictions', [
        d.id,
        time,
        tenant_id,
        p.job_id,
        p.inspection_id,
        d.label,
        d.defect_type,
        d.severity,
        d.x,
        d.y,
        d.width,
        d.height,
        d.confidence,
        opinionText(d),
      ]),
    );
  }
  return rows;
}

function catalogRows({ tenant_id, payload: { part, lot } }: CatalogEvent): SinkRow[] {
  const rows: SinkRow[] = [];
  if (part !== null) {
    const { golden } = part;
    rows.push(
      row('parts', [
        part.id,
        tenant_id,
        part.part_number,
        part.part_type,
        part.description,
        golden?.artifact_id ?? null,
        golden?.storage_path ?? null,
        part.revision,
        timeText(part.created_at),
        timeText(part.updated_at),
      ]),
    );
    if (golden !== null) {
      rows.push(
        row('artifacts', [
          golden.artifact_id,
          tenant_id,
          null,
          part.id,
          golden.artifact_type,
          golden.filename,
          golden.storage_path,
          golden.content_type,
          golden.size_bytes,
          golden.checksum,
          golden.metadata,
          timeText(part.updated_at),
        ]),
      );
    }
  }
  if (lot !== null) {
    rows.push(row('lots', [lot.id, tenant_id, lot.lot_number, lot.part_id, lot.quantity, timeText(lot.created_at)]));
  }
  return rows;
}

/** The rows that one event becomes. Throws on a topic that doesn't belong here. */
export function rowsOf(topic: string, event: ProjectedEvent): readonly SinkRow[] {
  switch (topic) {
    case topics.inspectionLifecycle:
      return inspectionRows(event as InspectionEvent);
    case topics.artifactManagement:
      return artifactRows(event as ArtifactEvent);
    case topics.inferenceWorkflow:
      return inferenceRows(event as InferenceEvent);
    case topics.catalogEvents:
      return catalogRows(event as CatalogEvent);
    default:
      throw new Error(`the SQL sink knows no rows for topic ${topic}`);
  }
}
