import type { Clock } from '../../base/clock.ts';
import type { StreamsConfig } from '../../base/config.ts';
import { StreamsError } from '../../base/errors.ts';
import { topicPartitionKey } from '../../base/record-batch.ts';
import type { BrokerProducer, EncodedBatch, ProduceResult } from '../../broker/broker.ts';
import { BufferPool } from '../../broker/buffer-pool.ts';
import type { RecordBatchWriter } from '../../broker/record-batch-writer.ts';
import { asError } from '../errors.ts';
import { BatchingChangelog, BatchingOutput, type OutputHost } from './batching-output.ts';
import type { ChangelogOutput, OutputTopic, RecordCollector } from './record-collector.ts';

/**
 * Unacknowledged bytes above which tasks take no more records: several full requests a broker, so that five in flight stay
 * busy, and little enough that a slow broker doesn't fill the memory.
 */
const IN_FLIGHT_BYTES_MAX = 32 * 1024 * 1024;

/** How output leaves, and who is told. */
export interface BatchingCollectorOptions {
  /** Sends the batches; closed by whoever made it. */
  readonly producer: BrokerProducer;
  /** Batch size, linger, compression, and the handler of production errors. */
  readonly config: StreamsConfig;
  /** Partition counts known at start: static sinks, changelogs, repartition topics. */
  readonly partitionCounts: ReadonlyMap<string, number>;
  /** For topics chosen at run time. Rejects when there is no such topic. */
  readonly lookUpPartitionCount: (topic: string) => Promise<number>;
  /** An acknowledgement or an error arrived. */
  readonly wake: () => void;
}

/**
 * Gathers the output of a thread's tasks into one batch a partition and sends outputs and changelogs of all of them in one
 * Produce a broker.
 *
 * Owns: batch writers, what is in flight, acknowledged ends of partitions. Called by: sinks, stores, StreamThread.
 * Invariants: I1 order per partition is the order of the calls; I2 `flush` resolves only after everything appended before it was
 * acknowledged, and rejects if any of it was lost; I3 a failure stays until the collector is thrown away.
 */
export class BatchingCollector implements RecordCollector, OutputHost {
  readonly config: StreamsConfig;
  readonly clock: Clock;
  readonly pool: BufferPool;
  readonly #options: BatchingCollectorOptions;
  readonly #outputs = new Map<string, BatchingOutput>();
  readonly #ackedEnds = new Map<string, number>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #lookUps = new Set<Promise<void>>();
  #open: RecordBatchWriter[] = [];
  #openSinceMs = 0;
  #inFlightBytes = 0;
  #failure: Error | undefined;

  /** Batches have the size `batchSizeBytes`. */
  constructor(options: BatchingCollectorOptions) {
    this.#options = options;
    this.config = options.config;
    this.clock = options.config.clock;
    this.pool = new BufferPool(options.config.batchSizeBytes);
  }

  output(topic: string): OutputTopic {
    let output = this.#outputs.get(topic);
    if (output === undefined) {
      output = new BatchingOutput(topic, this.#options.partitionCounts.get(topic), this);
      this.#outputs.set(topic, output);
    }
    return output;
  }

  changelog(topic: string, partition: number): ChangelogOutput {
    // Through the same writers as sinks: a changelog that is also written by a sink keeps its order.
    return new BatchingChangelog((this.output(topic) as BatchingOutput).writer(partition), this);
  }

  /** First offset after the last acknowledged record of a partition; undefined when nothing was written. */
  readonly ackedEnd = (topic: string, partition: number): number | undefined => {
    return this.#ackedEnds.get(topicPartitionKey(topic, partition));
  };

  /** True while no more records should be processed: too much is unacknowledged. */
  get isSaturated(): boolean {
    return this.#inFlightBytes >= IN_FLIGHT_BYTES_MAX;
  }

  /** Records wait in a batch that was not sent. */
  get hasUnsent(): boolean {
    return this.#open.length > 0;
  }

  /** Throws what was lost, once known. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Before the first record of a writer's batch. */
  opened(writer: RecordBatchWriter): void {
    if (this.#open.length === 0) this.#openSinceMs = this.clock.monotonicMs();
    this.#open.push(writer);
  }

  /**
   * Sends when nothing is in flight or linger has passed: a record on a quiet line leaves at once; under load records
   * gather while earlier requests are answered.
   */
  sendIfDue(): void {
    if (this.#open.length === 0) return;
    if (this.#inFlight.size === 0 || this.clock.monotonicMs() - this.#openSinceMs >= this.config.lingerMs) this.send();
  }

  /** Sends everything gathered so far. */
  send(): void {
    const open = this.#open;
    if (open.length === 0) return;
    this.#open = [];
    const batches: EncodedBatch[] = [];
    let bytes = 0;
    for (const writer of open) {
      const batch = writer.finish(this.config.compressionType);
      bytes += batch.bytes.length;
      batches.push(batch);
    }
    this.#inFlightBytes += bytes;
    const done = this.#options.producer
      .produce(batches)
      .then((results) => this.#acknowledged(batches, results))
      .catch((error: unknown) => {
        // Also what a user's handler throws.
        this.#failure ??= asError(error);
      })
      .finally(() => {
        this.#inFlightBytes -= bytes;
        this.#inFlight.delete(done);
        this.#options.wake();
      });
    this.#inFlight.add(done);
  }

  #acknowledged(batches: readonly EncodedBatch[], results: readonly ProduceResult[]): void {
    for (const [index, result] of results.entries()) {
      const batch =
        batches[index]?.topic === result.topic && batches[index]?.partition === result.partition
          ? batches[index]
          : batches.find(({ topic, partition }) => topic === result.topic && partition === result.partition);
      if (result.error !== undefined) this.#lost(result, result.lostRecords ?? batch?.recordCount ?? 0);
      else if (result.nextOffset >= 0) {
        this.#ackedEnds.set(topicPartitionKey(result.topic, result.partition), result.nextOffset);
      }
    }
  }

  #lost(result: ProduceResult, recordCount: number): void {
    const { error, partition, topic } = result;
    const where = { topic, partition, offset: -1, taskId: '', processorNodeId: '' };
    const retry = error instanceof StreamsError && error.recovery !== 'fail';
    if (!retry && this.config.productionExceptionHandler(where, error as Error) === 'continue') {
      this.config.log.warn({ err: error, topic, partition, recordCount }, 'Dropped records that could not be produced');
      this.config.metrics.count('dropped-records-total', { topic, reason: 'production-error' }, recordCount);
      return;
    }
    this.#failure ??= error;
  }

  /** Sends everything and waits for the acknowledgements. */
  async flush(): Promise<void> {
    while (this.#lookUps.size > 0) await Promise.all(this.#lookUps);
    this.send();
    await Promise.all(this.#inFlight);
    this.check();
  }

  /** Resolves the partition count of a topic that was not known at start. */
  lookUp(output: BatchingOutput): void {
    const done = this.#options
      .lookUpPartitionCount(output.topic)
      .then((count) => output.begin(count))
      .catch((error: unknown) => {
        this.#failure ??= asError(error);
      })
      .finally(() => {
        this.#lookUps.delete(done);
        this.#options.wake();
      });
    this.#lookUps.add(done);
  }

  /** Throws away what was not sent. What is in flight is not waited for. */
  discard(): void {
    for (const writer of this.#open) writer.discard();
    this.#open = [];
  }
}
