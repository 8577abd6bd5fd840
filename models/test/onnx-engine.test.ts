import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeJpeg, generateBoard } from '../src/boards/index.ts';
import {
  createOnnxEngine,
  type DetectorInput,
  decodeImage,
  evaluateBoards,
  IMAGE_PIXELS,
  type InferenceEngine,
  InferenceError,
  type KnownBoard,
  truthOf,
} from '../src/index.ts';
import { MODEL_DIRECTORY } from './support/model-directory.ts';

let engine: InferenceEngine;
beforeAll(async () => {
  engine = await createOnnxEngine({ modelDirectory: MODEL_DIRECTORY });
});
afterAll(() => engine.close());

async function known(seed: number, defective: boolean): Promise<KnownBoard> {
  const made = generateBoard({ seed, partSeed: 9000 + (seed % 12), defective });
  return {
    board: await decodeImage(await encodeJpeg(made.image)),
    golden: await decodeImage(await encodeJpeg(made.golden)),
    truth: truthOf(made.defects),
  };
}

describe('the in-process engine', () => {
  test('says which model it is and that it is ready', async () => {
    expect(engine.modelName).toBe('pcb_defect_detector');
    expect(engine.modelVersion).not.toBe('');
    expect(engine.maxBatchSize).toBe(32);
    expect(await engine.ready()).toBe(true);
  });

  test('finds the defects of generated boards and leaves clean ones alone', async () => {
    const boards: KnownBoard[] = [];
    for (let seed = 0; seed < 64; seed += 1) boards.push(await known(seed, seed % 2 === 0));
    const evaluation = await evaluateBoards(engine, boards);
    console.log('generated boards:', evaluation);
    expect(evaluation.precision).toBeGreaterThanOrEqual(0.95);
    expect(evaluation.recall).toBeGreaterThanOrEqual(0.95);
  });

  test('answers a batch of eight as eight batches of one', async () => {
    const batch: DetectorInput[] = [];
    for (let seed = 0; seed < 8; seed += 1) batch.push(await known(seed, true));
    // One board of a part without a template must not be disturbed by its neighbours.
    batch[3] = { board: (batch[3] as DetectorInput).board, golden: undefined };
    const together = await engine.infer(batch, { confidenceThreshold: 0.05 });
    for (const [i, input] of batch.entries()) {
      const [alone] = await engine.infer([input], { confidenceThreshold: 0.05 });
      expect(alone?.length).toBe(together[i]?.length);
      alone?.forEach((detection, j) => {
        const other = together[i]?.[j];
        expect(other?.label).toBe(detection.label);
        for (const key of ['x1', 'y1', 'x2', 'y2', 'confidence'] as const) {
          expect(Math.abs((other?.[key] ?? Number.NaN) - detection[key])).toBeLessThan(1e-4);
        }
      });
    }
  });

  test('sorts by confidence and keeps to the threshold it is given', async () => {
    const input = await known(2, true);
    const [found = []] = await engine.infer([input], { confidenceThreshold: 0.01, allCandidates: true });
    expect(found.length).toBeGreaterThan(1);
    const confidences = found.map(({ confidence }) => confidence);
    expect(confidences).toEqual([...confidences].sort((a, b) => b - a));
    const [sure = []] = await engine.infer([input], { confidenceThreshold: 0.99999 });
    expect(sure).toEqual([]);
  });

  test('leaves the caller’s arrays as they were', async () => {
    const input = await known(4, true);
    const copy = { board: input.board.slice(), golden: input.golden?.slice() };
    await engine.infer([input]);
    expect(input.board.length).toBe(IMAGE_PIXELS);
    expect(Buffer.compare(input.board, copy.board)).toBe(0);
    expect(Buffer.compare(input.golden ?? new Uint8Array(), copy.golden ?? new Uint8Array())).toBe(0);
  });

  test('answers many calls at once, each with its own boards', async () => {
    const inputs = await Promise.all([0, 1, 2, 3, 4, 5].map((seed) => known(seed, seed % 2 === 0)));
    const answers = await Promise.all(inputs.map((input) => engine.infer([input])));
    answers.forEach(([found = []], i) => {
      expect(found.length > 0, `board ${i}`).toBe(i % 2 === 0);
    });
  });

  test('refuses images of a wrong length and batches over the model’s limit', async () => {
    const bad = engine.infer([{ board: new Uint8Array(10), golden: undefined }]);
    await expect(bad).rejects.toMatchObject({ name: 'InferenceError', reason: 'bad-input', retriable: false });
    const input = { board: new Uint8Array(IMAGE_PIXELS), golden: undefined };
    await expect(engine.infer(Array(33).fill(input))).rejects.toMatchObject({ reason: 'bad-input' });
    expect(await engine.infer([])).toEqual([]);
  });

  test('ends the wait when the signal fires, and serves the next call', async () => {
    const input = await known(1, true);
    const controller = new AbortController();
    const waiting = engine.infer([input], { signal: controller.signal });
    controller.abort(new Error('shutting down'));
    await expect(waiting).rejects.toThrow('shutting down');
    await expect(engine.infer([input], { signal: controller.signal })).rejects.toThrow('shutting down');
    expect(await engine.infer([input])).toHaveLength(1);
  });

  test('fails the waiting calls when it is closed, and later ones', async () => {
    const other = await createOnnxEngine({ modelDirectory: MODEL_DIRECTORY });
    const waiting = other.infer([await known(1, true)]);
    // Handled before close, or the rejection would count as unhandled.
    const outcome = waiting.catch((error: unknown) => error);
    await other.close();
    expect(await outcome).toBeInstanceOf(InferenceError);
    expect(await other.ready()).toBe(false);
    await expect(other.infer([await known(1, true)])).rejects.toMatchObject({ reason: 'unavailable' });
    await other.close();
  });
});

