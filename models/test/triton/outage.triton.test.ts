import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { LOCAL_FOLDER, type Stack, startStack } from '@chip-quality/dev';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTritonEngine, type InferenceEngine } from '../../src/index.ts';
import { expectSame, generatedInput } from '../contract/inference-engine.ts';
import { MODEL_DIRECTORY } from '../support/model-directory.ts';

/** A server of our own, since others would miss it; the next one on the folder gets the same addresses. */
const root = join(LOCAL_FOLDER, 'test', `triton-outage-${randomBytes(4).toString('hex')}`);
const START_TIMEOUT_MS = 600_000;
const start = () => startStack({ root, services: ['triton'] });

let stack: Stack;
beforeAll(async () => {
  stack = await start();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await stack.stop();
  rmSync(root, { recursive: true, force: true });
});

test(
  'a server that is stopped and started again is found again by every kind of engine, whatever it had registered',
  async () => {
    const address = stack.triton?.grpc ?? '';
    const engines: InferenceEngine[] = [];
    for (const way of [
      { transport: 'fp32' },
      { transport: 'uint8', streaming: true },
      { transport: 'fp32', sharedMemory: true },
      { transport: 'uint8', sharedMemory: true, streaming: true },
    ] as const) {
      engines.push(await createTritonEngine({ address, modelDirectory: MODEL_DIRECTORY, deadlineMs: 20_000, ...way }));
    }
    const input = await generatedInput(2, true);
    const wanted = await Promise.all(engines.map((engine) => engine.infer([input])));

    // Requests under way when the server goes: each is answered or told as unavailable, none hangs.
    const underWay = engines.flatMap((engine) => [0, 1, 2, 3].map(() => engine.infer(Array(8).fill(input))));
    const [outcomes] = await Promise.all([Promise.allSettled(underWay), stack.stop()]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason, String(outcome.reason)).toMatchObject({ reason: 'unavailable' });
    }
    for (const engine of engines) {
      expect(await engine.ready()).toBe(false);
      await expect(engine.infer([input])).rejects.toMatchObject({ reason: 'unavailable', retriable: true });
    }

    stack = await start();
    expect(stack.triton?.grpc).toBe(address);
    for (const [i, engine] of engines.entries()) {
      await expect.poll(() => engine.ready(), { timeout: 30_000 }).toBe(true);
      // The thread's own connection may be a moment later than the one that asked for readiness.
      const found = await expect
        .poll(() => engine.infer([input]).catch((error: Error) => error), { timeout: 30_000 })
        .toBeInstanceOf(Array)
        .then(() => engine.infer([input]));
      expectSame(found[0] ?? [], wanted[i]?.[0] ?? []);
      await engine.close();
    }
  },
  START_TIMEOUT_MS,
);
