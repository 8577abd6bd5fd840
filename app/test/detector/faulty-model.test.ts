import { createHash } from 'node:crypto';
import { createOnnxEngine, decodeImage, type InferenceEngine, InferenceError } from '@chip-quality/models';
import { encodeJpeg, generateBoard } from '@chip-quality/models/boards';
import { BAD_IMAGES } from '@chip-quality/models/testing';
import { type InferenceErrorReason, type InferenceEvent, topics } from '@chip-quality/schemas';
import { BoardInspector, createPlatformSerdes, inferenceFlow } from '@chip-quality/topologies';
import { avro, MemorySchemaRegistry, systemClock } from 'millrace';
import { TopologyTestDriver } from 'millrace/testing';
import { afterEach, expect, test } from 'vitest';

const NOW_MS = Date.parse('2026-03-01T08:00:00Z');
const models = new URL('../../../models/', import.meta.url);
const registry = new MemorySchemaRegistry();
const serdes = createPlatformSerdes((schema) => avro(schema, { registry }));
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** What a real board's file ends as beside others: the reasons of their failures, `undefined` where one was judged. */
async function reasons(engine: InferenceEngine, files: readonly Uint8Array[]): Promise<(string | undefined)[]> {
  const inspector = new BoardInspector({
    images: { load: async (path) => files[Number(path)] as Uint8Array },
    decode: decodeImage,
    detector: { modelName: engine.modelName, route: () => engine },
    clock: systemClock,
  });
  const topology = inferenceFlow('normal').build({ serdes, inspector, clock: systemClock });
  const driver = new TopologyTestDriver(topology, { applicationId: 'faulty', initialWallClockMs: NOW_MS });
  closers.push(() => driver.close());
  const input = driver.createInputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent);
  const events = files.map((file, index) => requestFor(file, index));
  // One key, hence one partition: what is refused must not keep what is behind it.
  for (const event of events) input.pipeInput('one line', event, NOW_MS);
  await driver.settle();
  const output = driver.createOutputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent);
  const ended = new Map(output.readValuesToList().map((event) => [event?.payload.job_id, event?.payload]));
  return events.map(({ payload }) => {
    const end = ended.get(payload.job_id);
    if (end === undefined) throw new Error('an inference has no end');
    return end.failure?.reason;
  });
}

function requestFor(file: Uint8Array, index: number): InferenceEvent {
  const artifact = {
    artifact_id: crypto.randomUUID(),
    filename: 'board.jpg',
    storage_path: String(index),
    content_type: 'image/jpeg',
    size_bytes: file.length,
    checksum: createHash('md5').update(file).digest('hex'),
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

async function goodBoard(): Promise<Uint8Array> {
  return encodeJpeg(generateBoard({ seed: 1, partSeed: 1, defective: true }).image);
}

/** An engine that can answer nothing. */
function unable(reason: InferenceErrorReason): InferenceEngine {
  return {
    modelName: 'pcb_defect_detector',
    modelVersion: '1',
    maxBatchSize: 32,
    verdictThreshold: 0.5,
    infer: () => Promise.reject(new InferenceError(reason, `as the test wants: ${reason}`)),
    ready: async () => true,
    close: async () => undefined,
  };
}

test('NaN and answers of a wrong shape end as failed inferences, one a board', async () => {
  const liar = await engineOf('lying-worker.ts');
  const board = await goodBoard();
  // Two boards together get NaN; each alone, seven numbers.
  expect(await reasons(liar, [board, board])).toEqual(Array(2).fill('inference_failed:bad-output'));
  expect(await reasons(liar, [board])).toEqual(['inference_failed:bad-output']);
});

test.each(['model-not-loaded', 'model-failed', 'bad-input'] as const)('%s ends each inference with it', async (why) => {
  const board = await goodBoard();
  expect(await reasons(unable(why), [board, board])).toEqual(Array(2).fill(`inference_failed:${why}`));
});

test('every file that is no board ends with its reason, and the board behind it on the partition is judged', async () => {
  const board = await goodBoard();
  const files = await Promise.all(BAD_IMAGES.map(({ make }) => make()));
  const ends = await reasons(
    await engineOf(),
    files.flatMap((file) => [file, board]),
  );
  expect(ends).toEqual(BAD_IMAGES.flatMap(({ reason }) => [`invalid_image:${reason}`, undefined]));
});
