import { join } from 'node:path';
import type { StreamsConfig } from '../../base/config.ts';
import { DeserializationError, StreamsError } from '../../base/errors.ts';
import type { Log, Metrics } from '../../base/metrics.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import type { Cancellable, RecordMetadata } from '../../processor/processor.ts';
import type { StateStore } from '../../state/state-store.ts';
import type { GlobalStoreSpec } from '../../topology/nodes.ts';
import { asError } from '../errors.ts';
import { type ContextHost, NodeContext } from '../nodes/node-context.ts';
import { type GraphHost, ProcessorTaskNode, SourceTaskNode } from '../nodes/task-nodes.ts';

/**
 * One global store with the processor that fills it from its topic.
 *
 * Owns: store, source and processor. Called by: GlobalState, TopologyTestDriver.
 * Invariants: I1 nothing is forwarded or logged from here; a record that fails is skipped or ends it, as the handlers say.
 */
export class GlobalStoreFiller implements GraphHost, ContextHost {
  readonly applicationId: string;
  readonly taskId = 'global';
  readonly metrics: Metrics;
  readonly log: Log;
  /** The topic whose records fill the store, from all partitions. */
  readonly topic: string;
  /** The store, open from the beginning. */
  readonly stateStore: StateStore;
  /** ContextHost: timestamp of the record being applied. */
  timestampMs = 0;
  record: undefined;
  readonly openRecords = undefined;
  /** ContextHost: global processors keep no records back. */
  origin: RecordMetadata | undefined;
  readonly #source: SourceTaskNode;
  readonly #node: ProcessorTaskNode;
  readonly config: StreamsConfig;
  readonly processorMetadata = new Map<string, number>();
  #metadata: RecordMetadata | undefined;

  /** Opens the store. One on disk begins empty: its topic is read from the beginning each time. */
  constructor(spec: GlobalStoreSpec, config: StreamsConfig, stateDirectory: string) {
    this.applicationId = config.applicationId;
    this.metrics = config.metrics;
    this.log = config.log;
    this.topic = spec.topic;
    this.config = config;
    this.stateStore = spec.store.build();
    if (this.stateStore.persistent) {
      // Filled from its topic at each start: what an earlier run left on disk would only mix with it.
      config.disk.removeSync(join(stateDirectory, this.stateStore.name));
      config.disk.makeFolderSync(stateDirectory);
    }
    this.stateStore.open({
      applicationId: config.applicationId,
      taskId: this.taskId,
      stateDirectory,
      disk: config.disk,
      clock: config.clock,
      metrics: config.metrics,
      log: config.log,
      timestampMs: () => this.timestampMs,
      logChange() {},
    });
    this.#source = new SourceTaskNode(spec.source);
    this.#node = new ProcessorTaskNode(spec.processor.name, spec.processor.supplier.get(), this);
    this.#source.children.push(this.#node);
    this.#node.processor.init?.(new NodeContext(spec.processor.name, [spec.store.name], this));
  }

  /** Applies a batch and releases it. */
  apply(batch: RecordBatch): void {
    for (let row = 0; row < batch.count; row += 1) {
      const offset = batch.offsets[row] as number;
      const metadata = { topic: batch.topic, partition: batch.partition, offset };
      this.#metadata = metadata;
      const timestampMs = this.#timestampOf(batch, row, metadata);
      if (timestampMs === undefined) continue;
      this.timestampMs = timestampMs;
      this.#source.process(batch, row, timestampMs);
    }
    this.#metadata = undefined;
    batch.release();
    if (this.stateStore.wantsCommit === true) this.stateStore.commit(undefined);
  }

  /** Undefined for a record that is left out: its extractor found no time, or could not decode what it looked at. */
  #timestampOf(batch: RecordBatch, row: number, metadata: RecordMetadata): number | undefined {
    const extractor = this.#source.spec.timestampExtractor;
    if (extractor === undefined) return Math.max(0, batch.timestamps[row] as number);
    try {
      const record = this.#source.headView(batch, row);
      const timestampMs = Math.floor(extractor.extract(record, metadata, this.timestampMs, this.systemTimeMs()));
      if (timestampMs >= 0) return timestampMs;
      this.countDropped(this.#source.name, 'negative-timestamp');
    } catch (error) {
      // Anything else that an extractor throws ends the store, whatever the handlers say of records.
      if (!(error instanceof DeserializationError)) throw error;
      this.nodeFailed(this.#source.name, error);
    }
    return undefined;
  }

  /** Resolves when every serde can decode the batch without I/O; undefined when nothing is missing. */
  prepare(batch: RecordBatch): Promise<void> | undefined {
    const { keySerde, valueSerde } = this.#source.spec;
    const key = keySerde.prepare?.(batch, 'key');
    const value = valueSerde.prepare?.(batch, 'value');
    if (key === undefined && value === undefined) return undefined;
    return Promise.all([key, value]).then(() => undefined);
  }

  /** Closes processor and store. */
  close(): void {
    this.#node.processor.close?.();
    this.stateStore.close();
  }

  nodeFailed(nodeName: string, thrown: unknown): void {
    const error = asError(thrown);
    const where = {
      ...(this.#metadata ?? { topic: this.topic, partition: -1, offset: -1 }),
      taskId: this.taskId,
      processorNodeId: nodeName,
    };
    const undecodable = error instanceof StreamsError && error.code === 'DESERIALIZATION';
    const handler = undecodable ? this.config.deserializationExceptionHandler : this.config.processingExceptionHandler;
    if (handler(where, error) === 'fail') throw error;
    this.countDropped(nodeName, 'global-store-error');
  }

  sendFailed(_nodeName: string, _topic: string, thrown: unknown): void {
    throw thrown;
  }

  currentMetadata(): RecordMetadata | undefined {
    return this.#metadata;
  }

  streamTimeMs(): number {
    return this.timestampMs;
  }

  systemTimeMs(): number {
    return this.config.clock.nowMs();
  }

  countDropped(nodeName: string, reason: string): void {
    this.metrics.count('dropped-records-total', { 'task-id': 'global', 'processor-node-id': nodeName, reason }, 1);
  }

  requestCommit(): void {}

  schedule(nodeName: string): Cancellable {
    throw new StreamsError(`Processor ${nodeName} fills a global store: it has no punctuators`, {
      code: 'INVALID_STATE',
      recovery: 'fail',
    });
  }

  store(name: string): StateStore | undefined {
    return name === this.stateStore.name ? this.stateStore : undefined;
  }

  isGlobalStore(): boolean {
    return true;
  }
}
