import { topicSpecs } from '@chip-quality/schemas';
import { createObjectStore, migrate, type ObjectStore } from '@chip-quality/sinks';
import { createPlatformSerdes, type PlatformSerdes } from '@chip-quality/topologies';
import { avro, type Broker, connectBroker, type Log, SchemaRegistryClient } from 'millrace';
import { Pool } from 'pg';
import type { PlatformConfig } from '../config.ts';
import type { Component } from './component.ts';

/** Connections to PostgreSQL: one a sink task, and a few for checks. */
const POOL_SIZE = 12;
const POOL_CONNECT_TIMEOUT_MS = 5_000;

/**
 * What the whole process shares of the outside: broker, schema registry, PostgreSQL, object store.
 *
 * Owns: the connections. Called by: the platform. Invariants: I1 `broker` is there once its component has started.
 */
export class Connections {
  readonly serdes: PlatformSerdes;
  readonly pool: Pool;
  readonly objects: ObjectStore;
  readonly #config: PlatformConfig;
  readonly #log: Log;
  #broker: Broker | undefined;

  constructor(config: PlatformConfig, log: Log) {
    this.#config = config;
    this.#log = log;
    const registry = new SchemaRegistryClient({ url: config.registryUrl });
    this.serdes = createPlatformSerdes((schema) => avro(schema, { registry }));
    this.pool = new Pool({
      connectionString: config.databaseUrl,
      max: POOL_SIZE,
      connectionTimeoutMillis: POOL_CONNECT_TIMEOUT_MS,
    });
    // Idle connections break when the server restarts; the next query makes a new one.
    this.pool.on('error', (error) => log.warn({ err: error }, 'An idle PostgreSQL connection broke'));
    this.objects = createObjectStore(config.s3);
  }

  /** @throws Error before it is connected */
  get broker(): Broker {
    if (this.#broker === undefined) throw new Error('The broker is not connected yet');
    return this.#broker;
  }

  /** Each makes what the platform needs there: tables, bucket, topics. */
  get components(): readonly Component[] {
    return [
      { name: 'database', start: () => migrate(this.pool, this.#log), close: () => this.pool.end() },
      { name: 'object store', start: () => this.objects.ensureBucket() },
      { name: 'broker', start: () => this.#connectBroker(), close: () => this.#broker?.close() },
    ];
  }

  async #connectBroker(): Promise<void> {
    const { bootstrapServers, instanceId } = this.#config;
    this.#broker = await connectBroker({ bootstrapServers, clientId: `platform-${instanceId}`, log: this.#log });
    await this.#broker.admin().createTopics(topicSpecs);
  }
}
