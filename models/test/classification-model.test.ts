import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { DEFECT_LABELS, generateBoard } from '../src/boards/index.ts';
import { CROP_SIDE_PX, CROPS_NAME, cutCrops, PROBABILITIES_NAME } from '../src/engines/second-opinion.ts';
import { CHANNELS, fillImage, TENSOR_LENGTH } from '../src/images/board-tensor.ts';

const directory = fileURLToPath(new URL('../repository/classification_model', import.meta.url));

test('the second opinion names most marks of generated boards and sees nothing where nothing is', async () => {
  const labels = (await readFile(`${directory}/labels.txt`, 'utf8')).trim().split('\n');
  expect(labels).toEqual([...DEFECT_LABELS, 'background']);
  const session = await InferenceSession.create(`${directory}/1/model.onnx`, { intraOpNumThreads: 1 });
  const image = new Float32Array(TENSOR_LENGTH);
  const opinion = async (x1: number, y1: number, x2: number, y2: number) => {
    const crop = cutCrops(image, Float32Array.of(x1, y1, x2, y2, 1, 0), [0]);
    const shape = [1, CHANNELS, CROP_SIDE_PX, CROP_SIDE_PX];
    const answer = (await session.run({ [CROPS_NAME]: new Tensor('float32', crop, shape) }))[PROBABILITIES_NAME];
    expect(answer?.dims).toEqual([1, labels.length]);
    const probabilities = Array.from((answer?.data ?? []) as Float32Array);
    expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 4);
    return labels[probabilities.indexOf(Math.max(...probabilities))];
  };
  let marks = 0;
  let right = 0;
  for (let seed = 1; seed <= 40; seed += 1) {
    const made = generateBoard({ seed, partSeed: 70_000 + seed, defective: true });
    fillImage(image, made.image, made.golden);
    for (const { x, y, width, height, label } of made.defects) {
      marks += 1;
      if ((await opinion(x, y, x + width, y + height)) === label) right += 1;
    }
    fillImage(image, made.golden, made.golden);
    expect(await opinion(310, 310, 330, 330)).toBe('background');
  }
  expect(marks).toBeGreaterThan(40);
  expect(right / marks).toBeGreaterThan(0.9);
  await session.release();
});
