import {
  eventId,
  INFERENCE_PRIORITIES,
  type InferenceEvent,
  type InferencePriority,
  topics,
} from '@chip-quality/schemas';
import { type AsyncItem, type Clock, StreamsBuilder, type Topology } from 'millrace';
import type { PlatformSerdes } from '../platform-serdes.ts';
import { BoardInspector, type BoardInspectorOptions, laneOf } from './board-inspector.ts';
import { InferenceFailedError } from './inference-failure.ts';

/** Application id of the normal lane; the others carry their lane's name behind it. */
export const INFERENCE_APPLICATION = 'platform-inference';

/** Boards at once per task: three full batches and what is being fetched. Bytes are bounded by the inspector. */
const TASK_CONCURRENCY = 64;

export interface InferenceOptions extends BoardInspectorOptions {
  /** Boards at once per task. Default 64. */
  readonly taskConcurrency?: number;
}

/** A lane's application. */
export interface InferenceLane {
  readonly lane: InferencePriority;
  readonly applicationId: string;
  readonly topology: Topology;
}

/**
 * One application a priority lane. Each reads the whole of `inference.workflow` with offsets of its own and takes only its
 * lane's requests, so that a high request never waits in the log behind a thousand low ones. They share one inspector, which
 * forms the batches across lanes and partitions.
 */
export function buildInferenceLanes(serdes: PlatformSerdes, options: InferenceOptions): readonly InferenceLane[] {
  const inspector = new BoardInspector(options);
  return INFERENCE_PRIORITIES.map((lane) => ({
    lane,
    applicationId: lane === 'normal' ? INFERENCE_APPLICATION : `${INFERENCE_APPLICATION}-${lane}`,
    topology: build(serdes, options, inspector, [lane]),
  }));
}

/** All lanes in one application, for those who have no use for priorities. See {@link buildInferenceLanes}. */
export function buildInferenceTopology(serdes: PlatformSerdes, options: InferenceOptions): Topology {
  return build(serdes, options, new BoardInspector(options), INFERENCE_PRIORITIES);
}

/**
 * `inference.requested` → fetch, decode, micro-batch, judge → `inference.completed` or `inference.failed`, back onto
 * `inference.workflow`. Every request gets exactly one of the two (or, after a crash, the same one again), in the order of the
 * requests of its lane and partition.
 */
function build(
  serdes: PlatformSerdes,
  options: { readonly clock: Clock; readonly taskConcurrency?: number },
  inspector: BoardInspector,
  lanes: readonly InferencePriority[],
): Topology {
  const { clock, taskConcurrency = TASK_CONCURRENCY } = options;

  async function inspect(item: AsyncItem<string, InferenceEvent>): Promise<InferenceEvent> {
    const request = item.value;
    const judgement = await inspector.inspect(request.payload, item.signal);
    const failed = judgement instanceof InferenceFailedError;
    return {
      event_id: eventId(item.topic, item.partition, item.offset, 0),
      event_type: failed ? 'inference.failed' : 'inference.completed',
      timestamp: clock.nowMs(),
      trace_id: request.trace_id,
      tenant_id: request.tenant_id,
      payload: {
        ...request.payload,
        results: failed ? null : judgement,
        failure: failed ? judgement.failure : null,
      },
    };
  }

  const builder = new StreamsBuilder();
  builder
    .stream(topics.inferenceWorkflow, { key: serdes.key, value: serdes.InferenceEvent, name: 'inference-workflow' })
    .filter(
      (_key, event) => event?.event_type === 'inference.requested' && lanes.includes(laneOf(event.payload.priority)),
      { name: 'requested' },
    )
    // In the order of the requests: what waits for a slow download is only the announcement of a result, never the detector.
    .mapAsync(inspect, { name: 'inspect', concurrency: taskConcurrency, ordered: 'all' })
    .to(topics.inferenceWorkflow, { key: serdes.key, value: serdes.InferenceEvent, name: 'judged' });
  return builder.build();
}
