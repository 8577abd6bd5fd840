import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerAdmin, OffsetAndMetadata, TopicSpec } from '../broker.ts';
import { SharedBuffer } from '../buffer-pool.ts';
import { brokerErrorOf, kafkaCodes } from '../kafka-errors.ts';
import { RecordBatchReader } from '../record-batch-reader.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import type { MemoryLog } from './memory-log.ts';

/** Partitions of a topic whose creator leaves the number to the broker (-1). */
const DEFAULT_PARTITIONS = 1;

/** Admin calls on a {@link MemoryCluster}; topic configurations are accepted and ignored. */
export class MemoryAdmin implements BrokerAdmin {
  readonly #cluster: MemoryCluster;
  readonly #reader = new RecordBatchReader();

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
  }

  async partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const topic of topics) {
      const count = this.#cluster.partitionCount(topic);
      if (count !== undefined) counts.set(topic, count);
    }
    return counts;
  }

  async topics(): Promise<readonly string[]> {
    return this.#cluster.topics();
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    for (const { topic, partitions } of topics) {
      this.#cluster.createTopic(topic, partitions < 0 ? DEFAULT_PARTITIONS : partitions);
    }
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    for (const topic of topics) {
      if (!this.#cluster.deleteTopic(topic)) {
        throw brokerErrorOf(kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION, `Deletion of topic ${topic}`);
      }
    }
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, number>> {
    return this.#perPartition(partitions, (log) => log.endOffset);
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, number>> {
    return this.#perPartition(partitions, (log) => log.startOffset);
  }

  async offsetsForTimes(
    partitions: readonly (TopicPartition & { readonly timestampMs: number })[],
  ): Promise<ReadonlyMap<TopicPartitionKey, number>> {
    return this.#perPartition(partitions, (log, { topic, partition, timestampMs }) => {
      const found = log.batchForTime(timestampMs);
      if (found === undefined) return undefined;
      const { baseOffset, bytes } = found;
      const fromOffset = Math.max(baseOffset, log.startOffset);
      const [batch] = this.#reader.decode(new SharedBuffer(bytes), 0, bytes.length, {
        topic,
        partition,
        fromOffset,
      }).batches;
      const row = batch?.timestamps.subarray(0, batch.count).findIndex((each) => each >= timestampMs) ?? -1;
      const offset = row < 0 ? undefined : batch?.offsets[row];
      batch?.release();
      return offset;
    });
  }

  async deleteRecords(offsets: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    this.#perPartition(offsets, (log, { offset }) => {
      log.deleteBefore(offset);
      return undefined;
    });
  }

  async committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>> {
    return this.#cluster.group(groupId).committed(partitions);
  }

  async deleteGroups(groupIds: readonly string[]): Promise<void> {
    for (const groupId of groupIds) this.#cluster.deleteGroup(groupId);
  }

  #perPartition<P extends TopicPartition>(
    partitions: readonly P[],
    ask: (log: MemoryLog, partition: P) => number | undefined,
  ): ReadonlyMap<TopicPartitionKey, number> {
    const answers = new Map<TopicPartitionKey, number>();
    for (const each of partitions) {
      const key = topicPartitionKey(each.topic, each.partition);
      const log = this.#cluster.log(each.topic, each.partition);
      if (log === undefined) throw brokerErrorOf(kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION, `Offsets of ${key}`);
      const answer = ask(log, each);
      if (answer !== undefined) answers.set(key, answer);
    }
    return answers;
  }
}
