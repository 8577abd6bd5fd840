import { QueueOrder } from './queue-order.ts';
import { type RecordQueue, UNKNOWN_TIMESTAMP } from './record-queue.ts';

/** Never wait for an empty partition (`max.task.idle.ms = -1`). */
const IDLE_DISABLED = -1;

/**
 * The queues of a task and the order between them: the next record is the one whose queue's *head* has the lowest
 * timestamp; only heads are compared, so order inside a partition is never changed.
 *
 * Owns: the queues and stream time. Called by: StreamTask.
 * Invariants: I1 stream time is the highest timestamp taken and never falls; I2 `isReadyToProcess` with `maxTaskIdleMs` 0 or more
 * is true only when each empty partition is known to be drained on the broker (and the idle time has passed).
 */
export class PartitionGroup {
  readonly #queues: RecordQueue[] = [];
  readonly #order = new QueueOrder();
  readonly #maxTaskIdleMs: number;
  readonly #lagOf: (queue: RecordQueue) => number | undefined;
  readonly #idleDeadlineMs: (number | undefined)[] = [];
  readonly #onEnforced: (() => void) | undefined;
  /** Highest timestamp taken from any partition, epoch ms; -1 before the first record. */
  streamTimeMs = UNKNOWN_TIMESTAMP;

  /** `lagOf`: records on the broker that were not handed over yet; undefined while no fetch has answered. */
  constructor(
    queues: readonly RecordQueue[],
    options: {
      /** How long an empty partition is waited for, ms; -1: never, 0: until it is known to be drained. */
      readonly maxTaskIdleMs: number;
      /** Records on the broker that were not handed over yet; undefined while no fetch has answered. */
      readonly lagOf: (queue: RecordQueue) => number | undefined;
      /** Called when a record is taken although a partition that may have earlier ones is empty. */
      readonly onEnforced?: () => void;
    },
  ) {
    this.#maxTaskIdleMs = options.maxTaskIdleMs;
    this.#lagOf = options.lagOf;
    this.#onEnforced = options.onEnforced;
    for (const queue of queues) this.add(queue);
  }

  /** In the order in which they were added. */
  get queues(): readonly RecordQueue[] {
    return this.#queues;
  }

  /** One more partition; the runtime gives all at once. */
  add(queue: RecordQueue): void {
    queue.index = this.#queues.length;
    this.#queues.push(queue);
    queue.order = this.#order;
    if (queue.size > 0) this.#order.add(queue);
    this.#idleDeadlineMs.push(undefined);
  }

  /** Records buffered over all queues. */
  get size(): number {
    let size = 0;
    for (const queue of this.queues) size += queue.size;
    return size;
  }

  /** Whether a record may be taken now; with several partitions an empty one may have to be waited for. */
  isReadyToProcess(nowMs: number): boolean {
    const queues = this.#queues;
    const count = queues.length;
    if (count === 1) return (queues[0] as RecordQueue).size > 0;
    let buffered = false;
    let empty = false;
    for (let i = 0; i < count; i += 1) {
      if ((queues[i] as RecordQueue).size > 0) {
        buffered = true;
        this.#idleDeadlineMs[i] = undefined;
      } else empty = true;
    }
    if (!buffered || !empty || this.#maxTaskIdleMs === IDLE_DISABLED) return buffered;
    let enforced = false;
    for (let i = 0; i < count; i += 1) {
      const queue = queues[i] as RecordQueue;
      if (queue.size > 0) continue;
      const lag = this.#lagOf(queue);
      if (lag === undefined || lag > 0) {
        this.#idleDeadlineMs[i] = undefined;
        return false;
      }
      const deadlineMs = this.#idleDeadlineMs[i] ?? nowMs + this.#maxTaskIdleMs;
      this.#idleDeadlineMs[i] = deadlineMs;
      if (nowMs < deadlineMs) return false;
      enforced = true;
    }
    if (enforced) this.#onEnforced?.();
    return true;
  }

  /** When the next idle wait ends; undefined when nobody waits: nothing is buffered, or the waits are over. */
  nextIdleDeadlineMs(nowMs: number): number | undefined {
    if (this.size === 0) return undefined;
    let earliest: number | undefined;
    for (const deadlineMs of this.#idleDeadlineMs) {
      if (deadlineMs === undefined || deadlineMs <= nowMs) continue;
      if (earliest === undefined || deadlineMs < earliest) earliest = deadlineMs;
    }
    return earliest;
  }

  /** The queue whose head goes next; undefined when all are empty. Among equal timestamps as in Kafka Streams. */
  nextQueue(): RecordQueue | undefined {
    return this.#order.next;
  }

  /** Takes the head of `queue`, which goes next, and returns its timestamp; stream time follows. */
  take(queue: RecordQueue): number {
    const timestampMs = queue.headTimestampMs;
    if (timestampMs > this.streamTimeMs) this.streamTimeMs = timestampMs;
    this.#order.takeNext();
    queue.take();
    if (queue.size > 0) this.#order.add(queue);
    return timestampMs;
  }

  /** Empties all queues and releases their batches. */
  clear(): void {
    for (const queue of this.queues) queue.clear();
    this.#idleDeadlineMs.fill(undefined);
  }
}
