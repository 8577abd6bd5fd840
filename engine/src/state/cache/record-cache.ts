import type { BinaryKey } from '../../base/bytes.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type { CacheOrigin } from './cache-origin.ts';

/** What Kafka Streams reckons for an entry beside key and value: three references, a flag, timestamp, offset and partition. */
const ENTRY_OVERHEAD_BYTES = 3 * 8 + 1 + 8 + 8 + 4;

/** One value of one key, as it was put. */
export interface CacheEntry {
  /** The serialized value; null is a deletion. */
  readonly value: Buffer | null;
  /** Time of the put, epoch ms. */
  readonly timestampMs: number;
  /** Undefined for values that were only read. */
  readonly origin: CacheOrigin | undefined;
  /** What the entry counts for, by Kafka Streams' reckoning. */
  readonly sizeBytes: number;
}

/** A place in the cache. `id` is `key` and `suffix` put together; the suffix tells a key's windows apart. */
export interface CacheNode {
  /** Key and suffix as one: the place's name in the cache. */
  readonly id: BinaryKey;
  /** The serialized record key. */
  readonly key: BinaryKey;
  /** Window or session bounds; empty in key-value stores. */
  readonly suffix: BinaryKey;
  /** The newest put or read of the place. */
  entry: CacheEntry;
  /** The place that was used next after this one; undefined: none was. */
  newer: CacheNode | undefined;
  /** The place that was used last before this one; undefined: it goes first. */
  older: CacheNode | undefined;
  /**
   * Whether the store beneath has another value; then `dirtyBefore` and `dirtyAfter` are its neighbours in the order of
   * flushing.
   */
  isDirty: boolean;
  /** The dirty place that is flushed before this one. */
  dirtyBefore: CacheNode | undefined;
  /** The dirty place that is flushed after this one. */
  dirtyAfter: CacheNode | undefined;
}

/** A key with the value that leaves the cache. */
export interface DirtyEntry {
  /** The serialized record key. */
  readonly key: BinaryKey;
  /** Window or session bounds; empty in key-value stores. */
  readonly suffix: BinaryKey;
  /** What is written and told. */
  readonly entry: CacheEntry;
}

/** What a cache does with what leaves it, and how it reckons sizes. */
export interface RecordCacheOptions {
  /** Writes these entries to the store beneath and tells whoever listens, in order. */
  readonly onFlush: (entries: readonly DirtyEntry[]) => void;
  /** Bytes that Kafka Streams' cache adds to each key (the segment number of windows). */
  readonly keyOverheadBytes: number;
  /** Bytes that Kafka Streams' values have in front (the timestamp). */
  readonly valueOverheadBytes: number;
  /** Told of a new place. */
  readonly onAdded?: (node: CacheNode) => void;
  /** Told of a place that has left. */
  readonly onRemoved?: (node: CacheNode) => void;
}

/**
 * The cache of one store: newest values of its keys, least recently used last.
 *
 * Owns: the entries, their order of use and the order in which they became dirty.
 * Called by: {@link ThreadCache}, the caching stores.
 * Invariants: I1 every dirty key has an entry; I2 a flush hands over the dirty entries in the order of their latest put, an evicted
 * one first; I3 the cache is consistent while `onFlush` runs, which may come back with reads and puts; I4 sizes are reckoned as in
 * Kafka Streams, so that the same limit evicts at the same moments.
 */
export class RecordCache {
  readonly #options: RecordCacheOptions;
  readonly #nodes = new Map<BinaryKey, CacheNode>();
  readonly #sorted = new SortedKeys();
  #newest: CacheNode | undefined;
  #oldest: CacheNode | undefined;
  /** Both ends of the list of dirty nodes: a set of ids would hash every key twice more a put. */
  #firstDirty: CacheNode | undefined;
  #lastDirty: CacheNode | undefined;
  /** Size of all entries, by Kafka Streams' reckoning. */
  sizeBytes = 0;
  /** Whether flushed entries go downstream. */
  forwards = false;

  /** Empty. `options` say what happens to what leaves. */
  constructor(options: RecordCacheOptions) {
    this.#options = options;
  }

  /** Whether there is nothing to evict. */
  get isEmpty(): boolean {
    return this.#oldest === undefined;
  }

  /** Whether a flush would write anything. */
  get isDirty(): boolean {
    return this.#firstDirty !== undefined;
  }

  /** The place of an id; counts as a use. */
  get(id: BinaryKey): CacheNode | undefined {
    const node = this.#nodes.get(id);
    if (node !== undefined && node !== this.#newest) {
      this.#unlink(node);
      this.#linkNewest(node);
    }
    return node;
  }

  /** Puts a value and counts it as a use. `origin` undefined: the store beneath has it too, so it is not dirty. */
  put(
    key: BinaryKey,
    suffix: BinaryKey,
    value: Buffer | null,
    timestampMs: number,
    origin: CacheOrigin | undefined,
  ): void {
    const sizeBytes = this.#sizeOf(key.length + suffix.length, value, origin);
    const entry = { value, timestampMs, origin, sizeBytes };
    // Mostly what was read just before: then no id is put together and looked up once more.
    let node = this.#newest;
    if (node?.key !== key || node.suffix !== suffix) node = this.get((key + suffix) as BinaryKey);
    if (node === undefined) {
      const id = (key + suffix) as BinaryKey;
      node = {
        id,
        key,
        suffix,
        entry,
        newer: undefined,
        older: undefined,
        isDirty: false,
        dirtyBefore: undefined,
        dirtyAfter: undefined,
      };
      this.#nodes.set(id, node);
      this.#sorted.noteChange(id, this.#nodes.size);
      this.#linkNewest(node);
      this.#options.onAdded?.(node);
    } else {
      this.sizeBytes -= node.entry.sizeBytes;
      node.entry = entry;
    }
    this.sizeBytes += entry.sizeBytes;
    // It moves to the end of the flushing order, also when it was dirty before.
    if (origin !== undefined) this.#linkDirty(node);
  }

