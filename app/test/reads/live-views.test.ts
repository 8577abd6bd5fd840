import type { InspectionEvent } from '@chip-quality/schemas';
import { expect, it } from 'vitest';
import { boardView } from '../../src/reads/live-views.ts';

function completed(attempt: number, startedAtMs: number): InspectionEvent {
  return {
    event_type: 'inspection.completed',
    payload: {
      inspection_id: 'i',
      line_id: 'line-1',
      chip_id: 'c',
      verdict: 'pass',
      attempt,
      defects: [],
      failure_reason: null,
      artifact_ids: ['blurred', 'sharp'],
      created_at: 1_000,
      started_at: startedAtMs,
      updated_at: 3_000,
      completed_at: 3_000,
    },
  } as unknown as InspectionEvent;
}

it('shows the image that was judged: the newest of the inspection', () => {
  expect(boardView(completed(1, 2_000))).toMatchObject({ artifact_id: 'sharp', latency_ms: 2_000 });
});

it('counts the latency of another attempt from its own request', () => {
  expect(boardView(completed(2, 2_500))?.latency_ms).toBe(500);
});
