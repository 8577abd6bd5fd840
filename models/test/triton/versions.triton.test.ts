import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { LOCAL_FOLDER, type Stack, startStack } from '@chip-quality/dev';
import type { Detection } from '@chip-quality/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createOnnxEngine,
  type InferenceEngine,
  TRITON_TRANSPORTS,
  TritonAdmin,
  TritonModelSource,
  type TritonTransport,
} from '../../src/index.ts';
import { expectSame, generatedInput } from '../contract/inference-engine.ts';
import { VersionedRepository } from '../support/versioned-repository.ts';

/** A server of our own, since versions come and go in its repository. */
const root = join(LOCAL_FOLDER, 'test', `triton-versions-${randomBytes(4).toString('hex')}`);
const START_TIMEOUT_MS = 600_000;
const PATIENCE_MS = 60_000;
const PAIR = 'pcb_defect_detector';
const SINGLE = 'pcb_defect_detector_single';
/** Also what says little: two networks differ there most. */
const ALL = { confidenceThreshold: 0.05, allCandidates: true };

const repository = new VersionedRepository();
let stack: Stack;
let admin: TritonAdmin;
const sources: TritonModelSource[] = [];
const engines: InferenceEngine[] = [];
let input: Awaited<ReturnType<typeof generatedInput>>;

beforeAll(async () => {
  repository.addVersion('2');
  stack = await startStack({ root, services: ['triton'], modelRepository: repository.directory });
  admin = new TritonAdmin(address());
  input = await generatedInput(2, true);
}, START_TIMEOUT_MS);
afterAll(async () => {
  for (const engine of engines) await engine.close();
  for (const source of sources) source.close();
  admin?.close();
  await stack?.stop();
  rmSync(root, { recursive: true, force: true });
  repository.remove();
});

const address = () => stack.triton?.grpc ?? '';

function source(transport: TritonTransport, model = PAIR): TritonModelSource {
  const made = new TritonModelSource({
    address: address(),
    modelDirectory: repository.modelDirectory(model),
    transport,
    deadlineMs: PATIENCE_MS,
  });
  sources.push(made);
  return made;
}

async function open(transport: TritonTransport, version: string, model = PAIR): Promise<InferenceEngine> {
  const engine = await source(transport, model).open(version);
  engines.push(engine);
  return engine;
}

/** What the version says in this process. */
async function wanted(version: string, model = PAIR): Promise<Detection[]> {
  const engine = await createOnnxEngine({ modelDirectory: repository.modelDirectory(model), version });
  const golden = model === SINGLE ? undefined : input.golden;
  const [found = []] = await engine.infer([{ board: input.board, golden }], ALL);
  await engine.close();
  return found;
}

function taken(transport: TritonTransport) {
  return transport === 'jpeg' ? input.files : input;
}

describe.each(TRITON_TRANSPORTS)('versions over %s', (transport) => {
  test('the version that was asked for is the one that answers, whichever is newest', async () => {
    const [one, two] = [await wanted('1'), await wanted('2')];
    expect(two[0]?.confidence).not.toBeCloseTo(one[0]?.confidence ?? 0, 3);
    const [first, second] = [await open(transport, '1'), await open(transport, '2')];
    expect([first.modelVersion, second.modelVersion]).toEqual(['1', '2']);
    for (let i = 0; i < 3; i += 1) {
      const [[ofFirst = []], [ofSecond = []]] = await Promise.all([
        first.infer([taken(transport)], ALL),
        second.infer([taken(transport)], ALL),
      ]);
      expectSame(ofFirst, one);
      expectSame(ofSecond, two);
    }
  });

  test('boards without golden image are judged by the network that was trained for them', async () => {
    const engine = await open(transport, '1', SINGLE);
    expect(engine.modelName).toBe(SINGLE);
    const { board } = taken(transport);
    const [found = []] = await engine.infer([{ board, golden: undefined }], ALL);
    expectSame(found, await wanted('1', SINGLE));
  });
});

