import { createHash } from 'node:crypto';
import { createOnnxEngine, decodeImage, type InferenceEngine } from '@chip-quality/models';
import { encodeJpeg, generateBoard } from '@chip-quality/models/boards';
import { type InferenceEvent, topics } from '@chip-quality/schemas';
import { buildInferenceTopology, createPlatformSerdes } from '@chip-quality/topologies';
import { avro, MemorySchemaRegistry, systemClock } from 'millrace';
import { TopologyTestDriver } from 'millrace/testing';
import { afterEach, expect, test } from 'vitest';

const NOW_MS = Date.parse('2026-03-01T08:00:00Z');
const models = new URL('../../models/', import.meta.url);
const registry = new MemorySchemaRegistry();
const serdes = createPlatformSerdes((schema) => avro(schema, { registry }));
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The reasons of `boards` inferences of a real board, judged at the same time. */
async function reasons(detector: InferenceEngine, boards: number): Promise<(string | undefined)[]> {
  const { image } = generateBoard({ seed: 1, partSeed: 1, defective: true });
  const jpeg = await encodeJpeg(image);
  const topology = buildInferenceTopology(serdes, {
    images: { load: async () => jpeg },
    decode: decodeImage,
    detector,
    clock: systemClock,
  });
  const driver = new TopologyTestDriver(topology, { applicationId: 'faulty', initialWallClockMs: NOW_MS });
  closers.push(() => driver.close());
  const input = driver.createInputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent);
  for (let index = 0; index < boards; index += 1) {
    const event = requestFor(jpeg);
    input.pipeInput(event.payload.inspection_id, event, NOW_MS);
  }
  await driver.settle();
  const output = driver.createOutputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent);
  return output.readValuesToList().map((event) => event?.payload.failure?.reason);
}

function requestFor(jpeg: Uint8Array): InferenceEvent {
  const artifact = {
    artifact_id: crypto.randomUUID(),
    filename: 'board.jpg',
    storage_path: 'board.jpg',
    content_type: 'image/jpeg',
    size_bytes: jpeg.length,
    checksum: createHash('md5').update(jpeg).digest('hex'),
    artifact_type: 'image',
    metadata: '{}',
  };
  return {
    event_id: crypto.randomUUID(),
    event_type: 'inference.requested',
    timestamp: NOW_MS,
    trace_id: '',
    tenant_id: 'acme',
    payload: {
      job_id: crypto.randomUUID(),
      inspection_id: crypto.randomUUID(),
      attempt: 1,
      model_name: 'pcb_defect_detector',
      artifacts: [artifact],
      golden: null,
      batch_size: 32,
      confidence_threshold: null,
      priority: 'normal',
      requested_at: NOW_MS,
      results: null,
      failure: null,
    },
  };
}

async function engineOf(worker?: string): Promise<InferenceEngine> {
  const engine = await createOnnxEngine({
    modelDirectory: new URL('repository/pcb_defect_detector', models).pathname,
    ...(worker === undefined ? {} : { workerUrl: new URL(`test/support/${worker}`, models) }),
  });
  closers.push(() => engine.close());
  return engine;
}

test('NaN and answers of a wrong shape end as failed inferences, one a board', async () => {
  const liar = await engineOf('lying-worker.ts');
  // Two boards together get NaN; each alone, seven numbers.
  expect(await reasons(liar, 2)).toEqual(['inference_failed:bad-output', 'inference_failed:bad-output']);
  expect(await reasons(liar, 1)).toEqual(['inference_failed:bad-output']);
});

test('the same boards on the real model are judged', async () => {
  expect(await reasons(await engineOf(), 3)).toEqual([undefined, undefined, undefined]);
});
