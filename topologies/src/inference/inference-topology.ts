import {
  eventId,
  type InferenceEvent,
  type InferenceFailure,
  type InferenceResults,
  topics,
} from '@chip-quality/schemas';
import { type AsyncItem, type Clock, StreamsBuilder, type Topology } from 'millrace';
import type { PlatformSerdes } from '../platform-serdes.ts';
import type { Detector, DetectorInput, ImageDecoder, ImageSource } from '../ports.ts';
import { judgeBatch } from './board-judge.ts';
import { BoardLoader } from './board-loader.ts';
import { failureOf, InferenceFailedError } from './inference-failure.ts';

/** Application id of {@link buildInferenceTopology}. */
export const INFERENCE_APPLICATION = 'platform-inference';

/** The model's preferred batch sizes; formed here, since Triton's own queue delay breaks them. */
const PREFERRED_SIZES = [4, 8, 16];
/** Longest wait of a board for company. */
const QUEUE_DELAY_MS = 2;
/** Fetches and decodes at once per task: two full batches ahead of the detector. */
const FETCH_CONCURRENCY = 32;
/** Decoded boards waiting per task: 80 pairs of 640 × 640 pixels. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
/** Batches at once per task: one being judged, one being handed over. */
const BATCHES_IN_FLIGHT = 2;

export interface InferenceOptions {
  readonly images: ImageSource;
  readonly decode: ImageDecoder;
  readonly detector: Detector;
  readonly clock: Clock;
  readonly preferredSizes?: readonly number[];
  readonly maxDelayMs?: number;
  readonly fetchConcurrency?: number;
  readonly objectStoreDeadlineMs?: number;
  readonly detectorDeadlineMs?: number;
}

/** A request whose images are decoded, or that has failed before the detector. */
type Prepared =
  | {
      readonly kind: 'ready';
      readonly request: InferenceEvent;
      readonly eventId: string;
      readonly input: DetectorInput;
    }
  | {
      readonly kind: 'failed';
      readonly request: InferenceEvent;
      readonly eventId: string;
      readonly failure: InferenceFailure;
    };

/**
 * `inference.requested` → fetch, decode, micro-batch, judge → `inference.completed` or `inference.failed`, back onto
 * `inference.workflow`. Every request gets exactly one of the two (or, after a crash, the same one again).
 */
export function buildInferenceTopology(serdes: PlatformSerdes, options: InferenceOptions): Topology {
  const { detector, clock } = options;
  const loader = new BoardLoader({
    images: options.images,
    decode: options.decode,
    clock,
    ...(options.objectStoreDeadlineMs === undefined ? {} : { deadlineMs: options.objectStoreDeadlineMs }),
  });
  const judging = {
    detector,
    clock,
    ...(options.detectorDeadlineMs === undefined ? {} : { deadlineMs: options.detectorDeadlineMs }),
  };

  async function prepare(item: AsyncItem<string, InferenceEvent>): Promise<Prepared> {
    const request = item.value;
    const common = { request, eventId: eventId(item.topic, item.partition, item.offset, 0) };
    try {
      if (request.payload.model_name !== detector.modelName) {
        const detail = `There is no model ${request.payload.model_name}; there is ${detector.modelName}.`;
        throw new InferenceFailedError('unknown_model', detail);
      }
      return { kind: 'ready', ...common, input: await loader.load(request.payload, item.signal) };
    } catch (error) {
      item.signal.throwIfAborted();
      return { kind: 'failed', ...common, failure: failureOf(error) };
    }
  }

  const finish = (
    { request, eventId: id }: Prepared,
    results: InferenceResults | null,
    failure: InferenceFailure | null,
  ): InferenceEvent => ({
    event_id: id,
    event_type: results === null ? 'inference.failed' : 'inference.completed',
    timestamp: clock.nowMs(),
    trace_id: request.trace_id,
    tenant_id: request.tenant_id,
    payload: { ...request.payload, results, failure },
  });

  const builder = new StreamsBuilder();
  const prepared = builder
    .stream(topics.inferenceWorkflow, { key: serdes.key, value: serdes.InferenceEvent, name: 'inference-workflow' })
    .filter((_key, event) => event?.event_type === 'inference.requested', { name: 'requested' })
    .mapAsync(prepare, {
      name: 'fetch-and-decode',
      concurrency: options.fetchConcurrency ?? FETCH_CONCURRENCY,
      // The detector shouldn't wait for one slow download; results are keyed by job, so their order means nothing.
      ordered: 'none',
    });
  const output = { key: serdes.key, value: serdes.InferenceEvent };

  prepared
    .filter((_key, item) => item.kind === 'failed', { name: 'not-loadable' })
    .mapValues((item) => finish(item, null, item.kind === 'failed' ? item.failure : null), { name: 'give-up' })
    .to(topics.inferenceWorkflow, { ...output, name: 'failed-early' });

  prepared
    .filter((_key, item): item is Extract<Prepared, { kind: 'ready' }> => item.kind === 'ready', { name: 'loadable' })
    .microBatch(
      {
        name: 'judge',
        preferredSizes: options.preferredSizes ?? PREFERRED_SIZES,
        maxDelayMs: options.maxDelayMs ?? QUEUE_DELAY_MS,
        maxBytes: WAITING_BYTES_MAX,
        sizeOf: ({ input }) => input.board.length + (input.golden?.length ?? 0),
        maxInFlight: BATCHES_IN_FLIGHT,
      },
      async (items, signal) => {
        const judgements = await judgeBatch(
          items.map(({ value }) => ({
            jobId: value.request.payload.job_id,
            input: value.input,
            confidenceThreshold: value.request.payload.confidence_threshold,
          })),
          signal,
          judging,
        );
        return items.map(({ value }, index) => {
          const judgement = judgements[index];
          return judgement instanceof InferenceFailedError
            ? finish(value, null, judgement.failure)
            : finish(value, judgement ?? null, null);
        });
      },
    )
    .to(topics.inferenceWorkflow, { ...output, name: 'judged' });

  return builder.build();
}
