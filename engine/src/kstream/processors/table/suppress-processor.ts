import { StreamsError } from '../../../base/errors.ts';
import type { Metrics, MetricTags } from '../../../base/metrics.ts';
import { Headers } from '../../../processor/headers.ts';
import { type InternalProcessorContext, internalContext } from '../../../processor/internal-processor-context.ts';
import type { Processor, ProcessorContext, RecordMetadata } from '../../../processor/processor.ts';
import { type HeaderSource, Record } from '../../../processor/record.ts';
import type { Serde } from '../../../serde/serde.ts';
import type { BufferedContext } from '../../../state/buffer/buffered-change.ts';
import type { BufferEntry, MemoryChangeBuffer } from '../../../state/buffer/memory-change-buffer.ts';
import { changelogTopicName } from '../../../topology/internal-topics.ts';
import type { BufferConfig } from '../../windows/suppressed.ts';
import { Change } from './change.ts';
import type { TableValueGetterSupplier } from './table-value-getter.ts';

/** How a suppression holds changes back. */
export interface SuppressSpec<K, V> {
  /** Store of what is held back. */
  readonly storeName: string;
  /** Of the table's keys, of windowed tables with their windows. */
  readonly keySerde: Serde<K>;
  /** Of the table's values. */
  readonly valueSerde: Serde<V>;
  /** How long an update waits after its buffer time, ms. */
  readonly waitMs: number;
  /** How much may be held back, and what happens beyond that. */
  readonly buffer: BufferConfig;
  /** The time that the wait is counted from, epoch ms. */
  readonly bufferTimeMs: (key: K, timestampMs: number) => number;
  /** True for final results: a window whose result is a deletion was never seen below, so nothing is sent. */
  readonly dropsDeletions: boolean;
}

const noHeaders: BufferedContext['headers'] = [];
/** Of records that no source record brought (punctuators). */
const NOWHERE: RecordMetadata = { topic: '', partition: -1, offset: -1 };

/**
 * Holds a table's changes back until stream time has passed their buffer time by the wait, or until the buffer is full.
 *
 * Owns: the stream time that it observed, its output record and change; what is held back is the buffer's.
 * Called by: the task.
 * Invariants: I1 changes leave in the order of buffer time, then key bytes; I2 a change leaves with timestamp, headers and origin
 * of the last update that made it; I3 time moves by records that reach this node only, and begins anew when the task does.
 */
export class SuppressProcessor<K, V> implements Processor<K, Change<V>, K, Change<V>>, HeaderSource {
  readonly #spec: SuppressSpec<K, V>;
  readonly #change = new Change<V>();
  readonly #output = new Record<K, Change<V>>(null as K, this.#change, 0);
  #context!: InternalProcessorContext<K, Change<V>>;
  #buffer!: MemoryChangeBuffer;
  #topic = '';
  #streamTimeMs = -1;
  #headers = noHeaders;
  #metrics!: Metrics;
  #tags: MetricTags = {};

  constructor(spec: SuppressSpec<K, V>) {
    this.#spec = spec;
  }

  init(context: ProcessorContext<K, Change<V>>): void {
    const internal = internalContext(context);
    this.#context = internal;
    this.#buffer = context.getStateStore<MemoryChangeBuffer>(this.#spec.storeName);
    this.#topic = changelogTopicName(context.applicationId, this.#spec.storeName);
    this.#metrics = internal.config.metrics;
    this.#tags = { 'task-id': context.taskId, 'processor-node-id': internal.nodeName };
  }

