import {
  eventId,
  INFERENCE_PRIORITIES,
  type InferenceEvent,
  type InferencePriority,
  topics,
} from '@chip-quality/schemas';
import { type AsyncItem, type Clock, StreamsBuilder, type Topology } from 'millrace';
import { defineFlow } from '../flow.ts';
import type { FlowPorts } from '../ports.ts';
import { type BoardInspector, laneOf } from './board-inspector.ts';
import { InferenceFailedError } from './inference-failure.ts';

/** Boards at once per task: three full batches and what is being fetched. Bytes are bounded by the inspector. */
const TASK_CONCURRENCY = 64;

/** What a lane needs. */
export interface InferencePorts extends FlowPorts {
  /** One for all lanes of a process: it forms the batches across lanes and partitions. */
  readonly inspector: BoardInspector;
  /** Gives the time of the events. */
  readonly clock: Clock;
  /** Boards at once per task. Default 64. */
  readonly taskConcurrency?: number;
}

/**
 * `inference.requested` of one lane → fetch, decode, micro-batch, judge → `inference.completed` or `inference.failed`, back onto
 * `inference.workflow`. Every request gets exactly one of the two (or, after a crash, the same one again), in the order of the
 * requests of its lane and partition.
 */
function buildInferenceTopology(
  lane: InferencePriority,
  { serdes, inspector, clock, taskConcurrency = TASK_CONCURRENCY }: InferencePorts,
): Topology {
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
    .filter((_key, event) => event?.event_type === 'inference.requested' && laneOf(event.payload.priority) === lane, {
      name: 'requested',
    })
    // In the order of the requests: what waits for a slow download is only the announcement of a result, never the detector.
    .mapAsync(inspect, { name: 'inspect', concurrency: taskConcurrency, ordered: 'all' })
    .to(topics.inferenceWorkflow, { key: serdes.key, value: serdes.InferenceEvent, name: 'judged' });
  return builder.build();
}

/**
 * The application of a priority lane. Each reads the whole of `inference.workflow` with offsets of its own and takes only its
 * lane's requests, so that a high request never waits in the log behind a thousand low ones.
 */
export function inferenceFlow(lane: InferencePriority) {
  return defineFlow({
    id: lane === 'normal' ? 'platform-inference' : `platform-inference-${lane}`,
    role: 'worker',
    inputs: [topics.inferenceWorkflow],
    deadLetters:
      lane === 'normal'
        ? { topic: topics.deadLetters }
        : { none: 'All lanes read the same topic: the normal one reports what can’t be read.' },
    stores: [],
    build: (ports: InferencePorts) => buildInferenceTopology(lane, ports),
  });
}

/** A flow a lane. */
export const inferenceFlows = INFERENCE_PRIORITIES.map(inferenceFlow);
