import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startStack } from '@chip-quality/dev';
import {
  createOnnxEngine,
  createTritonEngine,
  decodeImage,
  type InferenceEngine,
  type TritonEngineOptions,
} from '@chip-quality/models';
import { encodeJpeg, generateBoard } from '@chip-quality/models/boards';
import type { DetectorInput } from '@chip-quality/schemas';
import { printSteps } from './inference-steps.ts';
import { cpuSeconds } from './process-usage.ts';

/**
 * What a board costs step by step in this process (`--steps`: only that); then the detector in this process against a
 * real Triton on the same machine, over every transport: images a second of processor time, this process and the server
 * apart, and the 95th percentile of a batch's time with one batch under way. The same boards, the same ONNX; the
 * detections are compared.
 */
const { values: options } = parseArgs({
  options: {
    /** Images for each line of the table. */
    images: { type: 'string', default: '96' },
    sizes: { type: 'string', default: '1,4,8,16' },
    steps: { type: 'boolean', default: false },
  },
});
const IMAGES = Number(options.images);
const SIZES = options.sizes.split(',').map(Number);
/** Not measured: code is compiled, memory is taken, the connection opens its window. */
const WARM_UP_IMAGES = 32;
/** The ceiling for the event loop while batches are sent. */
const LOOP_DELAY_CEILING_MS = 50;
const TOLERANCE = 1e-4;
const BOARDS = 16;
/** Not what is measured; a busy machine must not end the run. */
const DEADLINE_MS = 120_000;
const LOW_CONFIDENCE = 0.05;

const root = fileURLToPath(new URL('../..', import.meta.url));
const modelDirectory = join(root, 'models', 'repository', 'pcb_defect_detector');
const stackRoot = join(root, '.local', 'bench', 'inference');

interface Line {
  readonly engine: string;
  readonly transport: string;
  readonly size: number;
  readonly clientCpuMs: number;
  readonly serverCpuMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly loopP99Ms: number;
}

/** A process and all its descendants: Triton runs each Python model in a process of its own. */
function withDescendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended since the folder was read.
    }
  }
  const found = [pid];
  for (const one of found) for (const [child, parent] of parents) if (parent === one) found.push(child);
  return found;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

async function measure(
  name: readonly [engine: string, transport: string],
  engine: InferenceEngine,
  inputs: readonly DetectorInput[],
  size: number,
  serverPid: number | undefined,
): Promise<Line> {
  const batch = (i: number) =>
    Array.from({ length: size }, (_, k) => inputs[(i * size + k) % inputs.length] as DetectorInput);
  for (let i = 0; i * size < WARM_UP_IMAGES; i += 1) await engine.infer(batch(i));
  const batches = Math.ceil(IMAGES / size);
  const times: number[] = [];
  const serverPids = serverPid === undefined ? [] : withDescendants(serverPid);
  const serverCpu = () => serverPids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const serverBefore = serverCpu();
  const before = process.cpuUsage();
  delay.enable();
  for (let i = 0; i < batches; i += 1) {
    const begun = performance.now();
    await engine.infer(batch(i));
    times.push(performance.now() - begun);
  }
  delay.disable();
  const { user, system } = process.cpuUsage(before);
  const images = batches * size;
  times.sort((a, b) => a - b);
  const [engineName, transport] = name;
  return {
    engine: engineName,
    transport,
    size,
    clientCpuMs: (user + system) / 1000 / images,
    serverCpuMs: ((serverCpu() - serverBefore) * 1000) / images,
    p50Ms: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    loopP99Ms: delay.percentile(99) / 1e6,
  };
}

/** The largest difference of two engines' detections; infinite when one finds what the other does not. */
async function difference(
  a: InferenceEngine,
  aInputs: readonly DetectorInput[],
  b: InferenceEngine,
  bInputs: readonly DetectorInput[],
): Promise<number> {
  const settings = { confidenceThreshold: LOW_CONFIDENCE, allCandidates: true };
  const [mine, theirs] = await Promise.all([a.infer(aInputs, settings), b.infer(bInputs, settings)]);
  let largest = 0;
  for (const [i, detections] of mine.entries()) {
    if (detections.length !== theirs[i]?.length) return Number.POSITIVE_INFINITY;
    for (const [j, detection] of detections.entries()) {
      for (const key of ['x1', 'y1', 'x2', 'y2', 'confidence'] as const) {
        largest = Math.max(largest, Math.abs(detection[key] - (theirs[i]?.[j]?.[key] ?? Number.NaN)));
      }
    }
  }
  return largest;
}

const perSecond = (milliseconds: number) => (milliseconds === 0 ? '–' : (1000 / milliseconds).toFixed(0));

function show(line: Line): void {
  const cells = [
    line.engine.padEnd(10),
    line.transport.padEnd(22),
    String(line.size).padStart(5),
    perSecond(line.clientCpuMs + line.serverCpuMs).padStart(10),
    perSecond(line.clientCpuMs).padStart(8),
    perSecond(line.serverCpuMs).padStart(8),
    line.clientCpuMs.toFixed(1).padStart(10),
    line.serverCpuMs.toFixed(1).padStart(10),
    line.p50Ms.toFixed(0).padStart(7),
    line.p95Ms.toFixed(0).padStart(7),
    line.loopP99Ms.toFixed(1).padStart(9),
  ];
  console.log(cells.join(' '));
}