  process(record: Record<K, Change<V>>): void {
    if (record.timestamp > this.#streamTimeMs) this.#streamTimeMs = record.timestamp;
    this.#hold(record);
    const emitted = this.#emitDue() + this.#enforceLimits();
    if (emitted > 0) this.#metrics.count('suppression-emit-total', this.#tags, emitted);
  }

  /** HeaderSource of the output record. */
  readHeaders(): Headers {
    return new Headers(this.#headers);
  }

  #hold(record: Record<K, Change<V>>): void {
    const { keySerde, valueSerde, bufferTimeMs } = this.#spec;
    const { newDatum, oldDatum } = record.value;
    const topic = this.#topic;
    const { topic: from, partition, offset } = this.#context.recordMetadata() ?? NOWHERE;
    this.#buffer.put(record.keyDatum.binary(keySerde, topic), bufferTimeMs(record.key, record.timestamp), {
      context: {
        timestampMs: record.timestamp,
        offset,
        topic: from,
        partition,
        headers: [...(record.headerEntries() ?? noHeaders)],
      },
      oldValue: oldDatum.copyBytes(valueSerde, topic),
      newValue: newDatum.copyBytes(valueSerde, topic),
    });
  }

  #emitDue(): number {
    const dueMs = this.#streamTimeMs - this.#spec.waitMs;
    let emitted = 0;
    for (let entry = this.#buffer.first(); entry !== undefined; entry = this.#buffer.first()) {
      if (entry.bufferTimeMs > dueMs) break;
      emitted += this.#emit(entry);
    }
    return emitted;
  }

  #enforceLimits(): number {
    const buffer = this.#buffer;
    const { recordsMax, bytesMax, whenFull } = this.#spec.buffer;
    let emitted = 0;
    while (buffer.size > recordsMax || buffer.sizeBytes > bytesMax) {
      const entry = buffer.first();
      if (entry === undefined) break;
      if (whenFull === 'shut-down') {
        throw new StreamsError(
          `The buffer of ${this.#context.nodeName} is full: ${buffer.size} of ${recordsMax} records, ${buffer.sizeBytes} of ${bytesMax} bytes. Raise the limit of its BufferConfig, or let it emit early.`,
          { code: 'PROCESSING', recovery: 'fail' },
        );
      }
      emitted += this.#emit(entry);
    }
    return emitted;
  }

  /** Forwards an entry and removes it; 0 where it is left out. */
  #emit(entry: BufferEntry): number {
    const { context, newValue, oldValue } = entry.change;
    const isLeftOut = newValue === null && this.#spec.dropsDeletions;
    if (!isLeftOut) {
      const { keySerde, valueSerde } = this.#spec;
      const topic = this.#topic;
      const { newDatum, oldDatum } = this.#change;
      const output = this.#output;
      const key = Buffer.from(entry.key, 'latin1');
      output.keyDatum.setBytes(key, 0, key.length, keySerde, topic, true);
      if (newValue === null) newDatum.setNull();
      else newDatum.setBytes(newValue, 0, newValue.length, valueSerde, topic, true);
      if (oldValue === null) oldDatum.setNull();
      else oldDatum.setBytes(oldValue, 0, oldValue.length, valueSerde, topic, true);
      output.timestamp = context.timestampMs;
      this.#headers = context.headers;
      output.resetHeaders(context.headers.length === 0 ? undefined : this);
      this.#context.forwardFrom(context, output);
    }
    this.#buffer.evict(entry);
    return isLeftOut ? 0 : 1;
  }
}

/** Reads a table through the buffer that holds its changes back: what was last let through, or what the table above has. */
export function suppressGetter<K, V>(
  above: TableValueGetterSupplier<K, V>,
  spec: Pick<SuppressSpec<K, V>, 'storeName' | 'keySerde' | 'valueSerde'>,
): TableValueGetterSupplier<K, V> {
  const { storeName, keySerde, valueSerde } = spec;
  return {
    storeNames: [storeName, ...above.storeNames],
    get(context) {
      const getter = above.get(context);
      const buffer = context.getStateStore<MemoryChangeBuffer>(storeName);
      const topic = changelogTopicName(context.applicationId, storeName);
      return {
        read(key, into) {
          const held = buffer.get(key.binary(keySerde, topic));
          if (held === undefined) return getter.read(key, into);
          const { priorValue } = held.change;
          if (priorValue === null) into.setNull();
          else into.setBytes(priorValue, 0, priorValue.length, valueSerde, topic, true);
          // The time of the value before is not kept, nor is it in Kafka Streams.
          return -1;
        },
      };
    },
  };
}