test('the committed ensembles ask the newest version; the one for boards alone is sent nothing else', async () => {
  const { ensembleScheduling } = await admin.modelConfig('ensemble_model');
  expect(ensembleScheduling?.step[1]).toMatchObject({ modelName: PAIR, modelVersion: -1 });
  const { inputs } = await admin.modelMetadata('ensemble_model_single.1', '1');
  expect(inputs.map(({ name }) => name)).toEqual(['board']);
  const single = await open('uint8', '1', SINGLE);
  const [[withGolden = []], [without = []]] = await Promise.all([
    single.infer([input], ALL),
    single.infer([{ board: input.board, golden: undefined }], ALL),
  ]);
  expectSame(withGolden, without);
  const pinned = await admin.modelConfig('ensemble_model.2', '2');
  expect(pinned.ensembleScheduling?.step[1]).toMatchObject({ modelName: PAIR, modelVersion: 2 });
});

test('a version that is copied in is loaded, and its folder taken away, without a failed request of the others', async () => {
  const traffic = await Promise.all([
    open('uint8', '1'),
    open('jpeg', '2'),
    open('fp32', '1'),
    open('uint8', '1', SINGLE),
  ]);
  const answers = await Promise.all(
    traffic.map((engine, i) => engine.infer([taken(i === 1 ? 'jpeg' : 'uint8')], ALL).then(([found = []]) => found)),
  );
  let isOver = false;
  let answered = 0;
  const running = traffic.map(async (engine, i) => {
    while (!isOver) {
      const [found = []] = await engine.infer([taken(i === 1 ? 'jpeg' : 'uint8')], ALL);
      expectSame(found, answers[i] ?? []);
      answered += 1;
    }
  });
  await expect(source('uint8').open('3')).rejects.toMatchObject({ reason: 'model-not-loaded' });
  repository.addVersion('3');
  const third = await open('uint8', '3');
  const [found = []] = await third.infer([taken('uint8')], ALL);
  expectSame(found, await wanted('2'));
  // Another worker that comes to the same version loads it once more.
  await Promise.all([source('jpeg').open('3'), source('uint8').open('3')]).then((more) => engines.push(...more));

  rmSync(join(repository.modelDirectory(PAIR), '3'), { recursive: true });
  await admin.loadModel(PAIR);
  await expect.poll(() => third.ready(), { timeout: PATIENCE_MS }).toBe(false);
  const before = answered;
  await expect.poll(() => answered, { timeout: PATIENCE_MS }).toBeGreaterThan(before + 2 * traffic.length);
  isOver = true;
  // A failed request would reject here.
  await Promise.all(running);
  await expect(third.infer([taken('uint8')])).rejects.toMatchObject({ reason: 'model-not-loaded' });
});

test('without a classifier the server judges boards as ever, and nobody was asked about their defects', async () => {
  const engine = await open('uint8', '1');
  const [asked = []] = await engine.infer([input]);
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.every(({ secondOpinion }) => secondOpinion !== undefined)).toBe(true);
  await admin.unloadModel('classification_model');
  await expect.poll(() => admin.modelReady('classification_model'), { timeout: PATIENCE_MS }).toBe(false);
  try {
    const [bare = []] = await engine.infer([input]);
    expect(bare).toEqual(asked.map(({ secondOpinion: _, ...detection }) => detection));
  } finally {
    await admin.loadModel('classification_model');
  }
  const [again = []] = await engine.infer([input]);
  expectSame(again, asked);
});

test('a detector that somebody unloaded is loaded again by the first call, which is one to repeat', async () => {
  const engine = await open('uint8', '1');
  const before = await engine.infer([taken('uint8')], ALL);
  await admin.unloadModel(PAIR);
  await expect.poll(() => engine.ready(), { timeout: PATIENCE_MS }).toBe(false);
  await expect(engine.infer([taken('uint8')])).rejects.toMatchObject({ reason: 'unavailable', retriable: true });
  const after = await engine.infer([taken('uint8')], ALL);
  expectSame(after[0] ?? [], before[0] ?? []);
});

test('the ensemble says which image it refused, and why', async () => {
  const engine = await open('jpeg', '1');
  const { board, golden } = input.files;
  const damaged = board.subarray(0, board.length / 2);
  const refused = (image: string, reason: string) => ({ reason: 'bad-input', refusedImage: { image, reason } });
  await expect(engine.infer([input.files, { board: damaged, golden }])).rejects.toMatchObject(
    refused('board', 'corrupt'),
  );
  await expect(engine.infer([{ board, golden: Buffer.from('none') }])).rejects.toMatchObject(
    refused('golden', 'not-an-image'),
  );
  expect(await engine.infer([input.files])).toHaveLength(1);
});
