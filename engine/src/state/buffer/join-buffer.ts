import { type BinaryKey, binaryKey, bytesOf } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { MemoryKeyValueStore } from '../memory/memory-key-value-store.ts';
import { LmdbKeyValueStore } from '../persistent/lmdb-key-value-store.ts';
import type { KeyValueBytesStore, StateStore, StateStoreContext, StoreBuilder } from '../state-store.ts';
import { storeClosed } from '../store-support.ts';
import { SEQUENCE_MAX, windowSuffix } from '../window-key.ts';
import { type BufferedContext, decodeBufferedChange, encodeBufferedChange } from './buffered-change.ts';

/** The first byte of a key, by which Kafka Streams tells keys that begin with the time from others. */
const TIME_FIRST = '\u0000';
const TIME_BYTES = 8;
const SEQUENCE_BYTES = 4;
const KEY_START = TIME_FIRST.length + TIME_BYTES;
/** Format of the values: `encodeBufferedChange` writes no other. */
const VALUE_FORMAT = 3;
const ZERO_SEQUENCE = 0;

/** A record that waits, as it leaves the buffer. */
export interface BufferedJoinRecord {
  /** Serialized key of the record, without the time that its place in the buffer begins with. */
  readonly key: Buffer;
  /** Serialized value; never null, since records without a value do not wait. */
  readonly value: Buffer;
  /** Timestamp, topic and headers with which the record is processed now. */
  readonly context: BufferedContext;
}

/**
 * Records of a stream that wait until the table they join has had time to catch up, ordered by time, key bytes and arrival.
 *
 * Owns: the waiting records, the stream time of those it took, their sequence numbers.
 * Called by: the join node of one task, on its thread.
 * Invariants: I1 every put and removal goes to the changelog at once, with the producer's time; I2 no record waits once stream time −
 * grace has reached it; I3 two records never have one sequence number, also after a restore.
 */
export class JoinBuffer implements StateStore {
  readonly name: string;
  readonly #records: KeyValueBytesStore;
  readonly #graceMs: number;
  #streamTimeMs = -1;
  #sequence = 0;
  #context: StateStoreContext | undefined;

  /** `graceMs`: how long records wait, in stream time. `records` keeps them and logs nothing itself. */
  constructor(name: string, graceMs: number, records: KeyValueBytesStore) {
    this.name = name;
    this.#graceMs = graceMs;
    this.#records = records;
  }

  get persistent(): boolean {
    return this.#records.persistent;
  }

  get isOpen(): boolean {
    return this.#records.isOpen;
  }

  get restoredOffset(): number | undefined {
    return this.#records.restoredOffset;
  }

  get lastDurableMs(): number | undefined {
    return this.#records.lastDurableMs;
  }

  get wantsCommit(): boolean {
    return this.#records.wantsCommit === true;
  }

  open(context: StateStoreContext): void {
    this.#records.open(context);
    this.#context = context;
    this.#readPosition();
  }

