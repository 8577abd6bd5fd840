import { BrokerError } from '../../base/errors.ts';
import { topicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerProducer, EncodedBatch, ProduceResult, ProducerOptions } from '../broker.ts';
import { brokerErrorOf, kafkaCodes } from '../kafka-errors.ts';
import type { MemoryCluster } from './memory-cluster.ts';

/** Appends to the logs of a {@link MemoryCluster}: acknowledged within the call, so nothing is ever in flight. */
export class MemoryProducer implements BrokerProducer {
  readonly #cluster: MemoryCluster;
  readonly inFlight = 0;
  readonly transactions = undefined;

  constructor(cluster: MemoryCluster, options: ProducerOptions) {
    if (options.transactionalId !== undefined) {
      throw new BrokerError('The memory broker has no transactions yet', { kafkaCode: 0, retriable: false });
    }
    this.#cluster = cluster;
  }

  async produce(batches: readonly EncodedBatch[]): Promise<readonly ProduceResult[]> {
    return batches.map((batch) => this.#append(batch));
  }

  async close(): Promise<void> {}

  #append(batch: EncodedBatch): ProduceResult {
    const { topic, partition } = batch;
    const log = this.#cluster.log(topic, partition);
    try {
      if (log === undefined) {
        const error = brokerErrorOf(
          kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION,
          `Produce to ${topicPartitionKey(topic, partition)}`,
        );
        return { topic, partition, baseOffset: -1, nextOffset: -1, logStartOffset: -1, error };
      }
      const baseOffset = log.append(batch.bytes, batch.recordCount);
      const nextOffset = baseOffset + batch.recordCount;
      return { topic, partition, baseOffset, nextOffset, logStartOffset: log.startOffset };
    } finally {
      batch.release();
    }
  }
}
