import type { JudgedBatch } from '@chip-quality/models';
import { silentLog } from 'millrace';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { createModelObserver } from '../../src/metrics/model-metrics.ts';

const batch: JudgedBatch = {
  version: '1',
  role: 'production',
  boards: 8,
  flagged: 2,
  defects: 4,
  confidenceSum: 3.2,
  opinions: { agrees: 3, 'other-label': 0, background: 1, none: 0 },
  durationMs: 80,
};

it('counts per version how often the classifier agrees, and nothing that it did not say', async () => {
  const registry = new Registry();
  const observer = createModelObserver(registry)('pcb_defect_detector', silentLog);
  observer.judged(batch);
  observer.judged(batch);
  const labels = 'model="pcb_defect_detector",version="1",role="production"';
  expect((await registry.getSingleMetricAsString('model_second_opinions_total')).split('\n').slice(2)).toEqual([
    `model_second_opinions_total{${labels},opinion="agrees"} 6`,
    `model_second_opinions_total{${labels},opinion="background"} 2`,
  ]);
});
