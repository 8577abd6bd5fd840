import type { ArtifactRef, DetectorVersion, InferencePayload, InferenceResults } from '@chip-quality/schemas';
import { systemClock } from 'millrace';
import { expect, test } from 'vitest';
import { BoardInspector } from '../../src/inference/board-inspector.ts';

/** However slow the machine is. */
const WAIT = { timeout: 20_000 };

const artifact: ArtifactRef = {
  artifact_id: 'a',
  filename: 'x.jpg',
  storage_path: 'x',
  content_type: 'image/jpeg',
  size_bytes: 1,
  checksum: 'unknown-1',
  artifact_type: 'image',
  metadata: '{}',
};

function payloadOf(inspection_id: string): InferencePayload {
  return {
    job_id: crypto.randomUUID(),
    inspection_id,
    attempt: 1,
    model_name: 'pcb_defect_detector',
    artifacts: [artifact],
    golden: null,
    batch_size: 1,
    confidence_threshold: null,
    priority: 'normal',
    requested_at: 0,
    results: null,
    failure: null,
  };
}

test('boards of production are judged while a version on trial hangs, and its own when it gives up', async () => {
  const production: DetectorVersion = {
    modelName: 'pcb_defect_detector',
    modelVersion: '1',
    maxBatchSize: 32,
    verdictThreshold: 0.5,
    infer: async (batch) => batch.map(() => []),
  };
  const hanging: ((error: Error) => void)[] = [];
  const candidate: DetectorVersion = {
    ...production,
    modelVersion: '2',
    fallback: production,
    infer: () => new Promise((_, reject) => hanging.push(reject)),
  };
  const inspector = new BoardInspector({
    images: { load: async () => new Uint8Array(1) },
    decode: async (bytes) => bytes,
    detector: { ...production, route: (id) => (id.startsWith('try') ? candidate : production) },
    clock: systemClock,
  });
  const { signal } = new AbortController();
  const inspect = (id: string) => inspector.inspect(payloadOf(id), signal) as Promise<InferenceResults>;
  const tried = ['try-1', 'try-2', 'try-3'].map(inspect);
  await expect.poll(() => hanging.length, WAIT).toBe(2);
  const judged = await Promise.all(['a', 'b', 'c', 'd'].map(inspect));
  expect(judged.map(({ model_version }) => model_version)).toEqual(['1', '1', '1', '1']);
  for (let board = 0; board < 3; board += 1) {
    await expect.poll(() => hanging.length, WAIT).toBeGreaterThan(board);
    hanging[board]?.(new Error('gave up'));
  }
  expect((await Promise.all(tried)).map(({ model_version }) => model_version)).toEqual(['1', '1', '1']);
});
