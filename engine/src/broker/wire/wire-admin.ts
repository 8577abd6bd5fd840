import { createTopicsV7, deleteGroupsV2, deleteRecordsV2, deleteTopicsV6, listOffsetsV7 } from '@platformatic/kafka';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerAdmin, OffsetAndMetadata, TopicSpec } from '../broker.ts';
import { brokerErrorOf, kafkaCodes } from '../kafka-errors.ts';
import { retrying } from '../retrying.ts';
import type { BrokerLinks } from './connection/broker-links.ts';
import { callApi } from './connection/call-api.ts';
import type { Transport } from './connection/transport.ts';
import { type ClusterMetadata, CONTROL_PURPOSE } from './metadata/cluster-metadata.ts';
import { fetchCommittedOffsets, findGroupCoordinator } from './wire-coordinator.ts';

/** How long the controller may take for a change. */
const ADMIN_TIMEOUT_MS = 30_000;
const CONSUMER_REPLICA_ID = -1;
const LATEST = -1n;
const EARLIEST = -2n;

/** What admin calls share with the clients of their broker object. */
export interface WireAdminDependencies {
  /** Connections to the brokers. */
  readonly links: BrokerLinks;
  /** Who leads which partition, and who controls the cluster. */
  readonly metadata: ClusterMetadata;
  /** Measures deadlines and waits. */
  readonly clock: Clock;
  /** Spreads the waits between attempts. */
  readonly random: Random;
}

/** Admin calls, retried with backoff until a deadline where the protocol allows it. */
export class WireAdmin implements BrokerAdmin {
  readonly #dependencies: WireAdminDependencies;

  constructor(dependencies: WireAdminDependencies) {
    this.#dependencies = dependencies;
  }

