import { createHash } from 'node:crypto';
import {
  type ArtifactRef,
  type Detector,
  type DetectorInput,
  type DetectorVersion,
  type InferenceEvent,
  type InferencePriority,
  topics,
} from '@chip-quality/schemas';
import { type Clock, systemClock } from 'millrace';
import { describe, expect, test } from 'vitest';
import { BoardInspector, type BoardInspectorOptions, inferenceFlow, noInferenceMetrics } from '../src/index.ts';
import { drive, START_MS, serdes, TENANT } from './support/driver.ts';

/** A clock whose timers fire at once and move it on, so that backoffs take no time. */
function impatientClock(): Clock & { readonly waited: number[] } {
  let nowMs = START_MS;
  const waited: number[] = [];
  return {
    waited,
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    setTimer(delayMs, callback) {
      return systemClock.setTimer(0, () => {
        waited.push(delayMs);
        nowMs += delayMs;
        callback();
      });
    },
    yield: systemClock.yield,
  };
}

/** A wait with jitter. */
const halfToAllOf = (ceilingMs: number) =>
  expect.toSatisfy((waitedMs: number) => waitedMs >= ceilingMs / 2 && waitedMs <= ceilingMs);

class Coded extends Error {
  readonly code: string;
  readonly reason: string;
  readonly retriable: boolean;
  constructor(code: string, reason = '', retriable = false) {
    super(`${code} ${reason}`);
    this.code = code;
    this.reason = reason;
    this.retriable = retriable;
  }
}

/** Sees a defect for every byte of the board that its golden image hasn't. */
class FakeDetector implements Detector, DetectorVersion {
  readonly modelName = 'pcb_defect_detector';
  readonly modelVersion = '3';
  readonly maxBatchSize = 32;
  readonly verdictThreshold = 0.5;
  readonly batches: number[] = [];
  fault: ((batch: readonly DetectorInput[]) => void | Promise<void>) | undefined;

  route(_inspectionId: string, _input: DetectorInput): DetectorVersion {
    return this;
  }

  async infer(batch: readonly DetectorInput[], options: { readonly confidenceThreshold?: number } = {}) {
    this.batches.push(batch.length);
    await this.fault?.(batch);
    return batch.map(({ board, golden }) =>
      [...board]
        .filter((byte, index) => byte !== golden?.[index] && byte / 100 >= (options.confidenceThreshold ?? 0.5))
        .sort((a, b) => b - a)
        .map((byte) => ({
          x1: 1,
          y1: 2,
          x2: 11,
          y2: 22,
          confidence: byte / 100,
          label: 'spur',
          defectType: 'short' as const,
          severity: 'high' as const,
        })),
    );
  }
}

const objects = new Map<string, Uint8Array>();
let loads: string[] = [];

function object(path: string, bytes: number[]): ArtifactRef {
  const content = Uint8Array.from(bytes);
  objects.set(path, content);
  return {
    artifact_id: path,
    filename: 'x.jpg',
    storage_path: path,
    content_type: 'image/jpeg',
    size_bytes: content.length,
    checksum: createHash('md5').update(content).digest('hex'),
    artifact_type: 'image',
    metadata: '{}',
  };
}

function setUp(overrides: Partial<BoardInspectorOptions> = {}, lane: InferencePriority = 'normal') {
  const detector = new FakeDetector();
  const clock = impatientClock();
  loads = [];
  const inspector = new BoardInspector({
    images: {
      async load(path) {
        loads.push(path);
        const bytes = objects.get(path);
        if (bytes === undefined) throw new Coded('OBJECT_NOT_FOUND');
        return bytes;
      },
    },
    decode: async (bytes) => {
      if (bytes[0] === 255) throw new Coded('INVALID_IMAGE', 'not-an-image');
      return bytes;
    },
    detector,
    clock,
    ...overrides,
  });
  const flow = inferenceFlow(lane);
  const driver = drive(flow.build({ serdes, inspector, clock }), flow.id);
  const workflow = driver.createInputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent);
  const output = driver.createOutputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent);
  return {
    driver,
    detector,
    clock,
    ask: (board: ArtifactRef, payload: Partial<InferenceEvent['payload']> = {}) => {
      const event = requestFor(board, payload);
      workflow.pipeInput(event.payload.inspection_id, event, START_MS);
      return event;
    },
    results: async () => {
      await driver.settle();
      return output.readValuesToList();
    },
  };
}

