import { StreamsError } from '../../src/base/errors.ts';
import { type TopicPartition, topicPartitionKey } from '../../src/base/record-batch.ts';
import type { ProducerTransactions } from '../../src/broker/broker.ts';
import type { Commit, CommitProtocol, CommitProtocolOptions } from '../../src/runtime/commit/commit-protocol.ts';
import type { StreamTask } from '../../src/runtime/task/stream-task.ts';

/**
 * The outline of an exactly-once protocol, to show that the port carries one: one transaction of all tasks of the thread, which go
 * on processing while it is committed. It neither gates what is written meanwhile nor keeps stores at the moment of the commit.
 */
export class TransactionalProtocol implements CommitProtocol {
  readonly scope = 'thread';
  readonly worksMeanwhile = true;
  readonly #options: CommitProtocolOptions;
  readonly #newTransactions: () => ProducerTransactions;
  #transactions: ProducerTransactions | undefined;

  /** `newTransactions`: of a new producer, since one whose transaction has an unknown outcome is thrown away. */
  constructor(options: CommitProtocolOptions, newTransactions: () => ProducerTransactions) {
    this.#options = options;
    this.#newTransactions = newTransactions;
  }

  async commit({ tasks, offsets }: Commit): Promise<void> {
    const { collector, group } = this.#options;
    try {
      await collector.flush();
      const transactions = await this.#begun();
      if (offsets.size > 0) await transactions.sendOffsets(offsets, group.metadata());
      await transactions.commit();
      transactions.begin();
    } catch (error) {
      await this.#abort();
      throw new StreamsError('The transaction was aborted', { code: 'FENCED', recovery: 'retry', cause: error });
    }
    for (const { task, positions, isLast } of tasks) {
      if (task.state === 'CLOSED') continue;
      const consumedEnd = (topic: string, partition: number) => positions.get(topicPartitionKey(topic, partition));
      task.stores.commit(collector.ackedEnd, isLast, consumedEnd);
    }
  }

  async abandon(_tasks: readonly StreamTask[], others: readonly StreamTask[]): Promise<readonly StreamTask[]> {
    await this.#abort();
    return others;
  }

  async committed(partitions: readonly TopicPartition[]) {
    await this.#options.collector.flush();
    await this.#begun();
    return this.#options.group.committed(partitions);
  }

  check(): void {}

  async #begun(): Promise<ProducerTransactions> {
    if (this.#transactions === undefined) {
      this.#transactions = this.#newTransactions();
      await this.#transactions.init();
      this.#transactions.begin();
    }
    return this.#transactions;
  }

  /** An abort that fails leaves the outcome open: the next producer's `init` decides it. */
  async #abort(): Promise<void> {
    const transactions = this.#transactions;
    this.#transactions = undefined;
    await transactions?.abort().catch(() => {});
  }
}
