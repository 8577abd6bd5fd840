import type { Detection, DetectorInput, DetectorVersion } from '@chip-quality/schemas';
import { expect, test } from 'vitest';
import { chooseByGolden, type InferenceEngine, type InferOptions, type OwnedDetector } from '../src/index.ts';

class NamedEngine implements InferenceEngine, OwnedDetector {
  readonly modelName: string;
  readonly modelVersion = '7';
  readonly maxBatchSize: number;
  readonly verdictThreshold: number;
  readonly calls: { readonly boards: number[]; readonly options: InferOptions | undefined }[] = [];
  isReady = true;
  isClosed = false;

  constructor(modelName: string, maxBatchSize: number, verdictThreshold: number) {
    this.modelName = modelName;
    this.maxBatchSize = maxBatchSize;
    this.verdictThreshold = verdictThreshold;
  }

  route(_inspectionId: string, _input: DetectorInput): DetectorVersion {
    return this;
  }

  async infer(batch: readonly DetectorInput[], options?: InferOptions): Promise<Detection[][]> {
    this.calls.push({ boards: batch.map(({ board }) => board[0] as number), options });
    return batch.map(({ board }) => [
      {
        x1: board[0] as number,
        y1: 0,
        x2: 640,
        y2: 640,
        confidence: 0.9,
        label: this.modelName,
        defectType: 'open',
        severity: 'low',
      },
    ]);
  }

  async ready(): Promise<boolean> {
    return this.isReady;
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

const golden = Uint8Array.of(0);
const board = (index: number, isGolden: boolean): DetectorInput => ({
  board: Uint8Array.of(index),
  golden: isGolden ? golden : undefined,
});

function setUp() {
  const pair = new NamedEngine('pair', 32, 0.4);
  const single = new NamedEngine('single', 16, 0.6);
  return { pair, single, both: chooseByGolden(pair, single) };
}

test('boards go to the model that was trained for them', async () => {
  const { pair, single, both } = setUp();
  for (const [index, isGolden] of [true, false, false, true].entries()) {
    const input = board(index, isGolden);
    const [found = []] = await both.route('i', input).infer([input], { confidenceThreshold: 0.2 });
    expect(found.map(({ x1, label }) => [x1, label])).toEqual([[index, isGolden ? 'pair' : 'single']]);
  }
  const options = { confidenceThreshold: 0.2 };
  expect(pair.calls).toEqual([
    { boards: [0], options },
    { boards: [3], options },
  ]);
  expect(single.calls).toEqual([
    { boards: [1], options },
    { boards: [2], options },
  ]);
});

test('it is called as the pair model; the route says who answers, with whose threshold', () => {
  const { both } = setUp();
  expect(both.modelName).toBe('pair');
  expect(both.route('i', board(0, true))).toMatchObject({ modelName: 'pair', verdictThreshold: 0.4 });
  expect(both.route('i', board(0, false))).toMatchObject({ modelName: 'single', verdictThreshold: 0.6 });
  const routed = chooseByGolden(
    Object.assign(new NamedEngine('pair', 32, 0.4), {
      route: (id: string) => new NamedEngine(`pair for ${id}`, 32, 0.5),
    }),
    new NamedEngine('single', 32, 0.6),
  );
  expect(routed.route('i-1', board(0, true)).modelName).toBe('pair for i-1');
});

test('it is ready and away with either model, and closes both', async () => {
  const { pair, single, both } = setUp();
  expect(await both.ready()).toBe(true);
  single.isReady = false;
  expect(await both.ready()).toBe(false);
  let open = () => {};
  const away = Object.assign(new NamedEngine('single', 32, 0.6), {
    whenAvailable: () => new Promise<void>((resolve) => (open = resolve)),
  });
  let available = false;
  const waiting = chooseByGolden(pair, away)
    .whenAvailable?.(new AbortController().signal)
    .then(() => (available = true));
  await Promise.resolve();
  expect(available).toBe(false);
  open();
  await waiting;
  await both.close();
  expect([pair.isClosed, single.isClosed]).toEqual([true, true]);
});