  partitionCounts(topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (topics.length === 0) return Promise.resolve(new Map());
    return this.#retrying(async () => {
      const found = await this.#dependencies.metadata.describe(topics);
      return new Map([...found].map(([name, topic]) => [name, topic.partitions.length]));
    });
  }

  topics(): Promise<readonly string[]> {
    return this.#retrying(() => this.#dependencies.metadata.topicNames());
  }

  async createTopics(topics: readonly TopicSpec[]): Promise<void> {
    if (topics.length === 0) return;
    const requests = topics.map(({ topic, partitions, replicationFactor, configs }) => ({
      name: topic,
      numPartitions: partitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    }));
    await this.#retrying(async () => {
      const answer = await callApi(
        await this.#dependencies.metadata.anyConnection(),
        createTopicsV7.api,
        requests,
        ADMIN_TIMEOUT_MS,
        false,
      );
      for (const { name, errorCode, errorMessage } of answer.topics) {
        if (errorCode === 0 || errorCode === kafkaCodes.TOPIC_ALREADY_EXISTS) continue;
        throw brokerErrorOf(errorCode, `Creation of topic ${name}`, errorMessage ?? null);
      }
    });
    await this.#untilLed(topics.map(({ topic }) => topic));
  }

  async deleteTopics(topics: readonly string[]): Promise<void> {
    if (topics.length === 0) return;
    const requests = topics.map((name) => ({ name, topicId: null }));
    await this.#retrying(async () => {
      const connection = await this.#dependencies.metadata.anyConnection();
      const answer = await callApi(connection, deleteTopicsV6.api, requests, ADMIN_TIMEOUT_MS);
      for (const { name, errorCode, errorMessage } of answer.responses) {
        if (errorCode !== 0) throw brokerErrorOf(errorCode, `Deletion of topic ${name}`, errorMessage ?? null);
      }
    });
    this.#dependencies.metadata.forget(topics);
  }

  endOffsets(
    partitions: readonly TopicPartition[],
    isolationLevel: 'read_uncommitted' | 'read_committed' = 'read_uncommitted',
  ): Promise<ReadonlyMap<TopicPartitionKey, number>> {
    return this.#listOffsets(
      partitions.map((each) => ({ ...each, timestamp: LATEST })),
      isolationLevel === 'read_committed' ? 1 : 0,
    );
  }

  beginningOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<TopicPartitionKey, number>> {
    return this.#listOffsets(
      partitions.map((each) => ({ ...each, timestamp: EARLIEST })),
      0,
    );
  }

  offsetsForTimes(
    partitions: readonly (TopicPartition & { readonly timestampMs: number })[],
  ): Promise<ReadonlyMap<TopicPartitionKey, number>> {
    return this.#listOffsets(
      partitions.map(({ topic, partition, timestampMs }) => ({ topic, partition, timestamp: BigInt(timestampMs) })),
      0,
    );
  }

  async deleteRecords(offsets: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    await this.#perLeader(offsets, async (transport, ofLeader) => {
      const topics = [...Map.groupBy(ofLeader, ({ topic }) => topic)].map(([name, each]) => ({
        name,
        partitions: each.map(({ partition, offset }) => ({ partitionIndex: partition, offset: BigInt(offset) })),
      }));
      const answer = await callApi(transport, deleteRecordsV2.api, topics, ADMIN_TIMEOUT_MS);
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions) {
          if (errorCode !== 0) throw brokerErrorOf(errorCode, `Deletion of records of ${name}-${partitionIndex}`);
        }
      }
    });
  }

  committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<TopicPartitionKey, OffsetAndMetadata>> {
    return this.#retrying(async () => {
      const address = await findGroupCoordinator(this.#dependencies.metadata, groupId);
      return fetchCommittedOffsets(
        await this.#dependencies.links.connect(address, CONTROL_PURPOSE),
        groupId,
        partitions,
      );
    });
  }

  async deleteGroups(groupIds: readonly string[]): Promise<void> {
    for (const groupId of groupIds) {
      await this.#retrying(async () => {
        const address = await findGroupCoordinator(this.#dependencies.metadata, groupId);
        const transport = await this.#dependencies.links.connect(address, CONTROL_PURPOSE);
        const answer = await callApi(transport, deleteGroupsV2.api, [groupId]);
        for (const { errorCode } of answer.results) {
          if (errorCode === 0 || errorCode === kafkaCodes.GROUP_ID_NOT_FOUND) continue;
          throw brokerErrorOf(errorCode, `Deletion of group ${groupId}`);
        }
      });
    }
  }

  async #listOffsets(
    partitions: readonly (TopicPartition & { readonly timestamp: bigint })[],
    isolationLevel: number,
  ): Promise<ReadonlyMap<TopicPartitionKey, number>> {
    const found = new Map<TopicPartitionKey, number>();
    await this.#perLeader(partitions, async (transport, ofLeader) => {
      const topics = [...Map.groupBy(ofLeader, ({ topic }) => topic)].map(([name, each]) => ({
        name,
        partitions: each.map(({ partition, timestamp }) => ({
          partitionIndex: partition,
          currentLeaderEpoch: -1,
          timestamp,
        })),
      }));
      const answer = await callApi(transport, listOffsetsV7.api, CONSUMER_REPLICA_ID, isolationLevel, topics);
      for (const { name, partitions: answered } of answer.topics) {
        for (const { partitionIndex, errorCode, offset } of answered) {
          const key = topicPartitionKey(name, partitionIndex);
          if (errorCode !== 0) throw brokerErrorOf(errorCode, `Offsets of ${key}`);
          if (offset >= 0n) found.set(key, Number(offset));
        }
      }
    });
    return found;
  }

  /** Asks the leader of each partition; all are asked again after a retriable error, with fresh metadata. */
  async #perLeader<P extends TopicPartition>(
    partitions: readonly P[],
    ask: (transport: Transport, ofLeader: readonly P[]) => Promise<void>,
  ): Promise<void> {
    if (partitions.length === 0) return;
    const { links, metadata } = this.#dependencies;
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    await this.#retrying(async (attempt) => {
      if (attempt > 1 || topics.some((topic) => metadata.topic(topic) === undefined)) await metadata.describe(topics);
      const byLeader = Map.groupBy(partitions, ({ topic, partition }) => {
        const known = metadata.partition(topic, partition);
        const key = topicPartitionKey(topic, partition);
        if (known === undefined) throw brokerErrorOf(kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION, `Leader of ${key}`);
        if (known.leaderId < 0) throw brokerErrorOf(kafkaCodes.LEADER_NOT_AVAILABLE, `Leader of ${key}`);
        return known.leaderId;
      });
      await Promise.all(
        [...byLeader].map(async ([leaderId, ofLeader]) => {
          const address = metadata.address(leaderId);
          if (address === undefined) throw brokerErrorOf(kafkaCodes.BROKER_NOT_AVAILABLE, `Broker ${leaderId}`);
          await ask(await links.connect(address, CONTROL_PURPOSE), ofLeader);
        }),
      );
    });
  }

  /** A topic is usable when each of its partitions has a leader; creation is acknowledged a moment earlier. */
  #untilLed(topics: readonly string[]): Promise<void> {
    return this.#retrying(async () => {
      const found = await this.#dependencies.metadata.describe(topics);
      for (const name of topics) {
        const topic = found.get(name);
        const isLed = topic?.partitions.every(({ leaderId }) => leaderId >= 0) ?? false;
        if (!isLed) throw brokerErrorOf(kafkaCodes.LEADER_NOT_AVAILABLE, `Topic ${name}`);
      }
    });
  }

  #retrying<T>(attempt: (number: number) => Promise<T>): Promise<T> {
    return retrying(this.#dependencies, attempt);
  }
}
