import { join } from 'node:path';
import { alignGolden, createOnnxEngine, decodeImage, fillImage, TENSOR_LENGTH } from '@chip-quality/models';
import { type DetectorInput, IMAGE_SIDE_PX } from '@chip-quality/schemas';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Rounds over all boards; each step's cheapest counts, since what else the machine does only ever adds to it. */
const ROUNDS = 12;
const CHANNELS = 3;

interface Board {
  readonly file: Uint8Array;
  readonly pixels: Uint8Array;
  readonly golden: Uint8Array;
}

interface Step {
  readonly name: string;
  readonly run: (board: Board) => unknown;
  bestMs: number;
}

/**
 * What a board costs, step by step: processor time of this process a board on one core, in the best of {@link ROUNDS}
 * rounds, all steps taking turns. The peer in the same run is the same network in floats. Resolves to what decoding one
 * file costs, CPU-ms.
 */
export async function printSteps(modelDirectory: string, files: readonly DetectorInput[]): Promise<number> {
  const boards: Board[] = [];
  for (const { board, golden = board } of files) {
    boards.push({ file: board, pixels: await decodeImage(board), golden: await decodeImage(golden) });
  }
  const int8 = await openNetwork(join(modelDirectory, '1', 'model.onnx'));
  const fp32 = await openNetwork(join(modelDirectory, '1', 'model_fp32.onnx'));
  const detector = await createOnnxEngine({ modelDirectory, secondOpinions: false });
  const both = await createOnnxEngine({ modelDirectory });
  const target = new Float32Array(TENSOR_LENGTH);
  const step = (name: string, run: Step['run']): Step => ({ name, run, bestMs: Number.POSITIVE_INFINITY });
  const decode = step('decode one JPEG', ({ file }) => decodeImage(file));
  const align = step('align the golden image', ({ pixels, golden }) => alignGolden(pixels, golden));
  const alignAndFill = step('align and fill', ({ pixels, golden }) => fillImage(target, pixels, golden));
  const network = step('network', () => int8(target));
  const peer = step('network in floats', () => fp32(target));
  const call = step('call', ({ pixels, golden }) => detector.infer([{ board: pixels, golden }]));
  const callForBoth = step('call for both', ({ pixels, golden }) => both.infer([{ board: pixels, golden }]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const each of [decode, align, alignAndFill, network, peer, call, callForBoth]) await measure(each, boards);
  }
  await Promise.all([detector.close(), both.close()]);

  console.log(`\nCPU-ms a board on one core, best of ${ROUNDS} rounds of ${boards.length} boards:`);
  const show = (name: string, ms: number, note: string) => {
    console.log(`  ${name.padEnd(24)} ${ms.toFixed(2).padStart(6)}  ${note}`);
  };
  show(decode.name, decode.bestMs, 'the board; a golden image is decoded once for many boards');
  show(align.name, align.bestMs, '');
  show('fill the tensor', alignAndFill.bestMs - align.bestMs, '');
  show(network.name, network.bestMs, 'session.run alone, 8 bits');
  const parts = alignAndFill.bestMs + network.bestMs;
  show('hand over', call.bestMs - parts, 'to the thread and back, reading the detections');
  show('second opinions', callForBoth.bestMs - call.bestMs, 'one for each detection; half of these boards have some');
  show('total', callForBoth.bestMs, 'engine.infer with all of that; decoded before');
  show('peer: network', peer.bestMs, 'the same in floats, model_fp32.onnx');
  return decode.bestMs;
}

async function measure(step: Step, boards: readonly Board[]): Promise<void> {
  const before = process.cpuUsage();
  for (const board of boards) await step.run(board);
  const { user, system } = process.cpuUsage(before);
  step.bestMs = Math.min(step.bestMs, (user + system) / 1000 / boards.length);
}

async function openNetwork(path: string): Promise<(tensor: Float32Array) => Promise<unknown>> {
  const session = await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const [name = ''] = session.inputNames;
  const shape = [1, CHANNELS, IMAGE_SIDE_PX, IMAGE_SIDE_PX];
  return (tensor) => session.run({ [name]: new Tensor('float32', tensor, shape) });
}
