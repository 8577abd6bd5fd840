import type { InspectionEvent } from '@chip-quality/schemas';
import { expect, it } from 'vitest';
import { boardView } from '../src/live-views.ts';

it('shows the image that was judged: the newest of the inspection', () => {
  const event = {
    event_type: 'inspection.completed',
    payload: {
      inspection_id: 'i',
      line_id: 'line-1',
      chip_id: 'c',
      verdict: 'pass',
      defects: [],
      failure_reason: null,
      artifact_ids: ['blurred', 'sharp'],
      created_at: 1_000,
      updated_at: 3_000,
      completed_at: 3_000,
    },
  } as unknown as InspectionEvent;
  expect(boardView(event)).toMatchObject({ artifact_id: 'sharp', latency_ms: 2_000 });
});
