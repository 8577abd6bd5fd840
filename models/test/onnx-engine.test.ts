import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Detection, IMAGE_PIXELS } from '@chip-quality/schemas';
import { describe, expect, test } from 'vitest';
import { generateBoard } from '../src/boards/index.ts';
import { createOnnxEngine, type OnnxEngineOptions } from '../src/index.ts';
import { MODEL_DIRECTORY } from './support/model-directory.ts';

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

describe('second opinions', () => {
  const made = generateBoard({ seed: 4, partSeed: 9004, defective: true });
  const input = { board: made.image, golden: made.golden };

  async function found(options: OnnxEngineOptions): Promise<Detection[]> {
    const engine = await createOnnxEngine(options);
    try {
      return (await engine.infer([input])).flat();
    } finally {
      await engine.close();
    }
  }

  test('are left out when they are switched off, or where the repository has no classifier; the rest is the same', async () => {
    const alone = await mkdtemp(join(tmpdir(), 'repository-'));
    try {
      await cp(MODEL_DIRECTORY, join(alone, 'pcb_defect_detector'), { recursive: true });
      const withOpinions = await found({ modelDirectory: MODEL_DIRECTORY });
      const without = withOpinions.map(({ secondOpinion, ...rest }) => {
        expect(secondOpinion).toBeDefined();
        return rest;
      });
      expect(without.length).toBeGreaterThan(0);
      expect(await found({ modelDirectory: MODEL_DIRECTORY, secondOpinions: false })).toEqual(without);
      expect(await found({ modelDirectory: join(alone, 'pcb_defect_detector') })).toEqual(without);
    } finally {
      await rm(alone, { recursive: true });
    }
  });

  test('a classifier that is no model is told when the engine is made', async () => {
    const repository = await mkdtemp(join(tmpdir(), 'repository-'));
    try {
      await cp(MODEL_DIRECTORY, join(repository, 'pcb_defect_detector'), { recursive: true });
      await mkdir(join(repository, 'classification_model', '1'), { recursive: true });
      await writeFile(join(repository, 'classification_model', '1', 'model.onnx'), 'no model');
      const opening = createOnnxEngine({ modelDirectory: join(repository, 'pcb_defect_detector') });
      await expect(opening).rejects.toMatchObject({
        reason: 'unavailable',
        message: expect.stringContaining('classification_model'),
      });
    } finally {
      await rm(repository, { recursive: true });
    }
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
