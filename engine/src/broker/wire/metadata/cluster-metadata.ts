import { metadataV12 } from '@platformatic/kafka';
import { BrokerError } from '../../../base/errors.ts';
import { brokerErrorOf, kafkaCodes, NO_ANSWER } from '../../kafka-errors.ts';
import type { Address, BrokerLinks } from '../connection/broker-links.ts';
import { callApi } from '../connection/call-api.ts';
import type { Transport } from '../connection/transport.ts';

/** Purpose of the connections that carry short requests of everybody. */
export const CONTROL_PURPOSE = 'control';

/** Who leads a partition. */
export interface PartitionMetadata {
  /** -1: no leader at present. */
  readonly leaderId: number;
  /** Goes up with each new leader; older answers are known by it. */
  readonly leaderEpoch: number;
}

/** A topic as the cluster describes it. */
export interface TopicMetadata {
  /** Unique at one time; a topic that is made again has another id. */
  readonly name: string;
  /** UUID in text form. */
  readonly topicId: string;
  /** By partition number. */
  readonly partitions: readonly PartitionMetadata[];
}

/**
 * What the cluster looks like: brokers, topics, leaders.
 *
 * Owns: the last answer per topic, the set of topics of interest. Called by: consumers, producers, admin, coordinators.
 * Invariants: I1 an answer never makes a partition's leader epoch go back; I2 one refresh runs at a time, later callers share the next.
 */
export class ClusterMetadata {
  readonly #links: BrokerLinks;
  #brokers: ReadonlyMap<number, Address> = new Map();
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #topicNames = new Map<string, string>();
  readonly #wanted = new Set<string>();
  #next: Promise<void> | undefined;
  #running: Promise<void> | undefined;

  constructor(links: BrokerLinks) {
    this.#links = links;
  }

  /** As of the last answer; undefined: unknown, or there is none. */
  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  /** Name of the topic with this id; undefined: unknown. */
  topicName(topicId: string): string | undefined {
    return this.#topicNames.get(topicId);
  }

  /** As of the last answer; undefined: unknown, or there is none. */
  partition(topic: string, partition: number): PartitionMetadata | undefined {
    return this.#topics.get(topic)?.partitions[partition];
  }

  /** Where the broker listens; undefined: unknown. */
  address(nodeId: number): Address | undefined {
    return this.#brokers.get(nodeId);
  }

  /** Asks again for everything of interest and for `topics`. One attempt at every known broker; rejects when none answers. */
  refresh(topics: readonly string[] = []): Promise<void> {
    for (const topic of topics) this.#wanted.add(topic);
    this.#next ??= (this.#running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        this.#running = this.#next;
        this.#next = undefined;
        return this.#ask([...this.#wanted]);
      });
    return this.#next;
  }

  /** No longer asked for. */
  forget(topics: readonly string[]): void {
    for (const topic of topics) this.#wanted.delete(topic);
  }

  /** Metadata of exactly these topics, fresh; a topic that does not exist is absent. */
  async describe(topics: readonly string[]): Promise<ReadonlyMap<string, TopicMetadata>> {
    await this.#ask(topics);
    const found = new Map<string, TopicMetadata>();
    for (const name of topics) {
      const topic = this.#topics.get(name);
      if (topic !== undefined) found.set(name, topic);
    }
    return found;
  }

  /** All topics that the client may see, sorted. */
  async topicNames(): Promise<readonly string[]> {
    const response = await callApi(await this.anyConnection(), metadataV12.api, null, false, false);
    return response.topics.flatMap(({ name, errorCode }) => (name && errorCode === 0 ? [name] : [])).sort();
  }

  /** A control connection to a broker, known or bootstrap; rejects when none accepts. */
  async anyConnection(): Promise<Transport> {
    const addresses = [...this.#brokers.values(), ...this.#links.bootstrap];
    for (const address of addresses) {
      const open = this.#links.openConnection(address, CONTROL_PURPOSE);
      if (open !== undefined) return open;
    }
    let failure: unknown;
    for (const address of addresses) {
      try {
        return await this.#links.connect(address, CONTROL_PURPOSE);
      } catch (error) {
        // Errors other than an absent broker (SASL refused, closed) hold for all brokers.
        if (!(error instanceof BrokerError) || !error.retriable) throw error;
        failure = error;
      }
    }
    const tried = addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
    throw new BrokerError(`No broker answers at ${tried}`, { kafkaCode: NO_ANSWER, retriable: true, cause: failure });
  }

  async #ask(topics: readonly string[]): Promise<void> {
    const response = await callApi(await this.anyConnection(), metadataV12.api, [...topics], false, false);
    this.#brokers = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    for (const { name, topicId, errorCode, partitions } of response.topics) {
      if (!name) continue;
      if (errorCode === kafkaCodes.TOPIC_AUTHORIZATION_FAILED) throw brokerErrorOf(errorCode, `Metadata of ${name}`);
      const known = this.#topics.get(name);
      if (errorCode !== 0) {
        if (errorCode !== kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION) continue;
        this.#topics.delete(name);
        if (known !== undefined) this.#topicNames.delete(known.topicId);
        continue;
      }
      const before = known?.topicId === topicId ? known.partitions : [];
      const now: PartitionMetadata[] = [];
      for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
        const old = before[partitionIndex];
        now[partitionIndex] = old !== undefined && old.leaderEpoch > leaderEpoch ? old : { leaderId, leaderEpoch };
      }
      this.#topics.set(name, { name, topicId, partitions: now });
      this.#topicNames.set(topicId, name);
    }
  }
}
