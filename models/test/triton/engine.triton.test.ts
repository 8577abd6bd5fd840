import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { useTestStack } from '@chip-quality/dev/testing';
import { type DetectorInput, IMAGE_PIXELS } from '@chip-quality/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTritonEngine, type InferenceEngine, TritonAdmin, type TritonEngineOptions } from '../../src/index.ts';
import { MODEL_DIRECTORY } from '../support/model-directory.ts';
import { type Fault, faultyModel } from './faulty-model.ts';

const stack = useTestStack(['triton']);
const SHARED_MEMORY = '/dev/shm';
const blank: DetectorInput = { board: new Uint8Array(IMAGE_PIXELS).fill(255), golden: undefined };

let admin: TritonAdmin;
const opened: InferenceEngine[] = [];
const pushed: string[] = [];
beforeAll(() => {
  admin = new TritonAdmin(stack.triton.grpc);
});
afterAll(async () => {
  for (const engine of opened) await engine.close();
  for (const name of pushed) await admin.unloadModel(name);
  admin.close();
});

async function open(options: Partial<TritonEngineOptions> = {}): Promise<InferenceEngine> {
  const engine = await createTritonEngine({
    address: stack.triton.grpc,
    modelDirectory: MODEL_DIRECTORY,
    deadlineMs: 60_000,
    ...options,
  });
  opened.push(engine);
  return engine;
}

/** Loads a faulty model under a name of its own. */
async function push(fault: Fault, input?: { readonly name: string; readonly dims: number[] }): Promise<string> {
  const name = stack.uniqueName(`faulty-${fault}`);
  await admin.loadModel(name, faultyModel(fault, input));
  pushed.push(name);
  return name;
}

function regionsOf(pid: number): string[] {
  return readdirSync(SHARED_MEMORY).filter((name) => name.startsWith(`chip_quality_client_${pid}_`));
}

describe('a model that is not what it should be', () => {
  test.each([
    ['nan', 'bad-output', /NaN/],
    ['other-class', 'bad-output', /17/],
    ['wrong-shape', 'bad-output', /\[1, 4, 7\], not FP32 \[1, N, 6\]/],
    ['wrong-batch', 'bad-output', /\[2, 4, 6\]/],
    ['raises', 'model-failed', /out of bounds/],
  ] as const)('%s is told as %s, over calls and over a stream', async (fault, reason, message) => {
    const modelName = await push(fault);
    for (const streaming of [false, true]) {
      const engine = await open({ transport: 'fp32', modelName, streaming });
      const answer = engine.infer([blank]);
      await expect(answer).rejects.toMatchObject({ name: 'InferenceError', reason, retriable: false });
      await expect(answer).rejects.toThrow(message);
      await engine.close();
    }
  });

  test('a model with other tensors is refused when the engine is made, with every difference', async () => {
    const modelName = await push('nan', { name: 'pictures', dims: [1, 32, 32] });
    const opening = open({ transport: 'fp32', modelName });
    await expect(opening).rejects.toMatchObject({ name: 'InferenceError', reason: 'bad-output' });
    await expect(opening).rejects.toThrow(/input input_images is missing; input pictures is unknown/);
    const wrongSize = await push('nan', { name: 'input_images', dims: [3, 320, 320] });
    await expect(open({ transport: 'fp32', modelName: wrongSize })).rejects.toThrow(
      'input input_images is FP32 [-1, 3, 320, 320], not FP32 [-1, 3, 640, 640]',
    );
    // The detector takes a tensor; the files of the other transports are none.
    await expect(open({ transport: 'jpeg', modelName: 'pcb_defect_detector' })).rejects.toThrow(/board is missing/);
  });

  test('a model or version that is not loaded is told as such, when the engine is made and later', async () => {
    const missing = { reason: 'model-not-loaded', retriable: false };
    await expect(open({ modelName: stack.uniqueName('nobody') })).rejects.toMatchObject(missing);
    const modelName = await push('nan');
    for (const streaming of [false, true]) {
      await admin.loadModel(modelName, faultyModel('nan'));
      const engine = await open({ transport: 'fp32', modelName, streaming });
      expect(await engine.ready()).toBe(true);
      await admin.unloadModel(modelName);
      await expect.poll(() => engine.ready(), { timeout: 20_000 }).toBe(false);
      await expect(engine.infer([blank])).rejects.toMatchObject(missing);
      await engine.close();
    }
    await admin.loadModel(modelName, faultyModel('nan'));
  });
});

describe('deadlines', () => {
  test('a call that takes too long is given up and may be tried again; the next ones are served', async () => {
    const modelName = await push('slow');
    for (const way of [{ streaming: false }, { streaming: true }, { streaming: true, sharedMemory: true }]) {
      const engine = await open({ transport: 'fp32', modelName, deadlineMs: 300, ...way });
      await expect(engine.infer([blank])).rejects.toMatchObject({ reason: 'unavailable', retriable: true });
      await expect(engine.infer([blank])).rejects.toThrow(/no answer within 300 ms/);
      await engine.close();
      const patient = await open({ transport: 'fp32', modelName, ...way });
      expect(await patient.infer([blank])).toEqual([[]]);
      await patient.close();
    }
  });

  test('an address where nobody listens is unavailable within the deadline', async () => {
    const opening = createTritonEngine({ address: '127.0.0.1:1', modelDirectory: MODEL_DIRECTORY });
    await expect(opening).rejects.toMatchObject({ reason: 'unavailable', retriable: true });
    const nobody = new TritonAdmin('127.0.0.1:1');
    expect(await nobody.serverReady()).toBe(false);
    nobody.close();
  });
});

describe('shared memory', () => {
  test('regions go when the engine closes, here and at the server', async () => {
    const engine = await open({ transport: 'fp32', sharedMemory: true });
    await Promise.all([engine.infer([blank]), engine.infer([blank, blank])]);
    const mine = regionsOf(process.pid);
    expect(mine.length).toBeGreaterThan(0);
    expect(await admin.sharedMemoryRegions()).toEqual(expect.arrayContaining(mine));
    await engine.close();
    expect(regionsOf(process.pid)).toEqual([]);
    const names = await admin.sharedMemoryRegions();
    expect(names.filter((name) => mine.includes(name))).toEqual([]);
  });

  test('what a killed process has left is removed by the next engine', async () => {
    // The number of a process that has just ended.
    const { pid } = spawnSync('true');
    const stale = `${SHARED_MEMORY}/chip_quality_client_${pid}_1_1`;
    writeFileSync(stale, 'x');
    const engine = await open({ sharedMemory: true });
    expect(existsSync(stale)).toBe(false);
    await engine.close();
  });
});

test('the event loop stays free while batches of sixteen are sent as floats', async () => {
  const engine = await open({ transport: 'fp32' });
  const batch = Array.from({ length: 16 }, () => blank);
  await engine.infer(batch);
  // Measured by the loop's own time, so that the machine's other work does not count: how long it was kept from
  // turning by what it did itself.
  const before = performance.eventLoopUtilization();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (let i = 0; i < 5; i += 1) await Promise.all([engine.infer(batch), engine.infer(batch)]);
  delay.disable();
  const { active, utilization } = performance.eventLoopUtilization(before);
  console.log(
    `10 batches of 16 as FP32: event-loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, ` +
      `busy ${active.toFixed(0)} ms (${(utilization * 100).toFixed(1)} %)`,
  );
  // No test depends on speed: on the calling thread the same work blocks for 200 ms a batch, 2 s altogether.
  expect(utilization).toBeLessThan(0.5);
});
