import { randomUUID } from 'node:crypto';
import type {
  ArtifactEvent,
  ArtifactRef,
  CatalogEvent,
  Defect,
  InferenceEvent,
  InspectionEvent,
  InspectionPayload,
} from '@chip-quality/schemas';

const START_MS = Date.parse('2026-01-02T03:04:05.678Z');

export function artifactRef(overrides: Partial<ArtifactRef> = {}): ArtifactRef {
  const artifact_id = randomUUID();
  return {
    artifact_id,
    filename: 'board.jpg',
    storage_path: `inspections/x/raw/${artifact_id}.jpg`,
    content_type: 'image/jpeg',
    size_bytes: 51_234,
    checksum: 'd41d8cd98f00b204e9800998ecf8427e',
    artifact_type: 'image',
    metadata: '{}',
    ...overrides,
  };
}

export function defect(overrides: Partial<Defect> = {}): Defect {
  return {
    id: randomUUID(),
    defect_type: 'short',
    label: 'short',
    severity: 'high',
    x: 10,
    y: 20.5,
    width: 30,
    height: 40,
    confidence: 0.97,
    second_opinion: null,
    ...overrides,
  };
}

export function inspectionEvent(
  overrides: Partial<InspectionPayload> = {},
  envelope: Partial<InspectionEvent> = {},
): InspectionEvent {
  return {
    event_id: randomUUID(),
    event_type: 'inspection.created',
    timestamp: START_MS,
    trace_id: '',
    tenant_id: 'acme',
    payload: {
      inspection_id: randomUUID(),
      revision: 1,
      lot_id: randomUUID(),
      part_id: randomUUID(),
      chip_id: 'chip-1',
      inspection_type: 'visual',
      status: 'pending',
      verdict: null,
      priority: 5,
      priority_band: 'normal',
      station_id: null,
      line_id: 'line-1',
      metadata: '{}',
      attempt: 0,
      job_id: null,
      model_name: null,
      model_version: null,
      failure_reason: null,
      defects: [],
      artifact_ids: [],
      created_at: START_MS,
      updated_at: START_MS,
      started_at: null,
      completed_at: null,
      origin_partition: 0,
      origin_offset: 0,
      ...overrides,
    },
    ...envelope,
  };
}

export function artifactEvent(): ArtifactEvent {
  return {
    event_id: randomUUID(),
    event_type: 'artifact.uploaded',
    timestamp: START_MS,
    trace_id: '',
    tenant_id: 'acme',
    payload: { inspection_id: randomUUID(), chip_id: 'chip-1', artifact: artifactRef() },
  };
}

export function inferenceEvent(defects: readonly Defect[], overrides: Partial<InferenceEvent> = {}): InferenceEvent {
  return {
    event_id: randomUUID(),
    event_type: 'inference.completed',
    timestamp: START_MS + 500,
    trace_id: '',
    tenant_id: 'acme',
    payload: {
      job_id: randomUUID(),
      inspection_id: randomUUID(),
      attempt: 1,
      model_name: 'pcb_defect_detector',
      artifacts: [artifactRef()],
      golden: null,
      batch_size: 1,
      confidence_threshold: null,
      priority: 'normal',
      requested_at: START_MS,
      results: {
        model_version: '1',
        defects,
        confidence_score: defects[0]?.confidence ?? null,
        confidence_threshold: 0.5,
        processing_time_ms: 20,
        defects_detected: defects.length,
        batch_size: 8,
      },
      failure: null,
    },
    ...overrides,
  };
}

export function partEvent(): CatalogEvent {
  return {
    event_id: randomUUID(),
    event_type: 'part.updated',
    timestamp: START_MS,
    trace_id: '',
    tenant_id: 'acme',
    payload: {
      part: {
        id: randomUUID(),
        part_number: `PCB-${randomUUID()}`,
        part_type: 'pcb',
        description: null,
        golden: artifactRef(),
        created_at: START_MS,
        updated_at: START_MS,
        revision: 2,
      },
      lot: null,
    },
  };
}

export function lotEvent(): CatalogEvent {
  return {
    event_id: randomUUID(),
    event_type: 'lot.created',
    timestamp: START_MS,
    trace_id: '',
    tenant_id: 'acme',
    payload: {
      part: null,
      lot: {
        id: randomUUID(),
        lot_number: `L-${randomUUID()}`,
        part_id: randomUUID(),
        quantity: 300,
        created_at: START_MS,
      },
    },
  };
}
