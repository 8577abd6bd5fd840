import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/metrics.ts';
import type { Random } from '../../base/random.ts';
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
import { type Address, BrokerLinks } from './connection/broker-links.ts';
import type { SaslCredentials } from './connection/sasl.ts';
import { WireConsumer } from './consumer/wire-consumer.ts';
import { ClusterMetadata } from './metadata/cluster-metadata.ts';
import { WireProducer } from './producer/wire-producer.ts';
import { WireAdmin } from './wire-admin.ts';
import { WireCoordinator } from './wire-coordinator.ts';

/** Where a Kafka cluster is, how to reach it, and the ports that the client uses. */
export interface WireBrokerOptions {
  /** `host:port` of some brokers; the others are learnt from them. */
  readonly bootstrapServers: readonly string[];
  /** Named in the brokers' request logs and quotas. */
  readonly clientId: string;
  /** Measures every deadline and wait of the client. */
  readonly clock: Clock;
  /** Spreads the waits between attempts. */
  readonly random: Random;
  /** Told of what is tried again, and of rebalances. */
  readonly log: Log;
  /** Node's TLS options; present: all connections are encrypted. */
  readonly ssl?: TlsOptions;
  /** Present: every connection authenticates with it. */
  readonly sasl?: SaslCredentials;
  /** Where to connect for an address that brokers advertise, when it isn't reachable as it is: tunnels, port forwarding. */
  readonly mapAddress?: (address: Address) => Address;
}

/** The door to a real Kafka, 3.2 or newer. Connects when first used. */
export function createWireBroker(options: WireBrokerOptions): Broker {
  return new WireBroker(options);
}

/**
 * Owns: connections and metadata, shared by its clients, and the clients. Called by: `KafkaStreams`, tools.
 * Invariants: I1 after `close` no socket and no timer of its clients is left.
 */
class WireBroker implements Broker {
  readonly #options: WireBrokerOptions;
  readonly #links: BrokerLinks;
  readonly #metadata: ClusterMetadata;
  readonly #clients = new Set<{ close(): Promise<void> }>();
  #clientCount = 0;

  constructor(options: WireBrokerOptions) {
    this.#options = options;
    const { bootstrapServers, clientId, clock, ssl, sasl, mapAddress } = options;
    this.#links = new BrokerLinks({ bootstrapServers, clientId, clock, ssl, sasl, mapAddress });
    this.#metadata = new ClusterMetadata(this.#links);
  }

  admin(): BrokerAdmin {
    const { clock, random } = this.#options;
    return new WireAdmin({ links: this.#links, metadata: this.#metadata, clock, random });
  }

  consumer(options: ConsumerOptions): BrokerConsumer {
    const onClosed = (): void => void this.#clients.delete(consumer);
    const consumer: BrokerConsumer = new WireConsumer(
      options,
      this.#dependencies('consumer', options.clientId, onClosed),
    );
    this.#clients.add(consumer);
    return consumer;
  }

  groupConsumer(options: GroupConsumerOptions): BrokerGroupConsumer {
    const dependencies = this.#dependencies('member', options.clientId, () => void this.#clients.delete(consumer));
    const { clock, random, log, name } = dependencies;
    const consumer: BrokerGroupConsumer = new GroupConsumer(new WireConsumer(options, dependencies), {
      options,
      coordinator: new WireCoordinator(this.#links, this.#metadata, options, name),
      partitionCounts: (topics) => this.admin().partitionCounts(topics),
      clock,
      random,
      log,
    });
    this.#clients.add(consumer);
    return consumer;
  }

  producer(options: ProducerOptions): BrokerProducer {
    const onClosed = (): void => void this.#clients.delete(producer);
    const producer: BrokerProducer = new WireProducer(
      options,
      this.#dependencies('producer', options.clientId, onClosed),
    );
    this.#clients.add(producer);
    return producer;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.close()));
    this.#links.close();
  }

  #dependencies(kind: string, clientId: string, onClosed: () => void) {
    const { clock, random, log } = this.#options;
    this.#clientCount += 1;
    const name = `${kind}-${clientId}-${this.#clientCount}`;
    return { links: this.#links, metadata: this.#metadata, clock, random, log, name, onClosed };
  }
}
