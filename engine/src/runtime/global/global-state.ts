import { join } from 'node:path';
import { type BackoffBounds, backoffMs } from '../../base/backoff.ts';
import { sleep } from '../../base/clock.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../../base/record-batch.ts';
import type { Broker, BrokerConsumer, FetchedPartition } from '../../broker/broker.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { GlobalStoreSpec } from '../../topology/nodes.ts';
import { isOutOfRange } from '../errors.ts';
import { QueryQueue } from '../task/query-queue.ts';
import type { Task } from '../task/task.ts';
import { nextTaskState, type TaskState } from '../task/task-state.ts';
import { GlobalStoreFiller } from './global-store-filler.ts';

/** Longest wait of one poll while filling; only a bound for looking at the end condition again. */
const FILL_POLL_MS = 200;
/** Longest synchronous stretch of answering queries, as a thread has for its records. */
const TURN_MS = 5;
/** Waits between two tries to reach a registry. */
const SCHEMA_BACKOFF: BackoffBounds = { minMs: 100, maxMs: 10_000 };

/**
 * The global task of an instance: its stores are filled from all partitions of their topics before the first record is processed,
 * then kept up to date.
 *
 * Owns: one consumer, the stores, queries that wait. Called by: StreamThread, KafkaStreams.
 * Invariants: I1 `fill` ends when each partition's *position* has reached the end that it had when filling began; I2 it
 * is RUNNING only after that; I3 queries are answered while it is RUNNING, between two batches.
 */
export class GlobalState implements Task {
  readonly taskId = 'global';
  readonly kind = 'global';
  /** By name; all of them are complete once `fill` has resolved. */
  readonly stores = new Map<string, StateStore>();
  /** Reads of the stores from outside. */
  readonly queries: QueryQueue;
  readonly #fillers: GlobalStoreFiller[];
  readonly #broker: Broker;
  readonly #config: StreamsConfig;
  #consumer: BrokerConsumer | undefined;
  #partitions: TopicPartition[] = [];
  #state: TaskState = 'CREATED';
  #closed: Promise<void> | undefined;

