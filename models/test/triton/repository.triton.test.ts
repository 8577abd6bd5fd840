import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { useTestStack } from '@chip-quality/dev/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTritonEngine, TritonAdmin } from '../../src/index.ts';
import { expectSame, generatedInput } from '../contract/inference-engine.ts';
import { MODEL_DIRECTORY } from '../support/model-directory.ts';
import { faultyModel } from './faulty-model.ts';

const stack = useTestStack(['triton']);
const DEADLINE_MS = 60_000;
const RELOADS = 3;

let admin: TritonAdmin;
beforeAll(() => {
  admin = new TritonAdmin(stack.triton.grpc);
});
afterAll(() => admin.close());

/** The committed detector under another name, so that other tests keep theirs. */
async function pushDetector(name: string): Promise<void> {
  const config = {
    platform: 'onnxruntime_onnx',
    max_batch_size: 32,
    input: [{ name: 'input_images', data_type: 'TYPE_FP32', dims: [3, 640, 640] }],
    output: [{ name: 'detections', data_type: 'TYPE_FP32', dims: [-1, 6] }],
  };
  const model = await readFile(join(MODEL_DIRECTORY, '1', 'model.onnx'));
  await admin.loadModel(name, { config: JSON.stringify(config), files: { '1/model.onnx': model } });
}

test('the whole repository is served, with the configuration of the files', async () => {
  const models = await admin.repositoryIndex();
  for (const name of await readdir(join(MODEL_DIRECTORY, '..'))) {
    expect(models).toContainEqual({ name, version: '1', state: 'READY', reason: '' });
  }
  expect(await admin.modelConfig('pcb_defect_detector')).toEqual({
    name: 'pcb_defect_detector',
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    maxBatchSize: 32,
    input: [{ name: 'input_images', dataType: 'TYPE_FP32', dims: [3, 640, 640], optional: false }],
    output: [{ name: 'detections', dataType: 'TYPE_FP32', dims: [-1, 6] }],
    dynamicBatching: { preferredBatchSize: [4, 8, 16], maxQueueDelayMicroseconds: 2000 },
    ensembleScheduling: null,
  });
  expect(await admin.modelMetadata('ensemble_model')).toEqual({
    name: 'ensemble_model',
    versions: ['1'],
    platform: 'ensemble',
    inputs: [
      { name: 'board', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'golden', datatype: 'BYTES', shape: [-1, 1] },
    ],
    outputs: [
      { name: 'detections', datatype: 'FP32', shape: [-1, -1, 6] },
      { name: 'second_opinions', datatype: 'FP32', shape: [-1, -1, 2] },
    ],
  });
});

test('a model is pushed as bytes, serves, is unloaded, and says why a broken successor does not load', async () => {
  const modelName = stack.uniqueName('pushed');
  expect(await admin.modelReady(modelName)).toBe(false);
  await pushDetector(modelName);
  expect(await admin.modelReady(modelName)).toBe(true);
  const engine = await createTritonEngine({
    address: stack.triton.grpc,
    modelDirectory: MODEL_DIRECTORY,
    transport: 'fp32',
    modelName,
    deadlineMs: DEADLINE_MS,
  });
  const input = await generatedInput(2, true);
  const [found = []] = await engine.infer([input]);
  expect(found.length).toBeGreaterThan(0);

  const broken = { config: '{"backend": "onnxruntime"}', files: { '1/model.onnx': Buffer.from('no model') } };
  await expect(admin.loadModel(modelName, broken)).rejects.toMatchObject({ name: 'InferenceError' });
  // What served before goes on serving.
  const [still = []] = await engine.infer([input]);
  expectSame(still, found);
  await expect(admin.loadModel(stack.uniqueName('nobody'))).rejects.toMatchObject({ name: 'InferenceError' });

  await admin.unloadModel(modelName);
  await expect.poll(() => engine.ready(), { timeout: 20_000 }).toBe(false);
  await engine.close();
});

test('a model is reloaded under traffic without a failed request', async () => {
  const modelName = stack.uniqueName('reloaded');
  await pushDetector(modelName);
  const input = await generatedInput(2, true);
  const ways = [
    { transport: 'fp32', modelName },
    { transport: 'fp32', modelName, streaming: true },
  ] as const;
  let isOver = false;
  let answered = 0;
  const traffic = ways.map(async (way) => {
    const engine = await createTritonEngine({
      address: stack.triton.grpc,
      modelDirectory: MODEL_DIRECTORY,
      deadlineMs: DEADLINE_MS,
      ...way,
    });
    const [wanted = []] = await engine.infer([input]);
    while (!isOver) {
      for (const [found = []] of await Promise.all([engine.infer([input]), engine.infer([input])])) {
        expectSame(found, wanted);
        answered += 1;
      }
    }
    await engine.close();
  });
  for (let i = 0; i < RELOADS; i += 1) {
    const before = answered;
    await pushDetector(modelName);
    await expect.poll(() => answered, { timeout: DEADLINE_MS }).toBeGreaterThan(before + ways.length);
  }
  isOver = true;
  // A failed request would reject here.
  await Promise.all(traffic);
  await admin.unloadModel(modelName);
});

test('a reload puts another model in its place at once', async () => {
  const modelName = stack.uniqueName('replaced');
  await pushDetector(modelName);
  const engine = await createTritonEngine({
    address: stack.triton.grpc,
    modelDirectory: MODEL_DIRECTORY,
    transport: 'fp32',
    modelName,
    deadlineMs: DEADLINE_MS,
  });
  const input = await generatedInput(2, true);
  expect(await engine.infer([input])).toHaveLength(1);
  await admin.loadModel(modelName, faultyModel('nan'));
  await expect(engine.infer([input])).rejects.toMatchObject({ reason: 'bad-output' });
  await pushDetector(modelName);
  expect(await engine.infer([input])).toHaveLength(1);
  await admin.unloadModel(modelName);
  await engine.close();
});

test('statistics count images and batches of each model', async () => {
  const engine = await createTritonEngine({
    address: stack.triton.grpc,
    modelDirectory: MODEL_DIRECTORY,
    deadlineMs: DEADLINE_MS,
  });
  const counts = async () => {
    const [ensemble] = await admin.modelStatistics('ensemble_model');
    const [detector] = await admin.modelStatistics('pcb_defect_detector');
    return { ensemble: ensemble?.inferenceCount ?? 0, detector: detector?.inferenceCount ?? 0 };
  };
  const before = await counts();
  await engine.infer(Array(4).fill(await generatedInput(2, true)));
  // The statistics of a request are written after its answer.
  await expect.poll(counts).toEqual({ ensemble: before.ensemble + 4, detector: before.detector + 4 });
  const [{ inferenceStats, batchStats, lastInference } = {}] = await admin.modelStatistics('pcb_defect_detector');
  expect(inferenceStats?.success?.count).toBeGreaterThan(0);
  expect(inferenceStats?.computeInfer?.ns).toBeGreaterThan(0);
  expect(batchStats?.map(({ batchSize }) => batchSize)).toContain(4);
  expect(lastInference).toBeGreaterThan(0);
  await engine.close();
});