  /** False where the record is too late to wait. */
  put(key: BinaryKey, value: Buffer, context: BufferedContext): boolean {
    const store = this.#context;
    if (store === undefined) throw storeClosed(this.name);
    const { timestampMs } = context;
    if (timestampMs < this.#streamTimeMs - this.#graceMs) return false;
    if (timestampMs > this.#streamTimeMs) this.#streamTimeMs = timestampMs;
    this.#sequence = (this.#sequence + 1) & SEQUENCE_MAX;
    const change = { context, priorValue: null, oldValue: null, newValue: value };
    this.#write(store, recordKey(timestampMs, key, this.#sequence), encodeBufferedChange(change, 0));
    return true;
  }

  /** Hands over each record whose grace has passed, in order, and removes it. */
  evict(emit: (record: BufferedJoinRecord) => void): void {
    const store = this.#context;
    if (store === undefined) throw storeClosed(this.name);
    const dueMs = this.#streamTimeMs - this.#graceMs;
    if (dueMs < 0) return;
    const due = this.#records.range(undefined, timePrefix(dueMs + 1), 'forward');
    try {
      for (let step = due.next(); step.done !== true; step = due.next()) {
        const { key, value } = step.value;
        emit(decode(key, value));
        this.#write(store, key, null);
      }
    } finally {
      due.close();
    }
  }

  restore(batch: RecordBatch, nextOffset: number): void {
    for (let row = 0; row < batch.count; row += 1) {
      const start = batch.keyStarts[row] as number;
      if (start >= 0) this.#notePosition(binaryKey(batch.buffer, start, batch.keyEnds[row] as number));
    }
    this.#records.restore(batch, nextOffset);
  }

  flush(): void {}

  commit(changelogOffset: number | undefined): void {
    this.#records.commit(changelogOffset);
  }

  rollback(): boolean {
    const forgotten = this.#records.rollback();
    if (forgotten) this.#readPosition();
    return forgotten;
  }

  close(): void {
    this.#context = undefined;
    this.#records.close();
  }

  wipe(): void {
    this.#records.wipe();
  }

  /** Records that wait; for tests. */
  get size(): number {
    let size = 0;
    for (const _record of this.#records.range(undefined, undefined, 'forward')) size += 1;
    return size;
  }

  #write(store: StateStoreContext, key: BinaryKey, value: Buffer | null): void {
    this.#records.put(key, value, 0);
    store.logChange(this.name, key, value, null);
  }

  #readPosition(): void {
    this.#streamTimeMs = -1;
    this.#sequence = 0;
    for (const { key } of this.#records.range(undefined, undefined, 'forward')) this.#notePosition(key);
  }

  #notePosition(key: BinaryKey): void {
    if (key.length < KEY_START + SEQUENCE_BYTES) return;
    const bytes = bytesOf(key);
    this.#streamTimeMs = Math.max(this.#streamTimeMs, Number(bytes.readBigInt64BE(TIME_FIRST.length)));
    this.#sequence = Math.max(this.#sequence, bytes.readInt32BE(bytes.length - SEQUENCE_BYTES));
  }
}

function timePrefix(timeMs: number): BinaryKey {
  return (TIME_FIRST + windowSuffix(timeMs, ZERO_SEQUENCE).slice(0, TIME_BYTES)) as BinaryKey;
}

function recordKey(timeMs: number, key: BinaryKey, sequence: number): BinaryKey {
  const suffix = windowSuffix(timeMs, sequence);
  return (TIME_FIRST + suffix.slice(0, TIME_BYTES) + key + suffix.slice(TIME_BYTES)) as BinaryKey;
}

function decode(recordKeyBytes: BinaryKey, value: Buffer): BufferedJoinRecord {
  const nowhere = { timestampMs: 0, offset: -1, topic: '', partition: -1, headers: [] };
  const { change } = decodeBufferedChange(value, VALUE_FORMAT, { context: nowhere, bufferedPrior: undefined });
  const key = Buffer.from(recordKeyBytes.slice(KEY_START, -SEQUENCE_BYTES), 'latin1');
  return { key, value: change.newValue as Buffer, context: change.context };
}

/** The builder of a grace join's buffer. */
export function joinBufferBuilder(options: {
  /** Name of the store, and of its changelog. */
  readonly name: string;
  /** How long records wait for the table, ms of stream time. */
  readonly graceMs: number;
  /** Whether the records that wait lie in memory or on disk. */
  readonly store: 'memory' | 'persistent';
}): StoreBuilder<JoinBuffer> {
  const { name, graceMs } = options;
  const records = { name, loggingEnabled: false };
  const persistent = options.store === 'persistent';
  return Object.freeze({
    name,
    kind: 'key-value' as const,
    persistent,
    loggingEnabled: true,
    loggingConfig: {},
    cachingEnabled: false,
    build: () =>
      new JoinBuffer(name, graceMs, persistent ? new LmdbKeyValueStore(records) : new MemoryKeyValueStore(records)),
  });
}