describe('a thread that dies', () => {
  test('fails the calls that wait, is replaced, and after four deaths no more', async () => {
    const workerUrl = new URL('./support/dying-worker.ts', import.meta.url);
    const mortal = await createOnnxEngine({ modelDirectory: MODEL_DIRECTORY, workerUrl });
    const input = { board: new Uint8Array(IMAGE_PIXELS), golden: undefined };
    for (let death = 1; death <= 4; death += 1) {
      const both = await Promise.allSettled([mortal.infer([input]), mortal.infer([input])]);
      for (const outcome of both) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { reason: 'unavailable', retriable: true } });
      }
      expect(await mortal.ready()).toBe(false);
    }
    await expect(mortal.infer([input])).rejects.toThrow(/died 4 times/);
    await mortal.close();
  });

  test('is replaced for as long as it works in between', async () => {
    const workerUrl = new URL('./support/tired-worker.ts', import.meta.url);
    const tired = await createOnnxEngine({ modelDirectory: MODEL_DIRECTORY, workerUrl });
    const input = { board: new Uint8Array(IMAGE_PIXELS), golden: undefined };
    for (let life = 1; life <= 6; life += 1) {
      expect(await tired.infer([input])).toEqual([[]]);
      await expect(tired.infer([input])).rejects.toMatchObject({ reason: 'unavailable' });
    }
    await tired.close();
  });

  test('reports an answer of a wrong shape instead of a verdict', async () => {
    const workerUrl = new URL('./support/lying-worker.ts', import.meta.url);
    const liar = await createOnnxEngine({ modelDirectory: MODEL_DIRECTORY, workerUrl });
    const input = { board: new Uint8Array(IMAGE_PIXELS), golden: undefined };
    await expect(liar.infer([input])).rejects.toMatchObject({ reason: 'bad-output', retriable: false });
    await expect(liar.infer([input, input])).rejects.toMatchObject({ reason: 'bad-output' });
    await liar.close();
  });
});

describe('loading a model', () => {
  test('says which file is missing or is no model', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'model-'));
    try {
      await expect(createOnnxEngine({ modelDirectory: directory })).rejects.toThrow(/classes\.json/);
      await mkdir(join(directory, '1'));
      const description = {
        modelVersion: '1',
        verdictThreshold: 0.5,
        classes: [{ label: 'open', defectType: 'open', severity: 'high' }],
      };
      await writeFile(join(directory, '1', 'classes.json'), JSON.stringify(description));
      await writeFile(join(directory, '1', 'model.onnx'), 'no model');
      await expect(createOnnxEngine({ modelDirectory: directory })).rejects.toMatchObject({
        reason: 'unavailable',
        message: expect.stringContaining('model.onnx'),
      });
      await writeFile(join(directory, '1', 'classes.json'), JSON.stringify({ ...description, classes: [] }));
      await expect(createOnnxEngine({ modelDirectory: directory })).rejects.toMatchObject({
        reason: 'bad-output',
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
