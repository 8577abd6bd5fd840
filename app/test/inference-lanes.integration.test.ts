import { setTimeout as sleep } from 'node:timers/promises';
import type { InferenceEngine } from '@chip-quality/models';
import type { DetectorInput } from '@chip-quality/schemas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boardImage, RunningPlatform } from './support/running-platform.ts';

/** From then on a waiting board gets one batch in four, whatever its lane. */
const OVERDUE_MS = 5_000;
const WAIT = { timeout: 60_000 };

interface Call {
  readonly inspectionIds: readonly string[];
  answer(): void;
}

/** A detector that answers when the test says so. */
class GatedDetector implements InferenceEngine {
  readonly modelName = 'pcb_defect_detector';
  readonly modelVersion = '1';
  readonly maxBatchSize = 32;
  readonly verdictThreshold = 0.5;
  readonly calls: Call[] = [];
  /** Boards that are decoded and wait for a batch, or have had one. */
  readonly arrived = new Map<DetectorInput, string>();
  isOpen = false;

  route(inspectionId: string, input: DetectorInput): this {
    this.arrived.set(input, inspectionId);
    return this;
  }

  infer(batch: readonly DetectorInput[]) {
    return new Promise<never[][]>((resolve) => {
      const answer = () => resolve(batch.map(() => []));
      this.calls.push({ inspectionIds: batch.map((input) => this.arrived.get(input) as string), answer });
      if (this.isOpen) answer();
    });
  }

  hasArrived(inspectionId: string): boolean {
    return [...this.arrived.values()].includes(inspectionId);
  }

  open(): void {
    this.isOpen = true;
    for (const call of this.calls) call.answer();
  }

  async ready() {
    return true;
  }

  async close() {}
}

describe('the lanes of inference, from the API through the broker to the detector', () => {
  let platform: RunningPlatform;
  let image: Uint8Array;
  const detector = new GatedDetector();
  beforeAll(async () => {
    image = await boardImage();
    platform = await RunningPlatform.start('test-lanes', {
      startDetector: async () => ({ detector, close: async () => {} }),
    });
  });
  afterAll(async () => {
    detector.open();
    await platform?.stop();
  });

  /** Asks for an inference of a new board; answers its inspection's id when it waits for a batch. */
  async function ask(priority: string, batch_size = 4): Promise<string> {
    const path = await platform.create();
    await platform.upload(path, image, 'board.jpg');
    const queued = await platform.request('POST', `${path}/infer`, {
      body: { priority, batch_size },
      key: `${path}-infer`,
    });
    expect(queued.status).toBe(202);
    const id = path.split('/').at(-1) as string;
    await expect.poll(() => detector.hasArrived(id), WAIT).toBe(true);
    return id;
  }
  const askMany = (count: number, priority: string) => Promise.all(Array.from({ length: count }, () => ask(priority)));
  const statusOf = async (id: string) => (await platform.request('GET', `/v1/inspections/${id}`)).body.status;

  /** The detector has its two batches, of a board each. */
  async function occupy(): Promise<void> {
    for (const calls of [1, 2]) {
      await ask('normal');
      await expect.poll(() => detector.calls.length, WAIT).toBe(calls);
    }
  }

  /** Lets the detector answer its oldest call; resolves with the one that took its place. */
  async function next(): Promise<Call> {
    const { length } = detector.calls;
    (detector.calls[length - 2] as Call).answer();
    await expect.poll(() => detector.calls.length, WAIT).toBe(length + 1);
    return detector.calls[length] as Call;
  }

  it('judge a high board that came last before the low ones that have waited', async () => {
    await occupy();
    const low = await askMany(10, 'low');
    const high = await ask('high');
    const call = await next();
    expect(call.inspectionIds[0]).toBe(high);
    expect(call.inspectionIds.length).toBeLessThanOrEqual(4);
    call.answer();
    await expect.poll(() => statusOf(high), WAIT).toBe('completed');
    const waiting = low.filter((id) => !call.inspectionIds.includes(id));
    expect(waiting.length).toBeGreaterThanOrEqual(7);
    for (const id of waiting) expect(await statusOf(id)).toBe('in_progress');
    detector.open();
    for (const id of low) await expect.poll(() => statusOf(id), WAIT).toBe('completed');
  });

  it('let low boards through while high ones keep coming', async () => {
    detector.isOpen = false;
    detector.calls.length = 0;
    await occupy();
    const low = await ask('low');
    const lowSinceMs = performance.now();
    const high = await askMany(20, 'high');
    await sleep(Math.max(0, lowSinceMs + OVERDUE_MS - performance.now()));
    const sent = new Set<string>();
    let batches = 0;
    while (!sent.has(low)) {
      const call = await next();
      batches += 1;
      for (const id of call.inspectionIds) sent.add(id);
    }
    expect(batches).toBeLessThanOrEqual(4);
    expect(high.filter((id) => !sent.has(id)).length).toBeGreaterThan(0);
    detector.open();
    for (const id of [low, ...high]) await expect.poll(() => statusOf(id), WAIT).toBe('completed');
  });
});
