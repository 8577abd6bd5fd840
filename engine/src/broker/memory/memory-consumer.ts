import type { Clock, Timer } from '../../base/clock.ts';
import { StreamsError } from '../../base/errors.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerConsumer, ConsumerOptions, FetchedPartition } from '../broker.ts';
import { SharedBuffer } from '../buffer-pool.ts';
import { brokerErrorOf, kafkaCodes } from '../kafka-errors.ts';
import { RecordBatchReader } from '../record-batch-reader.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import type { MemoryLog } from './memory-log.ts';

const PARTITION_FETCH_BYTES_MAX = 1024 * 1024;
const FETCH_BYTES_MAX = 50 * 1024 * 1024;

interface Assigned extends TopicPartition {
  position: number;
  isPaused: boolean;
  /** Handed over an error; nothing is read until the next `seek` or `add`. */
  hasFailed: boolean;
  endOffset: number | undefined;
}

/**
 * Reads the logs of a {@link MemoryCluster}.
 *
 * Owns: positions. Called by: the runtime, tests.
 * Invariants: I1 a poll waits only while nothing can be read; I2 at most one poll waits.
 */
export class MemoryConsumer implements BrokerConsumer {
  readonly #cluster: MemoryCluster;
  readonly #clock: Clock;
  readonly #options: ConsumerOptions;
  readonly #reader = new RecordBatchReader();
  readonly #assigned = new Map<TopicPartitionKey, Assigned>();
  readonly #watched = new Set<MemoryLog>();
  readonly #wake = (): void => this.#waiting?.();
  #waiting: (() => void) | undefined;
  #wasWokenUp = false;
  #isClosed = false;
  #turn = 0;

  constructor(cluster: MemoryCluster, options: ConsumerOptions, clock: Clock) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#options = options;
  }

  assign(positions: readonly (TopicPartition & { offset: number })[]): void {
    this.#assigned.clear();
    this.add(positions);
  }

  add(positions: readonly (TopicPartition & { offset: number })[]): void {
    for (const { topic, partition, offset } of positions) {
      const key = topicPartitionKey(topic, partition);
      const known = this.#assigned.get(key);
      if (known !== undefined && offset < 0) continue;
      const isPaused = known?.isPaused ?? false;
      this.#assigned.set(key, { topic, partition, position: offset, isPaused, hasFailed: false, endOffset: undefined });
    }
    this.#wake();
  }

  remove(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#assigned.delete(topicPartitionKey(topic, partition));
  }

  assignment(): readonly TopicPartition[] {
    return [...this.#assigned.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  seek(partition: TopicPartition, offset: number): void {
    const assigned = this.#get(partition);
    assigned.position = offset;
    assigned.hasFailed = false;
    this.#wake();
  }

  position(partition: TopicPartition): number {
    return this.#get(partition).position;
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#get(partition).isPaused = true;
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#get(partition).isPaused = false;
    this.#wake();
  }

  knownEndOffset(partition: TopicPartition): number | undefined {
    return this.#get(partition).endOffset;
  }

  async poll(timeoutMs: number): Promise<readonly FetchedPartition[]> {
    // An empty answer at once, again and again, would let a loop around it starve everything else.
    if (this.#isClosed) throw new StreamsError('The consumer is closed', { code: 'CANCELLED', recovery: 'fail' });
    const ready = this.take();
    if (ready.length > 0 || timeoutMs <= 0 || this.#wasWokenUp) {
      this.#wasWokenUp = false;
      return ready;
    }
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
      timer = this.#clock.setTimer(timeoutMs, resolve);
      this.#watch();
    });
    timer?.cancel();
    this.#waiting = undefined;
    this.#unwatch();
    this.#wasWokenUp = false;
    return this.take();
  }

  take(): readonly FetchedPartition[] {
    const fetched: FetchedPartition[] = [];
    const assigned = [...this.#assigned.values()];
    let room = this.#options.fetchBytesMax ?? FETCH_BYTES_MAX;
    const first = this.#turn++ % Math.max(1, assigned.length);
    for (let index = 0; index < assigned.length && room > 0; index += 1) {
      const each = assigned[(first + index) % assigned.length] as Assigned;
      if (each.isPaused || each.hasFailed || each.position < 0) continue;
      const log = this.#cluster.log(each.topic, each.partition);
      if (log !== undefined) each.endOffset = log.endOffset;
      if (log !== undefined && each.position === log.endOffset) continue;
      const answer = this.#read(each, log, room);
      room -= answer.bytes;
      fetched.push(answer.fetched);
    }
    return fetched;
  }

  wakeup(): void {
    if (this.#waiting === undefined) this.#wasWokenUp = true;
    this.#wake();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#assigned.clear();
    this.#wake();
  }

  #read(each: Assigned, log: MemoryLog | undefined, room: number): { fetched: FetchedPartition; bytes: number } {
    const { topic, partition, position } = each;
    try {
      if (log === undefined) {
        throw brokerErrorOf(kafkaCodes.UNKNOWN_TOPIC_OR_PARTITION, `Fetch of ${topicPartitionKey(topic, partition)}`);
      }
      const blob = log.read(
        position,
        Math.min(room, this.#options.partitionFetchBytesMax ?? PARTITION_FETCH_BYTES_MAX),
      );
      const shared = new SharedBuffer(blob);
      const decoded = this.#reader.decode(shared, 0, blob.length, { topic, partition, fromOffset: position });
      each.position = decoded.nextOffset;
      return { fetched: { topic, partition, ...decoded, endOffset: log.endOffset }, bytes: blob.length };
    } catch (cause) {
      each.hasFailed = true;
      const error = cause instanceof Error ? cause : new Error(String(cause));
      const endOffset = log?.endOffset ?? -1;
      return { fetched: { topic, partition, batches: [], nextOffset: position, endOffset, error }, bytes: 0 };
    }
  }

  #get({ topic, partition }: TopicPartition): Assigned {
    const assigned = this.#assigned.get(topicPartitionKey(topic, partition));
    if (assigned === undefined) {
      throw new RangeError(`${topicPartitionKey(topic, partition)} is not assigned to this consumer`);
    }
    return assigned;
  }

  #watch(): void {
    for (const { topic, partition } of this.#assigned.values()) {
      const log = this.#cluster.log(topic, partition);
      if (log === undefined) continue;
      log.onAppend(this.#wake);
      this.#watched.add(log);
    }
  }

  #unwatch(): void {
    for (const log of this.#watched) log.offAppend(this.#wake);
    this.#watched.clear();
  }
}
