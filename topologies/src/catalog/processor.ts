import type { ApiReply, CatalogEvent, CatalogState, Command } from '@chip-quality/schemas';
import { type KeyValueStore, type Processor, type ProcessorContext, Record } from 'millrace';
import { refuse } from '../actor/decision.ts';
import { type Origin, requireOrigin } from '../actor/origin.ts';
import { problem } from '../actor/problems.ts';
import { replyRecord } from '../actor/reply.ts';
import { traceHeaders } from '../actor/trace-headers.ts';
import { type CatalogDecision, decideConfirmGolden, decideLotCreate, decidePartCreate } from './decisions.ts';

/** Store of parts and lots, by id. */
export const CATALOG_STORE = 'catalog';

/** Child nodes that the processor names when it forwards. */
export const catalogSinks = { events: 'events', replies: 'replies' } as const;

type Out = CatalogEvent | ApiReply;

/**
 * The catalogue actor: parts with their golden images, and lots.
 *
 * Owns: the parts and lots of one partition.
 * Called by: the task, with `catalog.commands`.
 * Invariants: as the inspection actor's: I1 same command, same answer; I2 one change; I3 events again only for the redelivery
 * of the record that caused them.
 */
export class CatalogProcessor implements Processor<string, Command, string, Out> {
  #context!: ProcessorContext<string, Out>;
  #store!: KeyValueStore<string, CatalogState>;

  init(context: ProcessorContext<string, Out>): void {
    this.#context = context;
    this.#store = context.getStateStore(CATALOG_STORE);
  }

  process(record: Record<string, Command>): void {
    const { key, value: command, timestamp } = record;
    // Nobody writes tombstones or keyless records to this topic.
    if (key === null || command === null) return;
    const origin = requireOrigin(this.#context.recordMetadata());
    const { state, events, answer } = decide(command, this.#store.get(key), origin);
    if (state !== undefined) this.#store.put(key, state);
    const headers = traceHeaders(command.traceparent);
    for (const event of events) {
      this.#context.forward(new Record<string, Out>(key, event, event.timestamp, headers), catalogSinks.events);
    }
    if (answer !== undefined) this.#context.forward(replyRecord(command, answer, timestamp), catalogSinks.replies);
  }
}

function decide(command: Command, state: CatalogState | undefined, origin: Origin): CatalogDecision {
  switch (command.operation) {
    case 'part.create':
      return decidePartCreate(command, state, origin);
    case 'part.confirm_golden':
      return decideConfirmGolden(command, state, origin);
    case 'lot.create':
      return decideLotCreate(command, state, origin);
    default:
      return refuse(problem('unknown-operation', `The catalogue doesn't know ${command.operation}.`));
  }
}