  /** Lets go of the least recently used entry; if it is dirty, everything dirty is flushed with it, as in Kafka Streams. */
  evict(): void {
    const node = this.#oldest;
    if (node === undefined) return;
    const { isDirty } = node;
    this.#unlinkDirty(node);
    this.#remove(node);
    if (isDirty) this.#flush(node);
  }

  /** Hands everything dirty over; entries stay, deletions leave. */
  flush(): void {
    if (this.isDirty) this.#flush(undefined);
  }

  /** Forgets everything, dirty entries too. */
  clear(): void {
    for (const node of this.#nodes.values()) this.#options.onRemoved?.(node);
    this.#nodes.clear();
    this.#firstDirty = undefined;
    this.#lastDirty = undefined;
    this.#sorted.clear();
    this.#newest = undefined;
    this.#oldest = undefined;
    this.sizeBytes = 0;
  }

  /** The places of this moment in byte order, from `from` on (reverse: down from it) until `isPast`. */
  nodesFrom(
    from: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
    isPast: (id: BinaryKey) => boolean,
  ): readonly CacheNode[] {
    return [...this.findFrom(from, direction, isPast)];
  }

  /**
   * Walks the places in byte order, from `from` on (reverse: down from it) until `isPast`, each looked up when it is asked for. Valid
   * only while nothing else happens to the cache.
   */
  *findFrom(
    from: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
    isPast: (id: BinaryKey) => boolean,
  ): Generator<CacheNode, void> {
    const ids = this.#sorted.scan(this.#nodes, from, direction);
    try {
      for (let step = ids.next(); step.done !== true && !isPast(step.value[0]); step = ids.next()) {
        yield this.#nodes.get(step.value[0]) as CacheNode;
      }
    } finally {
      this.#sorted.endScan();
    }
  }

  /** Brings the order of the places up to date, part by part: see `PreparedScans`. */
  prepareScan(steps: number): boolean {
    return this.#sorted.prepare(this.#nodes, steps);
  }

  #flush(evicted: CacheNode | undefined): void {
    const entries: DirtyEntry[] = [];
    const deleted: CacheNode[] = [];
    if (evicted !== undefined) entries.push({ key: evicted.key, suffix: evicted.suffix, entry: evicted.entry });
    // None is dirty before the entries are handed over: their effects may come back here.
    for (let node = this.#firstDirty; node !== undefined; node = this.#firstDirty) {
      this.#unlinkDirty(node);
      entries.push({ key: node.key, suffix: node.suffix, entry: node.entry });
      if (node.entry.value === null) deleted.push(node);
    }
    this.#options.onFlush(entries);
    for (const node of deleted) {
      if (this.#nodes.get(node.id) !== node || node.entry.value !== null) continue;
      this.#unlinkDirty(node);
      this.#remove(node);
    }
  }

  #remove(node: CacheNode): void {
    this.sizeBytes -= node.entry.sizeBytes;
    this.#unlink(node);
    this.#nodes.delete(node.id);
    this.#sorted.noteChange(node.id, this.#nodes.size);
    this.#options.onRemoved?.(node);
  }

  #linkDirty(node: CacheNode): void {
    if (node === this.#lastDirty) return;
    this.#unlinkDirty(node);
    node.isDirty = true;
    node.dirtyBefore = this.#lastDirty;
    if (this.#lastDirty !== undefined) this.#lastDirty.dirtyAfter = node;
    this.#lastDirty = node;
    this.#firstDirty ??= node;
  }

  #unlinkDirty(node: CacheNode): void {
    if (!node.isDirty) return;
    if (node.dirtyBefore === undefined) this.#firstDirty = node.dirtyAfter;
    else node.dirtyBefore.dirtyAfter = node.dirtyAfter;
    if (node.dirtyAfter === undefined) this.#lastDirty = node.dirtyBefore;
    else node.dirtyAfter.dirtyBefore = node.dirtyBefore;
    node.isDirty = false;
    node.dirtyBefore = undefined;
    node.dirtyAfter = undefined;
  }

  #unlink(node: CacheNode): void {
    if (node.newer === undefined) this.#newest = node.older;
    else node.newer.older = node.older;
    if (node.older === undefined) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    node.newer = undefined;
    node.older = undefined;
  }

  #linkNewest(node: CacheNode): void {
    node.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = node;
    this.#newest = node;
    this.#oldest ??= node;
  }

  #sizeOf(idBytes: number, value: Buffer | null, origin: CacheOrigin | undefined): number {
    const { keyOverheadBytes, valueOverheadBytes } = this.#options;
    let bytes = ENTRY_OVERHEAD_BYTES + keyOverheadBytes + idBytes;
    if (value !== null) bytes += valueOverheadBytes + value.length;
    if (origin === undefined) return bytes;
    bytes += origin.topic.length;
    if (origin.headers !== undefined) {
      for (const header of origin.headers) bytes += header.key.length + (header.value?.length ?? 0);
    }
    return bytes;
  }
}
