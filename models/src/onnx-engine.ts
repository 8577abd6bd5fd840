import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { InferenceError } from './errors.ts';
import {
  type Detection,
  type DetectorInput,
  IMAGE_PIXELS,
  type InferenceEngine,
  type InferOptions,
} from './inference-port.ts';
import { type ModelDescription, readModelDescription } from './model-description.ts';
import type { InferReply, InferRequest, WorkerSettings, WorkerStarted } from './onnx-messages.ts';
import { DETECTION_COLUMNS, onePerMark, readDetections } from './read-detections.ts';

/** As `max_batch_size` in the model's config.pbtxt. */
const MAX_BATCH_SIZE = 32;
/** Batches handed to the worker and not answered; more means that the caller does not bound its work. */
const PENDING_MAX = 64;
/** Crashed workers replaced without an answer in between: a model that always crashes must not do so for ever. */
const RESTARTS_MAX = 3;
/** A spare buffer that is so many times too large is not used: each transfer counts whole for the garbage collector. */
const SPARE_FACTOR_MAX = 2;

/** Settings of {@link createOnnxEngine}. */
export interface OnnxEngineOptions {
  /** A model's folder in a Triton model repository, e.g. `…/models/repository/pcb_defect_detector`. */
  readonly modelDirectory: string;
  /** The version's folder. Default `'1'`. */
  readonly version?: string;
  /** Overrides the confidence from which detections are reported; 0 to 1. */
  readonly confidenceThreshold?: number;
  /** Module of the inference thread, for those who run the model elsewhere (and for tests of its crashes). */
  readonly workerUrl?: URL;
}

interface Pending {
  readonly count: number;
  readonly threshold: number;
  readonly allCandidates: boolean;
  readonly resolve: (detections: Detection[][]) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Loads a model of the repository with ONNX Runtime into a worker thread of this process. Resolves
 * when the model is loaded; rejects with `InferenceError` (`unavailable`) when it cannot be.
 */
export async function createOnnxEngine(options: OnnxEngineOptions): Promise<InferenceEngine> {
  const version = options.version ?? '1';
  const description = await readModelDescription(options.modelDirectory, version);
  const engine = new OnnxEngine(options, version, description);
  await engine.start();
  return engine;
}

/**
 * The in-process engine.
 *
 * Owns: one worker thread, the calls it has not answered, one spare transfer buffer.
 * Called by: the inference topology through the port.
 * Invariants: (I1) every call settles exactly once: by reply, abort, crash or close; (I2) the
 * caller's arrays are copied, never transferred; (I3) an idle engine does not keep the process alive.
 */
class OnnxEngine implements InferenceEngine {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly maxBatchSize = MAX_BATCH_SIZE;
  readonly verdictThreshold: number;
  readonly #description: ModelDescription;
  readonly #modelPath: string;
  readonly #defaultThreshold: number;
  readonly #workerUrl: URL;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #starting: Promise<void> | undefined;
  #spare: ArrayBuffer | undefined;
  #nextId = 1;
  #restarts = 0;
  #closed = false;

  constructor(options: OnnxEngineOptions, version: string, description: ModelDescription) {
    this.modelName = basename(options.modelDirectory);
    this.modelVersion = description.modelVersion;
    this.verdictThreshold = description.verdictThreshold;
    this.#description = description;
    this.#modelPath = join(options.modelDirectory, version, 'model.onnx');
    this.#workerUrl = options.workerUrl ?? new URL('./onnx-worker.ts', import.meta.url);
    this.#defaultThreshold = options.confidenceThreshold ?? description.verdictThreshold;
  }