async function main(): Promise<void> {
  const files: DetectorInput[] = [];
  for (let seed = 0; seed < BOARDS; seed += 1) {
    const { image, golden } = generateBoard({ seed, partSeed: seed, defective: seed % 2 === 0 });
    files.push({ board: await encodeJpeg(image), golden: await encodeJpeg(golden) });
  }
  const decodeMs = 2 * (await printSteps(modelDirectory, files));
  if (options.steps) return;
  const pixels: DetectorInput[] = [];
  for (const { board, golden } of files) {
    pixels.push({ board: await decodeImage(board), golden: await decodeImage(golden ?? board) });
  }

  mkdirSync(stackRoot, { recursive: true });
  const stack = await startStack({ root: stackRoot, services: ['triton'], log: (line) => console.log(line) });
  try {
    const address = stack.triton?.grpc ?? '';
    const { running } = JSON.parse(readFileSync(join(stackRoot, 'stack.json'), 'utf8')) as {
      running: { triton: { pid: number } };
    };
    const ways: readonly (readonly [string, Partial<TritonEngineOptions>])[] = [
      ['fp32, calls', { transport: 'fp32' }],
      ['fp32, stream', { transport: 'fp32', streaming: true }],
      ['fp32, shared memory', { transport: 'fp32', sharedMemory: true }],
      ['uint8, calls', { transport: 'uint8' }],
      ['uint8, stream', { transport: 'uint8', streaming: true }],
      ['uint8, shared memory', { transport: 'uint8', sharedMemory: true }],
      ['jpeg, calls', { transport: 'jpeg' }],
      ['jpeg, stream', { transport: 'jpeg', streaming: true }],
    ];
    console.log(`\n${IMAGES} images a line, each with its golden image; one batch under way at a time.`);
    console.log(
      `                                         images a CPU-second         CPU-ms an image    ms a batch   loop p99`,
    );
    console.log(
      `engine     transport               batch      both   client   server     client     server     p50     p95        ms`,
    );
    const lines: Line[] = [];
    const reference = await createOnnxEngine({ modelDirectory });
    for (const size of SIZES) {
      const line = await measure(['in-process', 'memory'], reference, pixels, size, undefined);
      lines.push(line);
      show(line);
    }
    let largest = 0;
    for (const [name, way] of ways) {
      const engine = await createTritonEngine({ address, modelDirectory, deadlineMs: DEADLINE_MS, ...way });
      const inputs = way.transport === 'jpeg' ? files : pixels;
      largest = Math.max(largest, await difference(engine, inputs, reference, pixels));
      for (const size of SIZES) {
        const line = await measure(['Triton', name], engine, inputs, size, running.triton.pid);
        lines.push(line);
        show(line);
      }
      await engine.close();
    }
    await reference.close();
    summarise(lines, decodeMs, largest);
  } finally {
    await stack.stop();
  }
}

function summarise(lines: readonly Line[], decodeMs: number, largest: number): void {
  const total = (line: Line) => line.clientCpuMs + line.serverCpuMs;
  const best = (of: readonly Line[]) => of.reduce((a, b) => (total(b) < total(a) ? b : a));
  const inProcess = best(lines.filter(({ engine }) => engine === 'in-process'));
  const triton = lines.filter(({ engine }) => engine === 'Triton');
  console.log(
    `\nDecoding two JPEGs costs this process ${decodeMs.toFixed(1)} CPU-ms an image more, except with jpeg, where the server does it.`,
  );
  for (const kind of ['fp32', 'uint8', 'jpeg']) {
    const { transport, size, clientCpuMs, serverCpuMs, p95Ms } = best(
      triton.filter((line) => line.transport.startsWith(kind)),
    );
    const client = clientCpuMs + (kind === 'jpeg' ? 0 : decodeMs);
    console.log(
      `${kind}: best as "${transport}" in batches of ${size}: client ${client.toFixed(1)} CPU-ms an image with decoding, ` +
        `server ${serverCpuMs.toFixed(1)}, p95 ${p95Ms.toFixed(0)} ms`,
    );
  }
  const client = inProcess.clientCpuMs + decodeMs;
  console.log(`in-process: best in batches of ${inProcess.size}: ${client.toFixed(1)} CPU-ms an image with decoding`);
  const largestSize = Math.max(...SIZES);
  const worst = Math.max(...triton.filter(({ size }) => size === largestSize).map(({ loopP99Ms }) => loopP99Ms));
  const loop = worst < LOOP_DELAY_CEILING_MS ? 'under' : 'OVER';
  console.log(
    `event loop, batches of ${largestSize} to Triton: p99 ${worst.toFixed(1)} ms at worst (${loop} ${LOOP_DELAY_CEILING_MS})`,
  );
  const agree = largest < TOLERANCE ? 'agree' : 'DISAGREE';
  console.log(`all engines ${agree}: the largest difference of a box or confidence is ${largest.toExponential(1)}`);
}

await main();
