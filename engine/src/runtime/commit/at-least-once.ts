import { StreamsError } from '../../base/errors.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { OffsetAndMetadata } from '../../broker/broker.ts';
import type { StreamTask } from '../task/stream-task.ts';
import type { Commit, CommitProtocol, CommitProtocolOptions } from './commit-protocol.ts';

/**
 * At least once: outputs acknowledged, then external sinks, then Kafka's offsets, then stores. In this order a crash at any point
 * repeats records and loses none.
 *
 * Called by: Committer. Invariants: I1 a step begins only when the one before it has succeeded; I2 a store is made durable only as
 * far as its changelog was acknowledged: its task stands still.
 */
export class AtLeastOnce implements CommitProtocol {
  readonly scope = 'task';
  readonly worksMeanwhile = false;
  readonly #group: CommitProtocolOptions['group'];
  readonly #collector: CommitProtocolOptions['collector'];

  constructor(options: CommitProtocolOptions) {
    this.#group = options.group;
    this.#collector = options.collector;
  }

  async commit({ tasks, offsets }: Commit): Promise<void> {
    try {
      await this.#collector.flush();
      await Promise.all(tasks.map(({ task, positions }) => task.externalSinks.commit(positions)));
      if (offsets.size > 0) await this.#group.commit(offsets);
    } catch (error) {
      throw tasks.every(({ task }) => task.externalSinks.isEmpty) ? error : undone(error);
    }
    for (const { task, positions, isLast } of tasks) {
      if (task.state === 'CLOSED') continue;
      const consumedEnd = (topic: string, partition: number) => positions.get(topicPartitionKey(topic, partition));
      task.stores.commit(this.#collector.ackedEnd, isLast, consumedEnd);
    }
  }

  /** What was written stays written: whoever goes on from the last commit writes it once more. */
  async abandon(): Promise<readonly StreamTask[]> {
    return [];
  }

  async committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>> {
    // What former tasks of these partitions logged here must be in the changelogs before their ends are asked for.
    await this.#collector.flush();
    return this.#group.committed(partitions);
  }

  check(): void {
    this.#collector.check();
  }
}

/** An external sink that was fenced, or committed without Kafka, has to be opened anew: its task can't keep what it did. */
function undone(error: unknown): unknown {
  if (!(error instanceof StreamsError) || error.recovery !== 'migrate') return error;
  return new StreamsError(error.message, { code: error.code, recovery: 'retry', cause: error });
}