function requestFor(board: ArtifactRef, payload: Partial<InferenceEvent['payload']>): InferenceEvent {
  return {
    event_id: crypto.randomUUID(),
    event_type: 'inference.requested',
    timestamp: START_MS,
    trace_id: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    tenant_id: TENANT,
    payload: {
      job_id: crypto.randomUUID(),
      inspection_id: crypto.randomUUID(),
      attempt: 1,
      model_name: 'pcb_defect_detector',
      artifacts: [board],
      golden: null,
      batch_size: 32,
      confidence_threshold: null,
      priority: 'normal',
      requested_at: START_MS,
      results: null,
      failure: null,
      ...payload,
    },
  };
}

test('a request becomes a result that carries everything of the request and what was found', async () => {
  const { ask, results, detector } = setUp();
  const golden = object('golden', [10, 20, 30]);
  const sent = ask(object('board', [10, 60, 90]), { golden });
  const [completed] = await results();
  expect(completed).toMatchObject({
    event_type: 'inference.completed',
    trace_id: sent.trace_id,
    tenant_id: TENANT,
    payload: {
      job_id: sent.payload.job_id,
      requested_at: START_MS,
      failure: null,
      results: {
        model_version: '3',
        confidence_score: 0.9,
        confidence_threshold: 0.5,
        defects_detected: 2,
        batch_size: 1,
        defects: [{ x: 1, y: 2, width: 10, height: 20, defect_type: 'short', label: 'spur', confidence: 0.9 }, {}],
      },
    },
  });
  expect(detector.batches).toEqual([1]);
});

test('events that are no requests are left alone', async () => {
  const { ask, results, detector } = setUp();
  ask(object('b', [1]));
  const [completed] = await results();
  expect(completed?.payload.results?.defects).toEqual([]);
  // The result came back through the same topic and caused nothing.
  expect(await results()).toEqual([]);
  expect(detector.batches).toEqual([1]);
});

test('boards are judged in batches of 4, 8 and 16, and each gets its own result', async () => {
  const { ask, results, detector } = setUp();
  const sent = Array.from({ length: 29 }, (_, index) => ask(object(`many-${index}`, [60 + index])));
  const events = await results();
  expect(detector.batches.reduce((sum, size) => sum + size, 0)).toBe(29);
  expect(detector.batches.filter((size) => ![4, 8, 16].includes(size)).length).toBeLessThanOrEqual(1);
  const byJob = new Map(events.map((event) => [event.payload.job_id, event]));
  for (const [index, { payload }] of sent.entries()) {
    expect(byJob.get(payload.job_id)?.payload.results?.confidence_score).toBe((60 + index) / 100);
  }
});

test('each board’s own threshold decides, also within one batch', async () => {
  const { ask, results } = setUp();
  const board = object('t', [30, 60]);
  const wishes = [null, 0.2, 0.61, 0.3].map((confidence_threshold) => ask(board, { confidence_threshold }));
  const events = await results();
  const found = wishes.map(
    (wish) => events.find((event) => event.payload.job_id === wish.payload.job_id)?.payload.results,
  );
  expect(found.map((result) => [result?.confidence_threshold, result?.defects_detected])).toEqual([
    [0.5, 1],
    [0.2, 2],
    [0.61, 0],
    [0.3, 2],
  ]);
});

