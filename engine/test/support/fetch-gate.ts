import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../src/base/record-batch.ts';
import type { Broker, BrokerConsumer, FetchedPartition } from '../../src/broker/broker.ts';
import { replacing } from './replacing.ts';

/**
 * Stands behind the fetches of consumers without a group (restore, global stores): a test holds what arrives for a partition,
 * lets it go, or puts an error in its place.
 */
export class FetchGate {
  /** Fetches of each that are still let through. */
  readonly #held = new Map<TopicPartitionKey, number>();
  readonly #errors = new Map<TopicPartitionKey, Error>();
  readonly #consumers = new Set<BrokerConsumer>();
  /** Partitions that are paused. */
  readonly paused = new Set<TopicPartitionKey>();

  /** `after` so many fetches were let through. */
  hold(topic: string, partition: number, after = 0): void {
    this.#held.set(topicPartitionKey(topic, partition), after);
  }

  release(topic: string, partition: number): void {
    this.#held.delete(topicPartitionKey(topic, partition));
    this.#wake();
  }

  /** The next thing that is fetched of the partition is this error. */
  failNext(topic: string, partition: number, error: Error): void {
    this.#errors.set(topicPartitionKey(topic, partition), error);
    this.#wake();
  }

  #wake(): void {
    for (const consumer of this.#consumers) consumer.wakeup();
  }

  /** A consumer whose polls go through the gate. */
  before(inner: BrokerConsumer): BrokerConsumer {
    this.#consumers.add(inner);
    let waiting: FetchedPartition[] = [];
    const drop = (partitions: readonly TopicPartition[]): void => {
      const gone = new Set(partitions.map(({ topic, partition }) => topicPartitionKey(topic, partition)));
      for (const { topic, partition, batches } of waiting) {
        if (gone.has(topicPartitionKey(topic, partition))) for (const batch of batches) batch.release();
      }
      waiting = waiting.filter(({ topic, partition }) => !gone.has(topicPartitionKey(topic, partition)));
    };
    const passed = (): FetchedPartition[] => {
      const assigned = inner.assignment();
      const through: FetchedPartition[] = [];
      for (const { topic, partition } of assigned) {
        const key = topicPartitionKey(topic, partition);
        const error = this.#errors.get(key);
        if (error === undefined) continue;
        this.#errors.delete(key);
        drop([{ topic, partition }]);
        through.push({ topic, partition, batches: [], nextOffset: 0, endOffset: -1, error });
      }
      const isFree = ({ topic, partition }: TopicPartition): boolean => {
        const key = topicPartitionKey(topic, partition);
        if (this.paused.has(key)) return false;
        const left = this.#held.get(key) ?? Number.POSITIVE_INFINITY;
        if (left > 0) this.#held.set(key, left - 1);
        return left > 0;
      };
      const kept: FetchedPartition[] = [];
      for (const part of waiting) (isFree(part) ? through : kept).push(part);
      waiting = kept;
      return through;
    };
    const keysOf = (partitions: readonly TopicPartition[]) =>
      partitions.map(({ topic, partition }) => topicPartitionKey(topic, partition));
    return replacing(inner, {
      poll: async (timeoutMs) => {
        const ready = passed();
        waiting.push(...(await inner.poll(ready.length > 0 ? 0 : timeoutMs)));
        return [...ready, ...passed()];
      },
      pause: (partitions) => {
        for (const key of keysOf(partitions)) this.paused.add(key);
        inner.pause(partitions);
      },
      resume: (partitions) => {
        for (const key of keysOf(partitions)) this.paused.delete(key);
        inner.resume(partitions);
      },
      remove: (partitions) => {
        drop(partitions);
        for (const key of keysOf(partitions)) this.paused.delete(key);
        inner.remove(partitions);
      },
      seek: (partition, offset) => {
        drop([partition]);
        inner.seek(partition, offset);
      },
    });
  }
}

/** A broker whose consumers without a group fetch through a gate. */
export function fetchingThrough(gate: FetchGate, broker: Broker): Broker {
  return replacing(broker, { consumer: (options) => gate.before(broker.consumer(options)) });
}
