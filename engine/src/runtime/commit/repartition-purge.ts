import type { StreamsConfig } from '../../base/config.ts';
import type { TopicPartition, TopicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerAdmin } from '../../broker/broker.ts';

/** Kafka Streams' `repartition.purge.interval.ms`. */
const PURGE_INTERVAL_MS = 30_000;

/**
 * Deletes what is committed from repartition topics, whose retention is unlimited.
 *
 * Owns: how far each partition may be purged. Called by: Committer. Invariants: I1 only records before a committed offset go.
 */
export class RepartitionPurge {
  readonly #admin: BrokerAdmin;
  readonly #config: StreamsConfig;
  readonly #topics: ReadonlySet<string>;
  readonly #purgeable = new Map<TopicPartitionKey, TopicPartition & { readonly offset: number }>();
  #lastPurgeMs: number;

  /** `topics`: those of the application's own that nobody reads again once they are committed. */
  constructor(admin: BrokerAdmin, config: StreamsConfig, topics: ReadonlySet<string>) {
    this.#admin = admin;
    this.#config = config;
    this.#topics = topics;
    this.#lastPurgeMs = config.clock.monotonicMs();
  }

  /** These offsets are committed. */
  note(
    offsets: ReadonlyMap<
      TopicPartitionKey,
      TopicPartition & {
        /** Records before it are not needed any more. */
        readonly offset: number;
      }
    >,
  ): void {
    for (const [key, { topic, partition, offset }] of offsets) {
      if (this.#topics.has(topic)) this.#purgeable.set(key, { topic, partition, offset });
    }
  }

  /** Never rejects: the next purge covers what this one could not delete. */
  async runIfDue(): Promise<void> {
    const nowMs = this.#config.clock.monotonicMs();
    if (this.#purgeable.size === 0 || nowMs - this.#lastPurgeMs < PURGE_INTERVAL_MS) return;
    this.#lastPurgeMs = nowMs;
    const offsets = [...this.#purgeable.values()];
    this.#purgeable.clear();
    try {
      await this.#admin.deleteRecords(offsets);
    } catch (error) {
      this.#config.log.warn({ err: error }, 'Repartition topics could not be purged');
    }
  }
}