test('a request’s batch size bounds every batch with it, and results leave in the order of the requests', async () => {
  const { ask, results, detector } = setUp();
  const sent = Array.from({ length: 12 }, (_, index) => ask(object(`bound-${index}`, [90]), { batch_size: 3 }));
  const events = await results();
  expect(events.map(({ payload }) => payload.job_id)).toEqual(sent.map(({ payload }) => payload.job_id));
  expect(Math.max(...detector.batches)).toBeLessThanOrEqual(3);
  expect(events.every(({ payload }) => (payload.results?.batch_size ?? 0) <= 3)).toBe(true);
});

test('a lane’s application takes its own requests only, and one of a priority unknown to it is normal', async () => {
  const priorities = ['low', 'normal', 'high', 'urgent'];
  const taken: Record<string, (string | undefined)[]> = {};
  for (const lane of ['low', 'normal', 'high'] as const) {
    const { ask, results } = setUp({}, lane);
    for (const priority of priorities) ask(object('lane', [90]), { priority });
    taken[lane] = (await results()).map(({ payload }) => payload.priority);
  }
  expect(taken).toEqual({ low: ['low'], normal: ['normal', 'urgent'], high: ['high'] });
});

test('a board without golden image is judged by the model and the threshold of its route', async () => {
  const { ask, results, detector } = setUp();
  const single = Object.assign(new FakeDetector(), { modelName: 'single', modelVersion: '2', verdictThreshold: 0.8 });
  Object.assign(detector, {
    route: (_: string, { golden }: DetectorInput): DetectorVersion => (golden === undefined ? single : detector),
  });
  const board = object('routed', [70]);
  const [without, pair] = [ask(board), ask(board, { golden: object('other-golden', [1]) })];
  const events = await results();
  const resultOf = ({ payload }: InferenceEvent) =>
    events.find((event) => event.payload.job_id === payload.job_id)?.payload.results;
  expect(resultOf(without)).toMatchObject({
    model_version: 'single/2',
    confidence_threshold: 0.8,
    defects_detected: 0,
  });
  expect(resultOf(pair)).toMatchObject({ model_version: '3', confidence_threshold: 0.5, defects_detected: 1 });
});

test('boards of two versions and two networks are parted before they are batched: each of the three gets exact sizes', async () => {
  const { ask, results, detector: pair } = setUp();
  const [candidate, single] = ['candidate', 'single'].map((modelName) =>
    Object.assign(new FakeDetector(), { modelName, maxBatchSize: 8 }),
  ) as [FakeDetector, FakeDetector];
  const routed = (id: string) => (id.startsWith('try') ? candidate : pair);
  Object.assign(pair, {
    route: (id: string, { golden }: DetectorInput): DetectorVersion => (golden === undefined ? single : routed(id)),
  });
  const golden = object('golden-of-all', [1]);
  for (let index = 0; index < 48; index += 1) {
    const inspection_id = `${index % 3 === 0 ? 'try' : 'keep'}-${index}`;
    ask(object('parted', [90]), { inspection_id, golden: index % 4 === 0 ? null : golden });
  }
  const events = await results();
  expect(events).toHaveLength(48);
  for (const [model, boards] of [
    [pair, 24],
    [candidate, 12],
    [single, 12],
  ] as const) {
    expect(model.batches.reduce((sum, size) => sum + size, 0)).toBe(boards);
    expect(model.batches.filter((size) => ![4, 8, 16].includes(size)).length).toBeLessThanOrEqual(1);
    expect(Math.max(...model.batches)).toBeLessThanOrEqual(model === pair ? 16 : 8);
  }
});

