import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import type { Log } from '../../base/metrics.ts';
import type { DropReason, InternalProcessorContext } from '../../processor/internal-processor-context.ts';
import type { Cancellable, Punctuation, RecordMetadata } from '../../processor/processor.ts';
import type { Record } from '../../processor/record.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { TaskNode } from './task-nodes.ts';

/** What a context needs of its task. */
export interface ContextHost {
  /** Part of the names of internal topics. */
  readonly applicationId: string;
  /** `0_1`: sub-topology and partition; `global` for global stores. */
  readonly taskId: string;
  /** The application's. */
  readonly log: Log;
  /** The application's, with every default filled in. */
  readonly config: StreamsConfig;
  /** Numbers that nodes keep with the committed offsets, by name; a task that goes on elsewhere gets them. */
  readonly processorMetadata: Map<string, number>;
  /** Timestamp of the record being processed, ms: stores and changelogs use it. */
  timestampMs: number;
  /** The record that the running node was given; undefined in punctuators. */
  record: Record<unknown, unknown> | undefined;
  /** The records that are being forwarded just now, outermost first; undefined where nobody asks. */
  readonly openRecords: Record<unknown, unknown>[] | undefined;
  /** Where the record being processed came from; undefined in punctuators. */
  currentMetadata(): RecordMetadata | undefined;
  /** Where a kept record came from, while it is forwarded; undefined otherwise. */
  origin: RecordMetadata | undefined;
  /** Highest timestamp that the task has taken, epoch ms; -1 before the first record. */
  streamTimeMs(): number;
  /** The clock's time, epoch ms; that of the test driver's clock in tests. */
  systemTimeMs(): number;
  /** Counts a record that a node left out, in `dropped-records-total`. */
  countDropped(nodeName: string, reason: DropReason): void;
  /** Lets the task be committed before its interval is over. */
  requestCommit(): void;
  /** Schedules a punctuator for the node. */
  schedule(nodeName: string, punctuation: Punctuation): Cancellable;
  /** Undefined when there is no such store in the task or among the global ones. */
  store(name: string): StateStore | undefined;
  /** Whether every node may read the store without being connected to it. */
  isGlobalStore(name: string): boolean;
}

/**
 * The context of one node of one task.
 *
 * Called by: processors. Invariants: I1 `forward` returns after all descendants have finished with the record; I2 the task's
 * current timestamp is that of the record being forwarded while its descendants run.
 */
export class NodeContext implements InternalProcessorContext {
  readonly nodeName: string;
  /** Where `forward` goes, in the order in which the topology added them. */
  readonly children: TaskNode[] = [];
  readonly #host: ContextHost;
  readonly #stores: ReadonlySet<string>;

  /** `stores`: names of those that the node is connected to. */
  constructor(nodeName: string, stores: readonly string[], host: ContextHost) {
    this.nodeName = nodeName;
    this.#stores = new Set(stores);
    this.#host = host;
  }

  get applicationId(): string {
    return this.#host.applicationId;
  }

  get taskId(): string {
    return this.#host.taskId;
  }

  get log(): Log {
    return this.#host.log;
  }

  get config(): StreamsConfig {
    return this.#host.config;
  }

  get processorMetadata(): Map<string, number> {
    return this.#host.processorMetadata;
  }

  recordMetadata(): RecordMetadata | undefined {
    return this.#host.currentMetadata();
  }

  forward(record: Record<unknown, unknown>, childName?: string): void {
    const host = this.#host;
    const { children } = this;
    const { openRecords } = host;
    const depth = openRecords?.length ?? 0;
    openRecords?.push(record);
    const outerMs = host.timestampMs;
    const outerRecord = host.record;
    host.timestampMs = record.timestamp;
    host.record = record;
    if (childName !== undefined) this.#child(childName).process(record);
    else for (let i = 0; i < children.length; i += 1) (children[i] as TaskNode).process(record);
    host.timestampMs = outerMs;
    host.record = outerRecord;
    // Not popped: records of nodes that failed may be on top.
    if (openRecords !== undefined) openRecords.length = depth;
  }

  forwardFrom(origin: RecordMetadata, record: Record<unknown, unknown>): void {
    const host = this.#host;
    const outer = host.origin;
    host.origin = origin;
    try {
      this.forward(record);
    } finally {
      host.origin = outer;
    }
  }

  getStateStore<S = StateStore>(name: string): S {
    const store = this.#host.store(name);
    if (store !== undefined && (this.#stores.has(name) || this.#host.isGlobalStore(name))) return store as S;
    const reason = store === undefined ? 'there is no such store' : 'the store is not connected to it';
    throw new StreamsError(
      `Processor ${this.nodeName} has no access to state store '${name}': ${reason}. Connect it by the supplier's stores() or connectProcessorAndStateStores.`,
      { code: 'UNKNOWN_STATE_STORE', recovery: 'fail' },
    );
  }

  schedule(punctuation: Punctuation): Cancellable {
    const { intervalMs, startTimeMs = 0 } = punctuation;
    if (!(intervalMs >= 1)) throw this.#badPunctuation(`an interval is at least 1 ms, not ${intervalMs}`);
    if (!(startTimeMs >= 0)) throw this.#badPunctuation(`a start time is epoch ms from 0 on, not ${startTimeMs}`);
    return this.#host.schedule(this.nodeName, punctuation);
  }

  commit(): void {
    this.#host.requestCommit();
  }

  currentStreamTimeMs(): number {
    return this.#host.streamTimeMs();
  }

  currentSystemTimeMs(): number {
    return this.#host.systemTimeMs();
  }

  recordDropped(reason: DropReason): void {
    this.#host.countDropped(this.nodeName, reason);
  }

  #badPunctuation(rule: string): StreamsError {
    return new StreamsError(`Processor ${this.nodeName} schedules a punctuator: ${rule}`, {
      code: 'CONFIG',
      recovery: 'fail',
    });
  }

  #child(name: string): TaskNode {
    const child = this.children.find((node) => node.name === name);
    if (child !== undefined) return child;
    const known = this.children.map((node) => node.name).join(', ');
    throw new StreamsError(`Processor ${this.nodeName} has no child '${name}'. Its children are: ${known || 'none'}.`, {
      code: 'TOPOLOGY',
      recovery: 'fail',
    });
  }
}