  /** Opens the stores, empty; `fill` reads their topics. */
  constructor(specs: readonly GlobalStoreSpec[], config: StreamsConfig, broker: Broker) {
    this.#broker = broker;
    this.#config = config;
    const directory = join(config.stateDir, config.applicationId, 'global');
    this.#fillers = specs.map((spec) => new GlobalStoreFiller(spec, config, directory));
    for (const filler of this.#fillers) this.stores.set(filler.stateStore.name, filler.stateStore);
    this.queries = new QueryQueue({
      owner: 'the global state',
      clock: config.clock,
      storeOf: (name) => this.stores.get(name),
      isReadable: () => this.#state === 'RUNNING',
      wake: () => config.clock.yield(this.#answerQueries),
    });
  }

  /** A turn of its own: a batch is applied in one go, so this one comes between two, and there may be no thread. */
  readonly #answerQueries = (): void => {
    const { clock } = this.#config;
    this.queries.answer(clock.monotonicMs() + TURN_MS);
    if (this.queries.hasMail) clock.yield(this.#answerQueries);
  };

  /** Whether a store of this name is global. */
  holdsStore(name: string): boolean {
    return this.stores.has(name);
  }

  get state(): TaskState {
    return this.#state;
  }

  get #isClosed(): boolean {
    return this.#state === 'CLOSED';
  }

  /** Reads every topic to its present end. Rejects with MISSING_SOURCE_TOPIC when one doesn't exist. */
  async fill(): Promise<void> {
    this.#state = nextTaskState(this.taskId, this.#state, 'initialize');
    if (this.#fillers.length > 0) await this.#fill();
    if (!this.#isClosed) this.#state = nextTaskState(this.taskId, this.#state, 'restored');
  }

  async #fill(): Promise<void> {
    const admin = this.#broker.admin();
    const topics = this.#fillers.map((filler) => filler.topic);
    const counts = await admin.partitionCounts(topics);
    for (const topic of topics) {
      const count = counts.get(topic);
      if (count === undefined) {
        throw new StreamsError(`Topic '${topic}' of a global store does not exist; create it before the application`, {
          code: 'MISSING_SOURCE_TOPIC',
          recovery: 'fail',
        });
      }
      for (let partition = 0; partition < count; partition += 1) this.#partitions.push({ topic, partition });
    }
    const begins = await admin.beginningOffsets(this.#partitions);
    const ends = await admin.endOffsets(this.#partitions);
    const consumer = this.#broker.consumer({
      clientId: `${this.#config.clientId}-global-consumer`,
      fetchBytesMax: this.#config.fetchBytesMax,
      partitionFetchBytesMax: this.#config.partitionFetchBytesMax,
    });
    this.#consumer = consumer;
    consumer.assign(
      this.#partitions.map((partition) => ({
        ...partition,
        offset: begins.get(topicPartitionKey(partition.topic, partition.partition)) ?? 0,
      })),
    );
    const isUnfinished = (): boolean =>
      this.#partitions.some((partition) => {
        const end = ends.get(topicPartitionKey(partition.topic, partition.partition)) ?? 0;
        return consumer.position(partition) < end;
      });
    while (!this.#isClosed && isUnfinished()) await this.#apply(await consumer.poll(FILL_POLL_MS));
  }

  /** Applies what has arrived. Undefined when there was nothing to wait for. */
  update(): Promise<void> | undefined {
    const fetched = this.#consumer?.take();
    if (fetched === undefined || fetched.length === 0) return undefined;
    return this.#apply(fetched);
  }

  /** Nothing is passed over: what an error kept from being applied is fetched again, should there be a next time. */
  async #apply(fetched: readonly FetchedPartition[]): Promise<void> {
    // Batches that are released don't tell their offsets any more.
    const begins = fetched.map(({ batches, nextOffset }) => batches[0]?.offsets[0] ?? nextOffset);
    for (const [index, each] of fetched.entries()) {
      try {
        await this.#applyPartition(each);
      } catch (error) {
        for (let rest = index; rest < fetched.length && !this.#isClosed; rest += 1) {
          const { topic, partition, batches } = fetched[rest] as FetchedPartition;
          for (const batch of batches) batch.release();
          this.#consumer?.seek({ topic, partition }, begins[rest] as number);
        }
        throw error;
      }
    }
  }

  async #applyPartition({ topic, partition, batches, error }: FetchedPartition): Promise<void> {
    if (error !== undefined) {
      if (!isOutOfRange(error)) throw error;
      await this.#restart({ topic, partition });
    }
    for (const batch of batches) {
      for (const filler of this.#fillers) {
        if (filler.topic !== topic) continue;
        await this.#prepare(filler, batch);
        if (this.#isClosed) return;
        filler.apply(batch);
      }
    }
  }

  /** Waits for schemas as partitions do: an outage of the registry holds the store up and ends nothing. */
  async #prepare(filler: GlobalStoreFiller, batch: RecordBatch): Promise<void> {
    const { clock, log, random } = this.#config;
    for (let failures = 1; !this.#isClosed; failures += 1) {
      try {
        await filler.prepare(batch);
        return;
      } catch (error) {
        if (error instanceof StreamsError && error.recovery !== 'retry') throw error;
        log.warn({ err: error, topic: filler.topic, failures }, 'Schemas are out of reach; the global store waits');
        await sleep(clock, backoffMs(failures, SCHEMA_BACKOFF, random));
      }
    }
  }

  /** The position fell out of the log (retention): goes on at its beginning. */
  async #restart(partition: TopicPartition): Promise<void> {
    const begins = await this.#broker.admin().beginningOffsets([partition]);
    this.#consumer?.seek(partition, begins.get(topicPartitionKey(partition.topic, partition.partition)) ?? 0);
  }

  changelogOffsets(): ReadonlyMap<TopicPartitionKey, number> {
    const offsets = new Map<TopicPartitionKey, number>();
    if (this.#consumer === undefined) return offsets;
    for (const each of this.#partitions) {
      offsets.set(topicPartitionKey(each.topic, each.partition), this.#consumer.position(each));
    }
    return offsets;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#state = nextTaskState(this.taskId, this.#state, 'close');
    this.queries.close();
    const closes = [() => this.#consumer?.close(), ...this.#fillers.map((filler) => () => filler.close())];
    const failures: unknown[] = [];
    for (const close of closes) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