test('boards whose verdict a station knew are counted for the version that judged them; the others are not', async () => {
  const known: (readonly string[])[] = [];
  const { ask, results } = setUp({
    metrics: {
      ...noInferenceMetrics,
      knownJudged: ({ modelVersion }, expected, verdict) => known.push([modelVersion, expected, verdict]),
    },
  });
  const [good, bad] = [object('known-good', [10]), object('known-bad', [90])];
  const told = (artifact: ArtifactRef, expected_verdict: unknown) =>
    ask({ ...artifact, metadata: JSON.stringify({ camera: 3, expected_verdict }) });
  for (const expected of ['pass', 'fail', 'maybe', null]) {
    told(good, expected);
    told(bad, expected);
  }
  ask(bad);
  expect(await results()).toHaveLength(9);
  expect(known.toSorted()).toEqual([
    ['3', 'fail', 'fail'],
    ['3', 'fail', 'pass'],
    ['3', 'pass', 'fail'],
    ['3', 'pass', 'pass'],
  ]);
});

test('a redelivered request makes the same event and defect ids', async () => {
  const board = object('again', [80]);
  const sent = requestFor(board, {});
  const run = async () => {
    const { driver, results } = setUp();
    driver
      .createInputTopic(topics.inferenceWorkflow, serdes.key, serdes.InferenceEvent)
      .pipeInput(sent.payload.inspection_id, sent, START_MS);
    return (await results())[0];
  };
  const [first, second] = [await run(), await run()];
  expect(second?.event_id).toBe(first?.event_id);
  expect(second?.payload.results?.defects).toEqual(first?.payload.results?.defects);
});

test('a golden image is fetched once for many boards, and again after its content changed', async () => {
  const { ask, results } = setUp();
  const golden = object('g-cached', [1]);
  for (let index = 0; index < 10; index += 1) ask(object(`gb-${index}`, [2]), { golden });
  await results();
  expect(loads.filter((path) => path === 'g-cached')).toHaveLength(1);
  ask(object('gb-0', [2]), { golden: object('g-cached', [3, 4]) });
  await results();
  expect(loads.filter((path) => path === 'g-cached')).toHaveLength(2);
});

describe('a board that can’t be judged fails with its reason, and its neighbours go on', () => {
  const cases: [string, () => Partial<InferenceEvent['payload']> & { artifacts?: ArtifactRef[] }][] = [
    ['invalid_image:not-an-image', () => ({ artifacts: [object('bad', [255])] })],
    ['object_not_found', () => ({ artifacts: [{ ...object('gone', [1]), storage_path: 'nowhere' }] })],
    ['artifact_changed', () => ({ artifacts: [{ ...object('changed', [1, 2]), checksum: 'f'.repeat(32) }] })],
    ['artifact_changed', () => ({ artifacts: [{ ...object('shorter', [1, 2]), size_bytes: 3 }] })],
    ['golden_object_not_found', () => ({ golden: { ...object('g', [1]), storage_path: 'nowhere' } })],
    ['golden_invalid_image:not-an-image', () => ({ golden: object('gbad', [255]) })],
    ['unknown_model', () => ({ model_name: 'other' })],
    ['no_image', () => ({ artifacts: [] })],
  ];
  test.each(cases)('%s', async (reason, payload) => {
    const { ask, results } = setUp();
    const good = object('good', [10]);
    ask(good);
    const bad = ask(good, payload());
    ask(good);
    const events = await results();
    expect(events).toHaveLength(3);
    const failed = events.filter((event) => event.event_type === 'inference.failed');
    expect(failed.map((event) => [event.payload.job_id, event.payload.failure?.reason])).toEqual([
      [bad.payload.job_id, reason],
    ]);
    expect(failed[0]?.payload.failure?.detail).not.toBe('');
  });

  test('one board that breaks its batch is found by judging the boards alone', async () => {
    const { ask, results, detector } = setUp();
    detector.fault = (batch) => {
      if (batch.some(({ board }) => board[0] === 13)) throw new Coded('INFERENCE_FAILED', 'bad-input');
    };
    const boards = Array.from({ length: 8 }, (_, index) => object(`breaks-${index}`, [10 + index]));
    for (const board of boards) ask(board);
    const events = await results();
    const failed = events.filter((event) => event.event_type === 'inference.failed');
    expect(events).toHaveLength(8);
    expect(failed.map((event) => [event.payload.artifacts[0]?.storage_path, event.payload.failure?.reason])).toEqual([
      ['breaks-3', 'inference_failed:bad-input'],
    ]);
  });

  test.each(['bad-input', 'bad-output', 'model-failed', 'model-not-loaded'])(
    'a detector that answers %s fails its boards, and judges the next ones',
    async (reason) => {
      const { ask, results, detector } = setUp();
      detector.fault = () => {
        throw new Coded('INFERENCE_FAILED', reason);
      };
      for (let index = 0; index < 5; index += 1) ask(object(`faulty-${index}`, [90]));
      const failed = await results();
      expect(failed.map(({ event_type, payload }) => [event_type, payload.failure?.reason])).toEqual(
        Array(5).fill(['inference.failed', `inference_failed:${reason}`]),
      );
      detector.fault = undefined;
      ask(object('after', [90]));
      expect((await results()).map(({ event_type }) => event_type)).toEqual(['inference.completed']);
    },
  );

  test('an error that no port promises ends the inference, not the line', async () => {
    const { ask, results, detector } = setUp();
    detector.fault = () => {
      throw new TypeError('x is not a function');
    };
    ask(object('bug', [1]));
    expect((await results())[0]?.payload.failure).toEqual({ reason: 'internal_error', detail: 'x is not a function' });
  });
});

