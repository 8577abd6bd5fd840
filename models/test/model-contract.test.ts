import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGE_PIXELS } from '@chip-quality/schemas';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { generateBoard } from '../src/boards/index.ts';
import { readModelDescription } from '../src/index.ts';
import { MODEL_DIRECTORY } from './support/model-directory.ts';

function tensorOf(seeds: readonly number[]): Tensor {
  const data = new Float32Array(seeds.length * 3 * IMAGE_PIXELS);
  seeds.forEach((seed, i) => {
    const { image, golden } = generateBoard({ seed, partSeed: seed, defective: true });
    const at = i * 3 * IMAGE_PIXELS;
    for (let p = 0; p < IMAGE_PIXELS; p += 1) {
      const [board, template] = [(image[p] ?? 0) / 255, (golden[p] ?? 0) / 255];
      data[at + p] = board;
      data[at + IMAGE_PIXELS + p] = template;
      data[at + 2 * IMAGE_PIXELS + p] = Math.abs(board - template);
    }
  });
  return new Tensor('float32', data, [seeds.length, 3, 640, 640]);
}

test('the committed graph keeps the tensor contract, and images of a batch do not touch each other', async () => {
  const session = await InferenceSession.create(join(MODEL_DIRECTORY, '1', 'model.onnx'), {
    intraOpNumThreads: 1,
  });
  expect(session.inputNames).toEqual(['input_images']);
  expect(session.outputNames).toEqual(['detections']);
  const batch = (await session.run({ input_images: tensorOf([1, 2, 3]) }))['detections'];
  expect(batch?.dims).toEqual([3, 100, 6]);
  const together = batch?.data as Float32Array;
  for (const [i, seed] of [1, 2, 3].entries()) {
    const alone = (await session.run({ input_images: tensorOf([seed]) }))['detections'];
    const rows = alone?.data as Float32Array;
    // Only rows that say something: far down, equal confidences may change places.
    for (let n = 0; n < 600 && (rows[n - (n % 6) + 4] ?? 0) > 0.01; n += 1) {
      expect(Math.abs((rows[n] ?? 0) - (together[i * 600 + n] ?? 0))).toBeLessThan(1e-3);
    }
  }
  await session.release();
});

test('config, labels and classes say the same', async () => {
  const config = await readFile(join(MODEL_DIRECTORY, 'config.pbtxt'), 'utf8');
  expect(config).toContain('name: "pcb_defect_detector"');
  expect(config).toContain('platform: "onnxruntime_onnx"');
  expect(config).toMatch(/max_batch_size: 32/);
  expect(config).toMatch(/preferred_batch_size: \[ 4, 8, 16 \]/);
  expect(config).toMatch(/max_queue_delay_microseconds: 2000/);
  expect(config).not.toContain('instance_group');
  const labels = (await readFile(join(MODEL_DIRECTORY, 'labels.txt'), 'utf8')).trim().split('\n');
  const { classes, modelVersion } = await readModelDescription(MODEL_DIRECTORY, '1');
  expect(classes.map(({ label }) => label)).toEqual(labels);
  expect(new Set(classes.map(({ defectType }) => defectType)).size).toBe(6);
  expect(modelVersion).toBe('1');
});

test('the committed model is small enough for the repository', async () => {
  const bytes = await readFile(join(MODEL_DIRECTORY, '1', 'model.onnx'));
  expect(bytes.length).toBeLessThan(5 * 1024 * 1024);
});
