import {
  type ApiReply,
  type ArtifactEvent,
  type Command,
  type InferenceEvent,
  type InspectionEvent,
  type InspectionState,
  topics,
} from '@chip-quality/schemas';
import { type KeyValueStore, type Processor, type ProcessorContext, Record } from 'millrace';
import { refuse } from '../actor/decision.ts';
import { type Origin, requireOrigin } from '../actor/origin.ts';
import { problem } from '../actor/problems.ts';
import { replyRecord } from '../actor/reply.ts';
import { traceHeaders } from '../actor/trace-headers.ts';
import {
  decideConfirmArtifact,
  decideCreate,
  decideInfer,
  decideInferenceEnd,
  type InspectionDecision,
} from './decisions.ts';
import { byTimeKey } from './list-inspections.ts';

/** Store of inspections, by id. */
export const INSPECTIONS_STORE = 'inspections';
/** Store of inspection ids by tenant and time of creation, for lists. */
export const INSPECTIONS_BY_TIME_STORE = 'inspections-by-time';

/** Child nodes that the processor names when it forwards. */
export const inspectionSinks = {
  lifecycle: 'lifecycle',
  artifacts: 'artifacts',
  inference: 'inference',
  replies: 'replies',
} as const;

type In = Command | InferenceEvent;
type Out = InspectionEvent | ArtifactEvent | InferenceEvent | ApiReply;

/**
 * The inspection actor: decides commands and inference results on the state of one inspection, and announces what happened.
 *
 * Owns: the inspections of one partition, and their order in time.
 * Called by: the task, with `inspection.commands` and `inference.workflow` of the same partition.
 * Invariants: I1 a command that comes twice gets the same answer to the byte; I2 it changes state once; I3 its events are
 * announced again only for the redelivery of the very record that caused them, with the same ids and content.
 */
export class InspectionProcessor implements Processor<string, In, string, Out> {
  #context!: ProcessorContext<string, Out>;
  #inspections!: KeyValueStore<string, InspectionState>;
  #byTime!: KeyValueStore<string, string>;

  init(context: ProcessorContext<string, Out>): void {
    this.#context = context;
    this.#inspections = context.getStateStore(INSPECTIONS_STORE);
    this.#byTime = context.getStateStore(INSPECTIONS_BY_TIME_STORE);
  }

  process(record: Record<string, In>): void {
    const { key, value, timestamp } = record;
    // Nobody writes tombstones or keyless records to these topics.
    if (key === null || value === null) return;
    const origin = requireOrigin(this.#context.recordMetadata());
    const state = this.#inspections.get(key);
    if (origin.topic === topics.inferenceWorkflow) {
      const event = value as InferenceEvent;
      if (event.event_type === 'inference.requested') return;
      this.#apply(key, decideInferenceEnd(event, state, origin), event.timestamp);
      return;
    }
    const command = value as Command;
    const decision = decide(command, state, origin);
    this.#apply(key, decision, command.issued_at);
    const { answer } = decision;
    if (answer !== undefined) this.#context.forward(replyRecord(command, answer, timestamp), inspectionSinks.replies);
  }

  #apply(key: string, { state, events }: InspectionDecision, timestamp: number): void {
    if (state !== undefined) {
      this.#inspections.put(key, state);
      if (state.revision === 1) this.#byTime.put(byTimeKey(state.tenant_id, state.created_at, state.id), state.id);
    }
    for (const { sink, event } of events) {
      this.#context.forward(
        new Record<string, Out>(key, event, timestamp, traceHeaders(event.trace_id)),
        inspectionSinks[sink],
      );
    }
  }
}

function decide(command: Command, state: InspectionState | undefined, origin: Origin): InspectionDecision {
  switch (command.operation) {
    case 'inspection.create':
      return decideCreate(command, state, origin);
    case 'inspection.confirm_artifact':
      return decideConfirmArtifact(command, state, origin);
    case 'inspection.infer':
      return decideInfer(command, state, origin);
    default:
      return refuse(problem('unknown-operation', `Inspections don't know ${command.operation}.`));
  }
}