describe('outages', () => {
  test('an object store that comes back costs waits, not results', async () => {
    let failures = 4;
    const { ask, results, clock } = setUp({
      images: {
        async load(path) {
          if (failures-- > 0) throw new Coded('OBJECT_STORE_UNAVAILABLE');
          return objects.get(path) as Uint8Array;
        },
      },
    });
    ask(object('patient', [1]));
    expect((await results())[0]?.event_type).toBe('inference.completed');
    // The last one is the board's wait for others of its batch.
    expect(clock.waited).toEqual([...[200, 400, 800, 1_600].map(halfToAllOf), 2]);
  });

  test('one that stays away fails the inference after the deadline', async () => {
    const { ask, results, clock } = setUp({
      images: { load: () => Promise.reject(new Coded('OBJECT_STORE_UNAVAILABLE')) },
    });
    ask(object('away', [1]));
    expect((await results())[0]?.payload.failure?.reason).toBe('object_store_unavailable');
    expect(clock.nowMs() - START_MS).toBeLessThanOrEqual(60_000);
    expect(clock.nowMs() - START_MS).toBeGreaterThan(50_000);
  });

  test('an inference server that comes back judges the batch; one that stays away fails it', async () => {
    const first = setUp();
    let failures = 3;
    first.detector.fault = () => {
      if (failures-- > 0) throw new Coded('INFERENCE_FAILED', 'unavailable', true);
    };
    first.ask(object('server', [1]));
    expect((await first.results())[0]?.event_type).toBe('inference.completed');
    const second = setUp();
    second.detector.fault = () => {
      throw new Coded('INFERENCE_FAILED', 'unavailable', true);
    };
    for (let index = 0; index < 4; index += 1) second.ask(object('server', [1]));
    expect((await second.results()).map((event) => event.payload.failure?.reason)).toEqual(
      Array(4).fill('inference_failed:unavailable'),
    );
    // An outage is no reason to try the boards one by one.
    expect(new Set(second.detector.batches)).toEqual(new Set([4]));
  });

  test('a detector that hangs is asked again, and given up in the end', async () => {
    const once = setUp();
    let hangs = 1;
    once.detector.fault = () => (hangs-- > 0 ? new Promise<void>(() => {}) : undefined);
    once.ask(object('hangs', [1]));
    expect((await once.results())[0]?.event_type).toBe('inference.completed');
    const always = setUp();
    always.detector.fault = () => new Promise<void>(() => {});
    always.ask(object('hangs', [1]));
    expect((await always.results())[0]?.payload.failure?.reason).toBe('inference_failed:timeout');
  });
});
