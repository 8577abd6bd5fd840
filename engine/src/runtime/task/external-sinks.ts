import type { TopicPartition } from '../../base/record-batch.ts';
import type { ExternalSinkTaskNode } from '../nodes/task-nodes.ts';

/**
 * The sinks of a task that store offsets themselves, as one.
 *
 * Called by: StreamTask, TaskManager, whoever commits. Invariants: I1 each sink is opened before it is written to, and closed once.
 */
export class ExternalSinks {
  readonly #nodes: readonly ExternalSinkTaskNode[];

  /** The sinks are opened by `open`. */
  constructor(nodes: readonly ExternalSinkTaskNode[]) {
    this.#nodes = nodes;
  }

  /** The task has none. */
  get isEmpty(): boolean {
    return this.#nodes.length === 0;
  }

  /** One of them takes no more before it is committed. */
  get isFull(): boolean {
    const nodes = this.#nodes;
    for (let i = 0; i < nodes.length; i += 1) if (nodes[i]?.sink.isFull) return true;
    return false;
  }

  /** Awaits the outside systems; offsets that they hold, by `topic-partition`. */
  async open(partitions: readonly TopicPartition[], taskId: string): Promise<ReadonlyMap<string, number>> {
    const offsets = new Map<string, number>();
    for (const { sink } of this.#nodes) {
      for (const [key, offset] of await sink.open(partitions, taskId)) {
        // Several sinks: the one that is behind decides, the others drop what they have already.
        offsets.set(key, Math.min(offset, offsets.get(key) ?? offset));
      }
    }
    return offsets;
  }

  /** Each writes what it buffered together with the positions, one after the other; rejects with the first error. */
  async commit(positions: ReadonlyMap<string, number>): Promise<void> {
    for (const { sink } of this.#nodes) await sink.commit(positions);
  }

  /** Rejects with the first error after all were closed. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const { sink } of this.#nodes) {
      try {
        await sink.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
