import { useTestStack } from '@chip-quality/dev/testing';
import { expect, test } from 'vitest';
import { batchTensors } from '../../src/engines/triton/batch-tensors.ts';
import { TritonConnection } from '../../src/engines/triton/connection.ts';
import { encodeWithContents } from '../../src/engines/triton/encode-request.ts';
import { createTritonEngine } from '../../src/index.ts';
import { generatedInput } from '../contract/inference-engine.ts';
import { MODEL_DIRECTORY } from '../support/model-directory.ts';

const stack = useTestStack(['triton']);
const BOARDS = 12;
const SURE = 0.5;
const DETECTION_COLUMNS = 6;
const OPINION_COLUMNS = 2;
const BACKGROUND = 6;

test.each(['fp32', 'uint8'] as const)('they can be left out (%s); the detections are the same', async (transport) => {
  const open = (secondOpinions: boolean) =>
    createTritonEngine({
      ...{ address: stack.triton.grpc, modelDirectory: MODEL_DIRECTORY, deadlineMs: 60_000 },
      ...{ transport, secondOpinions },
    });
  const engines = [await open(true), await open(false)];
  const input = await generatedInput(4, true);
  const [asked = [], bare = []] = await Promise.all(
    engines.map(async (engine) => (await engine.infer([input])).flat()),
  );
  for (const engine of engines) await engine.close();
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.every(({ secondOpinion }) => secondOpinion !== undefined)).toBe(true);
  expect(bare).toEqual(asked.map(({ secondOpinion: _, ...rest }) => rest));
});

test('the ensemble gives each likely detection a second opinion, which mostly is the first', async () => {
  const files: Uint8Array[] = [];
  for (let seed = 0; seed < BOARDS; seed += 1) {
    const { board, golden } = (await generatedInput(2 * seed, true)).files;
    files.push(board, golden ?? new Uint8Array());
  }
  const tensors = batchTensors(
    'jpeg',
    Buffer.concat(files),
    files.map(({ length }) => length),
  );
  const connection = new TritonConnection(stack.triton.grpc);
  const request = encodeWithContents({ modelName: 'ensemble_model' }, tensors);
  const { outputs, rawOutputContents } = await connection.infer(request, { deadlineMs: 60_000 });
  connection.close();
  const floats = (name: string) => {
    const raw = rawOutputContents[outputs.findIndex((output) => output.name === name)] ?? Buffer.alloc(0);
    return new Float32Array(new Uint8Array(raw).buffer);
  };
  const detections = floats('detections');
  const opinions = floats('second_opinions');
  const rows = detections.length / DETECTION_COLUMNS;
  expect(opinions).toHaveLength(rows * OPINION_COLUMNS);
  let sure = 0;
  let same = 0;
  for (let row = 0; row < rows; row += 1) {
    const [confidence = 0, classId = -1] = detections.subarray(
      row * DETECTION_COLUMNS + 4,
      (row + 1) * DETECTION_COLUMNS,
    );
    const [opinion = -2, probability = -1] = opinions.subarray(row * OPINION_COLUMNS);
    if (confidence >= 0.1) {
      expect(opinion).toBeGreaterThanOrEqual(0);
      expect(opinion).toBeLessThanOrEqual(BACKGROUND);
      expect(probability).toBeGreaterThan(1 / 7);
    } else expect([opinion, probability]).toEqual([-1, 0]);
    if (confidence < SURE) continue;
    sure += 1;
    same += opinion === classId ? 1 : 0;
  }
  expect(sure).toBeGreaterThanOrEqual(BOARDS);
  console.log(`${same} of ${sure} second opinions are the detector's`);
  expect(same / sure).toBeGreaterThan(0.8);
});
