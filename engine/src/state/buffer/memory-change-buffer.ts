import { type BinaryKey, binaryKey } from '../../base/bytes.ts';
import { decodeHeaders } from '../../base/headers-codec.ts';
import type { Header, RecordBatch } from '../../base/record-batch.ts';
import type { StateStore, StateStoreContext, StoreBuilder } from '../state-store.ts';
import { copyRow, storeClosed } from '../store-support.ts';
import { type BufferedChange, decodeBufferedChange, encodeBufferedChange, entryBytes } from './buffered-change.ts';
import { DirtyKeys } from './dirty-keys.ts';

/** A key in a {@link MemoryChangeBuffer}. */
export interface BufferEntry {
  /** The serialized key; windowed keys with their bounds. */
  readonly key: BinaryKey;
  /** Its place in the order of eviction; later changes of the key keep it. */
  readonly bufferTimeMs: number;
  /** All buffered changes of the key as one: from its prior value to its newest. */
  readonly change: BufferedChange;
}

interface HeldEntry {
  readonly key: BinaryKey;
  readonly bufferTimeMs: number;
  change: BufferedChange;
  /** As Kafka Streams counts it. */
  bytes: number;
  /** Evicted or deleted entries stay in the heap until they come to its top. */
  isHeld: boolean;
}

const FORMAT_HEADER = 'v';
/** Every changelog record but tombstones says its format; ours is 3, as that of Kafka Streams since 2.6. */
const formatHeaders: readonly Header[] = [{ key: FORMAT_HEADER, value: Buffer.of(3) }];

/**
 * Changes of a table that are held back, ordered by buffer time, then key bytes. In memory always, as in Kafka Streams, and
 * restored from its changelog.
 *
 * Owns: the entries. Called by: the suppress node and value getters of one task, on its thread.
 * Invariants: I1 a key has one entry at most; I2 a change of a buffered key keeps the place and the prior value of the first; I3 the
 * changelog gets one record for each key that changed since the last commit, at the commit, in Kafka Streams' order.
 */
export class MemoryChangeBuffer implements StateStore {
  readonly name: string;
  readonly persistent = false;
  readonly restoredOffset = undefined;
  readonly #isLoggingEnabled: boolean;
  readonly #entries = new Map<BinaryKey, HeldEntry>();
  readonly #heap: HeldEntry[] = [];
  readonly #dirty = new DirtyKeys();
  #bytes = 0;
  #context: StateStoreContext | undefined;

  /** `loggingEnabled` false: there is no changelog, and what is held back is lost when the task moves. */
  constructor(name: string, loggingEnabled: boolean) {
    this.name = name;
    this.#isLoggingEnabled = loggingEnabled;
  }

  get isOpen(): boolean {
    return this.#context !== undefined;
  }

  /** Whether the next commit has something for the changelog. */
  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /** Keys in the buffer. */
  get size(): number {
    return this.#entries.size;
  }

  /** Memory by Kafka Streams' estimate. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  open(context: StateStoreContext): void {
    this.#context = context;
  }

  /** What is held back of a key; undefined where nothing is. Reading does not change its place. */
  get(key: BinaryKey): BufferEntry | undefined {
    return this.#entries.get(key);
  }

  /** The next entry to leave; undefined when the buffer is empty. */
  first(): BufferEntry | undefined {
    const heap = this.#heap;
    while (heap.length > 0 && heap[0]?.isHeld === false) this.#popHeap();
    return heap[0];
  }

