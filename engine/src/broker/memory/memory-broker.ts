import { type Clock, systemClock } from '../../base/clock.ts';
import { type Log, silentLog } from '../../base/metrics.ts';
import { type Random, systemRandom } from '../../base/random.ts';
import type {
  Broker,
  BrokerAdmin,
  BrokerConsumer,
  BrokerGroupConsumer,
  BrokerProducer,
  ConsumerOptions,
  GroupConsumerOptions,
  ProducerOptions,
} from '../broker.ts';
import { GroupConsumer } from '../group/group-consumer.ts';
import { MemoryAdmin } from './memory-admin.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { MemoryConsumer } from './memory-consumer.ts';
import { MemoryCoordinator } from './memory-coordinator.ts';
import { MemoryProducer } from './memory-producer.ts';

/** Which cluster a broker of this process belongs to, and what it uses. */
export interface MemoryBrokerOptions {
  /** Shared by several brokers to stand for several processes; default: a cluster of its own. */
  readonly cluster?: MemoryCluster;
  /**
   * This broker's own clock; default: the cluster's. Tests stop it to let one process stand still while the cluster
   * goes on.
   */
  readonly clock?: Clock;
  /** For the cluster that is made here. Default: `systemRandom`. */
  readonly random?: Random;
  /** Told of rebalances. Default: nothing is logged. */
  readonly log?: Log;
}

/**
 * A broker in this process for tests and the simulation: the same bytes, offsets, groups and errors as Kafka's, no network, and
 * no time but the clock's.
 */
export class MemoryBroker implements Broker {
  /** Topics and groups; give it to further brokers that are to see the same. */
  readonly cluster: MemoryCluster;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #consumers = new Set<{ close(): Promise<void> }>();

  /** Without `cluster` the broker makes one of its own. */
  constructor(options: MemoryBrokerOptions = {}) {
    this.cluster =
      options.cluster ??
      new MemoryCluster({ clock: options.clock ?? systemClock, random: options.random ?? systemRandom });
    this.#clock = options.clock ?? this.cluster.clock;
    this.#log = options.log ?? silentLog;
  }

  admin(): BrokerAdmin {
    return new MemoryAdmin(this.cluster);
  }

  consumer(options: ConsumerOptions): BrokerConsumer {
    const consumer = new MemoryConsumer(this.cluster, options, this.#clock);
    this.#consumers.add(consumer);
    return consumer;
  }

  groupConsumer(options: GroupConsumerOptions): BrokerGroupConsumer {
    const clock = this.#clock;
    const { random } = this.cluster;
    const consumer = new GroupConsumer(new MemoryConsumer(this.cluster, options, this.#clock), {
      options,
      coordinator: new MemoryCoordinator(this.cluster.group(options.groupId), {
        clientId: options.clientId,
        instanceId: options.groupInstanceId,
        sessionTimeoutMs: options.sessionTimeoutMs,
        rebalanceTimeoutMs: options.rebalanceTimeoutMs,
      }),
      partitionCounts: (topics) => this.admin().partitionCounts(topics),
      clock,
      random,
      log: this.#log,
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  producer(options: ProducerOptions): BrokerProducer {
    return new MemoryProducer(this.cluster, options);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
  }
}