  /** Starts the worker and waits for its model; concurrent calls share one start. */
  start(): Promise<void> {
    this.#starting ??= this.#spawn().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async infer(batch: readonly DetectorInput[], options: InferOptions = {}): Promise<Detection[][]> {
    options.signal?.throwIfAborted();
    if (batch.length === 0) return [];
    checkBatch(batch);
    if (this.#closed) throw new InferenceError('unavailable', 'the engine is closed');
    if (this.#pending.size >= PENDING_MAX) {
      throw new InferenceError('unavailable', `${PENDING_MAX} batches are waiting already`);
    }
    if (this.#worker === undefined) await this.#restart();
    const worker = this.#worker;
    if (worker === undefined) throw new InferenceError('unavailable', 'the engine is closed');
    options.signal?.throwIfAborted();

    const id = this.#nextId++;
    const { signal } = options;
    return new Promise<Detection[][]>((resolve, reject) => {
      const onAbort = () => this.#settle(id)?.reject(signal?.reason);
      const done = () => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, {
        count: batch.length,
        threshold: options.confidenceThreshold ?? this.#defaultThreshold,
        allCandidates: options.allCandidates ?? false,
        resolve: (detections) => {
          done();
          resolve(detections);
        },
        reject: (reason) => {
          done();
          reject(reason);
        },
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      worker.ref();
      const request = this.#requestOf(id, batch);
      worker.postMessage(request, [request.planes.buffer]);
    });
  }

  async ready(): Promise<boolean> {
    return !this.#closed && this.#worker !== undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#rejectAll(new InferenceError('unavailable', 'the engine was closed'));
    this.#spare = undefined;
    await worker?.terminate();
  }

  async #restart(): Promise<void> {
    if (this.#starting === undefined) {
      if (this.#restarts >= RESTARTS_MAX) {
        throw new InferenceError('unavailable', `the model's thread died ${RESTARTS_MAX + 1} times`);
      }
      this.#restarts += 1;
    }
    await this.start();
  }

  #spawn(): Promise<void> {
    const settings: WorkerSettings = { modelPath: this.#modelPath };
    const worker = new Worker(this.#workerUrl, { workerData: settings });
    return new Promise<void>((resolve, reject) => {
      const fail = (message: string, cause?: unknown) => {
        const error = new InferenceError('unavailable', message, { cause });
        reject(error);
        // A late event of a worker that was replaced must not fail its successor's calls.
        if (this.#worker === worker) {
          this.#worker = undefined;
          this.#rejectAll(error);
        }
      };
      worker.on('error', (cause) => fail(`the model's thread failed: ${String(cause)}`, cause));
      worker.on('exit', (code) => fail(`the model's thread ended with code ${code}`));
      worker.on('message', (message: WorkerStarted | InferReply) => {
        if (message.kind === 'reply') this.#onReply(message);
        else if (message.kind === 'failed') {
          fail(`cannot load ${this.#modelPath}: ${message.message}`);
          void worker.terminate();
        } else if (this.#closed) {
          fail('the engine was closed');
          void worker.terminate();
        } else {
          this.#worker = worker;
          worker.unref();
          resolve();
        }
      });
    });
  }

  #requestOf(id: number, batch: readonly DetectorInput[]): InferRequest {
    const bytes = batch.length * 2 * IMAGE_PIXELS;
    const spare = this.#spare;
    this.#spare = undefined;
    const isFit = spare !== undefined && spare.byteLength >= bytes && spare.byteLength <= bytes * SPARE_FACTOR_MAX;
    const buffer = isFit ? spare : new ArrayBuffer(bytes);
    const planes = new Uint8Array(buffer);
    batch.forEach(({ board, golden }, i) => {
      planes.set(board, 2 * i * IMAGE_PIXELS);
      if (golden !== undefined) planes.set(golden, (2 * i + 1) * IMAGE_PIXELS);
    });
    const hasGolden = batch.map(({ golden }) => golden !== undefined);
    return { id, count: batch.length, planes, hasGolden };
  }

  #onReply(reply: InferReply): void {
    this.#spare = reply.planes.buffer;
    const pending = this.#settle(reply.id);
    if (pending === undefined) return;
    const { rows, error } = reply;
    if (rows === undefined) {
      pending.reject(new InferenceError(error?.reason ?? 'model-failed', error?.message ?? 'no answer'));
      return;
    }
    this.#restarts = 0;
    try {
      const length = rows.length / pending.count;
      if (!Number.isInteger(length / DETECTION_COLUMNS)) {
        throw new InferenceError('bad-output', `${rows.length} numbers for ${pending.count} images`);
      }
      const detections: Detection[][] = [];
      for (let i = 0; i < pending.count; i += 1) {
        const mine = rows.subarray(i * length, (i + 1) * length);
        const sorted = readDetections(mine, this.#description, pending.threshold);
        detections.push(pending.allCandidates ? sorted : onePerMark(sorted));
      }
      pending.resolve(detections);
    } catch (cause) {
      pending.reject(cause);
    }
  }

  /** Takes a call out of the waiting ones; `undefined` when it has been settled already. */
  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker?.unref();
    return pending;
  }

  #rejectAll(error: InferenceError): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(error);
  }
}

function checkBatch(batch: readonly DetectorInput[]): void {
  if (batch.length > MAX_BATCH_SIZE) {
    throw new InferenceError('bad-input', `${batch.length} images, more than ${MAX_BATCH_SIZE}`);
  }
  for (const { board, golden } of batch) {
    if (board.length !== IMAGE_PIXELS || (golden !== undefined && golden.length !== IMAGE_PIXELS)) {
      throw new InferenceError('bad-input', `an image is not ${IMAGE_PIXELS} bytes long`);
    }
  }
}
