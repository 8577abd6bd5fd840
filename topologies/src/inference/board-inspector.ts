import {
  type Detector,
  IMAGE_PIXELS,
  type ImageDecoder,
  type ImageSource,
  INFERENCE_PRIORITIES,
  type InferencePayload,
  type InferencePriority,
  type InferenceResults,
} from '@chip-quality/schemas';
import type { Clock } from 'millrace';
import { type JudgeItem, type Judgement, judgeBatch } from './board-judge.ts';
import { BoardLoader } from './board-loader.ts';
import { ByteBudget } from './byte-budget.ts';
import { expectedVerdictOf } from './expected-verdict.ts';
import { failureOf, InferenceFailedError } from './inference-failure.ts';
import { type InferenceMetrics, noInferenceMetrics } from './inference-metrics.ts';
import { LaneBatcher } from './lane-batcher.ts';

/** The model's preferred batch sizes; formed here, since Triton's own queue delay breaks them. */
const PREFERRED_SIZES = [4, 8, 16];
/** Longest wait of a board for others of its batch. */
const QUEUE_DELAY_MS = 2;
/** Batches at the detector: one being judged, one handed over; and as many of versions on trial, which may hang. */
const BATCHES_IN_FLIGHT = 2;
/** A board that has waited this long gets its share whatever its lane: long against a batch (0.3 s), short against a shift. */
const OVERDUE_MS = 5_000;
/** What the decoder makes of a board and its golden image: 640 × 640 bytes each. */
const DECODED_BYTES = 2 * IMAGE_PIXELS;
/** Images in hand per lane: four full batches and what is being fetched. A lane of its own each, so that none can take another's. */
const LANE_BYTES_MAX = 64 * 1024 * 1024;

/** Settings of {@link BoardInspector}. */
export interface BoardInspectorOptions {
  /** Where boards and golden images are fetched from. */
  readonly images: ImageSource;
  /** Makes what the detector takes of a file. */
  readonly decode: ImageDecoder;
  /** Judges. */
  readonly detector: Detector;
  /** For waits and deadlines. */
  readonly clock: Clock;
  /** Told of batches, waits and failures. Default: nobody is. */
  readonly metrics?: InferenceMetrics;
  /** Sizes of batches, exactly. Default 4, 8, 16. */
  readonly preferredSizes?: readonly number[];
  /** Longest wait of a board for a fuller batch, ms. Default 2. */
  readonly maxDelayMs?: number;
  /** Batches at the detector at once of versions in production, and as many of versions on trial. Default 2. */
  readonly maxInFlight?: number;
  /** From when on a waiting board gets one batch in four, ms. Default 5,000. */
  readonly overdueMs?: number;
  /** Images fetched, waiting or being judged, per lane, bytes. Default 64 MiB. */
  readonly laneBytesMax?: number;
  /** How long the object store may be away before inferences fail, ms. Default 60,000. */
  readonly objectStoreDeadlineMs?: number;
  /** How long the detector may be away before inferences fail, ms. Default 60,000. */
  readonly detectorDeadlineMs?: number;
}

/**
 * Takes a board from its request to its judgement: fetch, decode, batch, judge. One for all tasks of a process: batches form
 * across partitions, while each task keeps its own order and offsets.
 *
 * Owns: the loader, the batcher, one byte budget a lane. Called by: the inference topologies.
 * Invariants: I1 `inspect` rejects only with its signal's reason; every other end is an answer; I2 bytes are lent before the
 * fetch and come back with the answer.
 */
export class BoardInspector {
  readonly #detector: Detector;
  readonly #metrics: InferenceMetrics;
  readonly #loader: BoardLoader;
  readonly #batcher: LaneBatcher<JudgeItem, Judgement>;
  readonly #budgets: ReadonlyMap<InferencePriority, ByteBudget>;

  /** Starts nothing: work begins with the first {@link BoardInspector.inspect}. */
  constructor(options: BoardInspectorOptions) {
    const { images, decode, detector, clock, metrics = noInferenceMetrics } = options;
    this.#detector = detector;
    this.#metrics = metrics;
    this.#loader = new BoardLoader({
      images,
      decode,
      clock,
      ...(options.objectStoreDeadlineMs === undefined ? {} : { deadlineMs: options.objectStoreDeadlineMs }),
    });
    const judging = {
      detector,
      clock,
      metrics,
      ...(options.detectorDeadlineMs === undefined ? {} : { deadlineMs: options.detectorDeadlineMs }),
    };
    this.#batcher = new LaneBatcher({
      judge: (items, signal) => judgeBatch(items, signal, judging),
      clock,
      metrics,
      preferredSizes: options.preferredSizes ?? PREFERRED_SIZES,
      maxDelayMs: options.maxDelayMs ?? QUEUE_DELAY_MS,
      maxInFlight: options.maxInFlight ?? BATCHES_IN_FLIGHT,
      overdueMs: options.overdueMs ?? OVERDUE_MS,
    });
    const bytesMax = options.laneBytesMax ?? LANE_BYTES_MAX;
    this.#budgets = new Map(INFERENCE_PRIORITIES.map((lane) => [lane, new ByteBudget(bytesMax)]));
  }

  /** What became of a board. Rejects only when aborted. */
  async inspect(payload: InferencePayload, signal: AbortSignal): Promise<InferenceResults | InferenceFailedError> {
    let failure: InferenceFailedError;
    try {
      const judgement = await this.#judged(payload, signal);
      if (!(judgement instanceof InferenceFailedError)) return judgement;
      failure = judgement;
    } catch (error) {
      signal.throwIfAborted();
      const { reason, detail } = failureOf(error);
      failure = new InferenceFailedError(reason, detail, { cause: error });
    }
    this.#metrics.failed(failure.failure.reason);
    return failure;
  }

  async #judged(payload: InferencePayload, signal: AbortSignal): Promise<Judgement> {
    if (payload.model_name !== this.#detector.modelName) {
      const detail = `There is no model ${payload.model_name}; there is ${this.#detector.modelName}.`;
      throw new InferenceFailedError('unknown_model', detail);
    }
    const lane = laneOf(payload.priority);
    const image = payload.artifacts.at(-1);
    const file = image?.size_bytes ?? 0;
    const giveBack = await (this.#budgets.get(lane) as ByteBudget).acquire(DECODED_BYTES + file, signal);
    try {
      const input = await this.#loader.load(payload, signal);
      const item = {
        jobId: payload.job_id,
        inspectionId: payload.inspection_id,
        input,
        confidenceThreshold: payload.confidence_threshold,
        expectedVerdict: image === undefined ? undefined : expectedVerdictOf(image),
      };
      const version = this.#detector.route(payload.inspection_id, input);
      const batchSizeMax = Math.min(payload.batch_size, version.maxBatchSize);
      return await this.#batcher.submit(item, { version, lane, batchSizeMax, signal });
    } finally {
      giveBack();
    }
  }
}

/** A priority that no lane has (from a newer API) is served as normal. */
export function laneOf(priority: string): InferencePriority {
  return INFERENCE_PRIORITIES.find((known) => known === priority) ?? 'normal';
}