  /** Buffers a change; that of a buffered key takes its place in the order and its prior value. */
  put(key: BinaryKey, bufferTimeMs: number, change: Omit<BufferedChange, 'priorValue'>): void {
    if (this.#context === undefined) throw storeClosed(this.name);
    const held = this.#entries.get(key);
    const priorValue = held === undefined ? change.oldValue : held.change.priorValue;
    const { context, oldValue, newValue } = change;
    this.#place(key, bufferTimeMs, { context, priorValue, oldValue, newValue });
    if (this.#isLoggingEnabled) this.#dirty.add(key);
  }

  /** Removes what `first` answered. */
  evict(entry: BufferEntry): void {
    this.#remove(entry as HeldEntry);
    if (this.#isLoggingEnabled) this.#dirty.add(entry.key);
  }

  restore(batch: RecordBatch): void {
    for (let row = 0; row < batch.count; row += 1) {
      const keyStart = batch.keyStarts[row] as number;
      if (keyStart < 0) continue;
      const key = binaryKey(batch.buffer, keyStart, batch.keyEnds[row] as number);
      const held = this.#entries.get(key);
      const value = copyRow(batch, row);
      if (value === null) {
        if (held !== undefined) this.#remove(held);
        continue;
      }
      const headers = decodeHeaders(batch.buffer, batch.headerStarts[row] as number, batch.headerEnds[row] as number);
      const { change, bufferTimeMs } = decodeBufferedChange(value, formatOf(headers), {
        context: {
          timestampMs: batch.timestamps[row] as number,
          offset: batch.offsets[row] as number,
          topic: batch.topic,
          partition: batch.partition,
          headers,
        },
        bufferedPrior: held?.change.priorValue,
      });
      this.#place(key, bufferTimeMs, change);
    }
  }

  /** Before the outputs of a commit are flushed: the changelog gets what changed. */
  flush(): void {
    const context = this.#context;
    if (context === undefined) throw storeClosed(this.name);
    const tags = { 'task-id': context.taskId, 'in-memory-suppression-id': this.name };
    context.metrics.gauge('suppression-buffer-count', tags, this.size);
    context.metrics.gauge('suppression-buffer-size', tags, this.sizeBytes);
    if (this.#dirty.size === 0) return;
    for (const key of this.#dirty.drain()) {
      const held = this.#entries.get(key);
      if (held === undefined) context.logChange(this.name, key, null, null);
      else {
        const value = encodeBufferedChange(held.change, held.bufferTimeMs);
        context.logChange(this.name, key, value, null, formatHeaders);
      }
    }
  }

  commit(): void {}

  rollback(): boolean {
    return false;
  }

  close(): void {
    this.#context = undefined;
    this.#entries.clear();
    this.#heap.length = 0;
    this.#dirty.clear();
    this.#bytes = 0;
  }

  wipe(): void {}

  #place(key: BinaryKey, bufferTimeMs: number, change: BufferedChange): void {
    const bytes = entryBytes(key.length, change);
    const held = this.#entries.get(key);
    if (held !== undefined) {
      this.#bytes += bytes - held.bytes;
      held.change = change;
      held.bytes = bytes;
      return;
    }
    const entry: HeldEntry = { key, bufferTimeMs, change, bytes, isHeld: true };
    this.#entries.set(key, entry);
    this.#bytes += bytes;
    this.#pushHeap(entry);
  }

  #remove(entry: HeldEntry): void {
    entry.isHeld = false;
    this.#entries.delete(entry.key);
    this.#bytes -= entry.bytes;
  }

  #pushHeap(entry: HeldEntry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex] as HeldEntry;
      if (!isBefore(entry, parent)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  #popHeap(): void {
    const heap = this.#heap;
    const last = heap.pop() as HeldEntry;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= heap.length) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, heap[childIndex] as HeldEntry)) childIndex += 1;
      const child = heap[childIndex] as HeldEntry;
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
  }
}

function isBefore(a: HeldEntry, b: HeldEntry): boolean {
  return a.bufferTimeMs === b.bufferTimeMs ? a.key < b.key : a.bufferTimeMs < b.bufferTimeMs;
}

function formatOf(headers: readonly Header[]): number {
  const header = headers.findLast(({ key }) => key === FORMAT_HEADER);
  if (header === undefined) return 0;
  // Anything but one byte is no format; -1 is refused where formats are read.
  return header.value?.length === 1 ? (header.value[0] as number) : -1;
}

/** Logging of a buffer's changelog. */
export interface ChangeBufferOptions {
  /** Name of the store, and of its changelog. */
  readonly name: string;
  /** Whether a changelog lets what is held back survive a restart. */
  readonly loggingEnabled: boolean;
  /** Overrides of the changelog topic's configuration. */
  readonly loggingConfig: Readonly<Record<string, string>>;
}

/** The builder of a {@link MemoryChangeBuffer}. */
export function changeBufferBuilder(options: ChangeBufferOptions): StoreBuilder<MemoryChangeBuffer> {
  const { name, loggingEnabled, loggingConfig } = options;
  return Object.freeze({
    name,
    kind: 'buffer' as const,
    persistent: false,
    loggingEnabled,
    loggingConfig,
    cachingEnabled: false,
    build: () => new MemoryChangeBuffer(name, loggingEnabled),
  });
}
