import { type ApiReply, type ApiRequest, type Command, commandId, type InspectionEvent } from '@chip-quality/schemas';
import { avro, MemorySchemaRegistry, type Topology } from 'millrace';
import { TopologyTestDriver } from 'millrace/testing';
import { afterEach } from 'vitest';
import { createPlatformSerdes } from '../../src/index.ts';

const registry = new MemorySchemaRegistry();

/** Real Avro, with a registry inside the process. */
export const serdes = createPlatformSerdes((schema) => avro(schema, { registry }));

export const TENANT = 'acme';
export const START_MS = Date.parse('2026-03-01T08:00:00Z');

const open: TopologyTestDriver[] = [];
afterEach(async () => {
  for (const driver of open.splice(0)) await driver.close();
});

export function drive(topology: Topology, applicationId: string): TopologyTestDriver {
  const driver = new TopologyTestDriver(topology, { applicationId, initialWallClockMs: START_MS });
  open.push(driver);
  return driver;
}

export function command(
  operation: string,
  resourceId: string,
  payload: object,
  overrides: Partial<Command> = {},
): Command {
  const idempotency_key = overrides.idempotency_key ?? crypto.randomUUID();
  return {
    command_id: commandId(overrides.tenant_id ?? TENANT, idempotency_key),
    tenant_id: TENANT,
    subject: 'station-1',
    idempotency_key,
    operation,
    resource_id: resourceId,
    payload: JSON.stringify(payload),
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    issued_at: START_MS,
    ...overrides,
  };
}

export function request(overrides: Partial<ApiRequest> = {}): ApiRequest {
  return {
    request_id: crypto.randomUUID(),
    tenant_id: TENANT,
    subject: 'station-1',
    idempotency_key: 'key-1',
    operation: 'inspection.create',
    resource_id: '0b0f7b7e-6a0a-5d2e-9a55-3c1d7d5a5a01',
    payload: '{"chip_id":"c-1"}',
    payload_hash: 'hash-1',
    traceparent: '',
    received_at: START_MS,
    ...overrides,
  };
}

export function bodyOf(reply: Pick<ApiReply, 'body'>): Record<string, unknown> {
  return JSON.parse(reply.body) as Record<string, unknown>;
}

export function lifecycle(
  payload: Partial<InspectionEvent['payload']>,
  envelope: Partial<InspectionEvent> = {},
): InspectionEvent {
  return {
    event_id: crypto.randomUUID(),
    event_type: 'inspection.completed',
    timestamp: START_MS,
    trace_id: '',
    tenant_id: TENANT,
    ...envelope,
    payload: {
      inspection_id: crypto.randomUUID(),
      revision: 3,
      lot_id: crypto.randomUUID(),
      part_id: crypto.randomUUID(),
      chip_id: 'c-1',
      inspection_type: 'visual',
      status: 'completed',
      verdict: 'pass',
      priority: 5,
      priority_band: 'normal',
      station_id: null,
      line_id: 'line-1',
      metadata: '{}',
      attempt: 1,
      job_id: crypto.randomUUID(),
      model_name: 'pcb_defect_detector',
      model_version: '1',
      failure_reason: null,
      defects: [],
      artifact_ids: [],
      created_at: START_MS,
      updated_at: START_MS,
      started_at: START_MS,
      completed_at: START_MS,
      origin_partition: 0,
      origin_offset: 0,
      ...payload,
    },
  };
}
