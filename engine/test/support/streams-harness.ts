import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { StreamsOptions } from '../../src/base/config.ts';
import type { Broker, BrokerProducer } from '../../src/broker/broker.ts';
import type { MemoryCluster } from '../../src/broker/memory/memory-cluster.ts';
import { KafkaStreams } from '../../src/kafka-streams.ts';
import type { Processor, ProcessorContext } from '../../src/processor/processor.ts';
import type { Record } from '../../src/processor/record.ts';
import { string } from '../../src/serde/primitives.ts';
import type { StateStore, StoreBuilder } from '../../src/state/state-store.ts';
import { Topology } from '../../src/topology/topology.ts';
import { brokerOf, newCluster } from './memory-cluster-harness.ts';

const running: KafkaStreams[] = [];
const directories: string[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((streams) => streams.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A temporary directory, removed after the test. */
export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  directories.push(directory);
  return directory;
}

/** An instance with short intervals, closed after the test. */
export function streamsOn(broker: Broker, topology: Topology, options: Partial<StreamsOptions> = {}): KafkaStreams {
  const streams = new KafkaStreams(topology, {
    applicationId: 'app',
    commitIntervalMs: 20,
    statestoreCacheMaxBytes: 0,
    pollMs: 20,
    heartbeatIntervalMs: 20,
    sessionTimeoutMs: 5_000,
    stateDir: options.stateDir ?? newDirectory(),
    ...options,
    broker,
  });
  running.push(streams);
  return streams;
}

/** A cluster with topics and their partition counts. */
export async function clusterWith(topics: { readonly [topic: string]: number }): Promise<MemoryCluster> {
  const cluster = newCluster();
  const specs = Object.entries(topics).map(([topic, partitions]) => ({
    topic,
    partitions,
    replicationFactor: 1,
    configs: {},
  }));
  await brokerOf(cluster).admin().createTopics(specs);
  return cluster;
}

/** One source `in`, one processor. */
export function processing(
  process: (record: Record<string, string>, context: ProcessorContext) => void,
  stores: readonly StoreBuilder<StateStore>[] = [],
  init?: (context: ProcessorContext) => void,
): Topology {
  const topology = new Topology().addSource('source', 'in', { key: string(), value: string() });
  const supplier = {
    stores: () => stores,
    get(): Processor<string, string> {
      let context: ProcessorContext;
      return {
        init(given) {
          context = given;
          init?.(given);
        },
        process: (record) => process(record, context),
      };
    },
  };
  return topology.addProcessor('processor', supplier, 'source');
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A broker that writes what is produced only after a while. */
export function slowlyAcknowledging(broker: Broker, delayMs: number): Broker {
  return acknowledgingAfter(broker, () => pause(delayMs));
}

/** A broker that writes what is produced only when a wait is over, one batch after the other. */
export function acknowledgingAfter(broker: Broker, wait: () => Promise<void>): Broker {
  const slow: Pick<Broker, 'producer'> = {
    producer(options) {
      const inner = broker.producer(options);
      let before: Promise<unknown> = Promise.resolve();
      const producer: BrokerProducer = {
        produce(batches) {
          const turn = before.then(wait);
          const done = turn.then(() => inner.produce(batches));
          before = done;
          return done;
        },
        get inFlight() {
          return inner.inFlight;
        },
        transactions: undefined,
        close: () => inner.close(),
      };
      return producer;
    },
  };
  return {
    admin: () => broker.admin(),
    consumer: (options) => broker.consumer(options),
    groupConsumer: (options) => broker.groupConsumer(options),
    producer: slow.producer,
    close: () => broker.close(),
  };
}

/** A store that wants a commit after three writes, and counts. */
export function wantingStore(name: string) {
  const state = { writes: 0, commits: 0, builder: undefined as unknown as StoreBuilder<StateStore> };
  const build = (): StateStore => {
    let isOpen = false;
    return {
      name,
      persistent: false,
      get isOpen() {
        return isOpen;
      },
      restoredOffset: undefined,
      open() {
        isOpen = true;
      },
      restore() {},
      flush() {},
      commit() {
        state.commits += 1;
        state.writes = 0;
      },
      rollback: () => false,
      get wantsCommit() {
        return state.writes >= 3;
      },
      close() {
        isOpen = false;
      },
      wipe() {},
    };
  };
  state.builder = {
    name,
    kind: 'key-value',
    persistent: false,
    loggingEnabled: false,
    loggingConfig: {},
    cachingEnabled: false,
    build,
  };
  return state;
}
