import type { BinaryKey } from '../../base/bytes.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type { CacheNode } from './record-cache.ts';

/** Cached places one after another, in the order in which Kafka Streams looks at them. */
export interface CacheWalk {
  /** Undefined: no more. What it answers may have left the cache meanwhile. */
  next(): CacheNode | undefined;
  /** Ends the walk early; one that answered undefined has ended by itself. May be called twice. */
  close(): void;
}

/** The places of the moment at which a list was made. */
export class ListedPlaces implements CacheWalk {
  readonly #nodes: readonly CacheNode[];
  #next = 0;

  /** `nodes` in the order in which they are to be answered. */
  constructor(nodes: readonly CacheNode[]) {
    this.#nodes = nodes;
  }

  next(): CacheNode | undefined {
    const node = this.#nodes[this.#next];
    this.#next += 1;
    return node;
  }

  close(): void {}
}

/** Places that are found as the walk goes on: only while nothing else happens to the cache. */
export class FoundPlaces implements CacheWalk {
  readonly #nodes: Iterator<CacheNode, void>;

  constructor(nodes: Iterator<CacheNode, void>) {
    this.#nodes = nodes;
  }

  next(): CacheNode | undefined {
    const step = this.#nodes.next();
    return step.done === true ? undefined : step.value;
  }

  close(): void {
    this.#nodes.return?.();
  }
}

const TIME_BYTES = 8;

/**
 * Places of other keys that one read looks at, at most. Kafka Streams has no such limit: there a read of a store in memory takes as
 * long as there are cached keys of the time that is read.
 */
const STRANGERS_MAX = 2_000;

/** Which places of a cache a read by time wants. */
export interface TimeRange {
  /** Time and what follows it in a cached key, both inclusive; undefined: open. */
  readonly from: BinaryKey | undefined;
  /** Where the range ends, inclusive like `from`; undefined: open. */
  readonly to: BinaryKey | undefined;
  /** By rising or by falling time. */
  readonly direction: 'forward' | 'reverse';
  /** The key that is read, and its places in the range. */
  readonly key: BinaryKey;
  /** The places that the key has in the range: asked for once a walk has passed too many places of other keys. */
  readonly own: () => readonly CacheNode[];
}

/**
 * The places of a cache by time, then key: the order in which Kafka Streams caches what stores in memory hold. Reading a key there
 * goes by the places of other keys of that time, and going by counts as a use, which decides what is evicted next.
 *
 * Owns: the order. Called by: the caching window and session stores, where the store beneath is in memory.
 * Invariants: I1 every place here is in the cache; I2 a walk sees the places of the moment at which it began.
 */
export class TimeOrder {
  readonly #nodes = new Map<BinaryKey, CacheNode>();
  readonly #sorted = new SortedKeys();
  /** What left the cache while walks were under way. */
  readonly #left = new Map<BinaryKey, CacheNode>();
  #openWalks = 0;

  /** Notes a place that the cache has taken in. */
  add(node: CacheNode): void {
    const id = orderOf(node);
    this.#nodes.set(id, node);
    this.#sorted.noteChange(id, this.#nodes.size);
  }

  /** Forgets a place that has left the cache; walks under way still come to it. */
  remove(node: CacheNode): void {
    const id = orderOf(node);
    this.#nodes.delete(id);
    this.#sorted.noteChange(id, this.#nodes.size);
    if (this.#openWalks > 0) this.#left.set(id, node);
  }

  /**
   * Goes through the range as it is now. The walk must come to its end or be closed: until then places that leave are
   * remembered.
   */
  walk(range: TimeRange): CacheWalk {
    const { from, to, direction } = range;
    const ids = this.#sorted.scan(this.#nodes, direction === 'forward' ? from : to, direction);
    this.#openWalks += 1;
    return new TimeWalk(
      range,
      ids,
      (id) => this.#nodes.get(id) ?? this.#left.get(id),
      () => this.#endWalk(),
    );
  }

  #endWalk(): void {
    this.#sorted.endScan();
    this.#openWalks -= 1;
    if (this.#openWalks === 0) this.#left.clear();
  }
}

/** Owns: the scan, until it is closed or at its end. */
class TimeWalk implements CacheWalk {
  readonly #range: TimeRange;
  readonly #ids: Iterator<readonly [BinaryKey, undefined]>;
  readonly #node: (id: BinaryKey) => CacheNode | undefined;
  readonly #onClose: () => void;
  #strangers = 0;
  #rest: ListedPlaces | undefined;
  #isClosed = false;

  constructor(
    range: TimeRange,
    ids: Iterator<readonly [BinaryKey, undefined]>,
    node: (id: BinaryKey) => CacheNode | undefined,
    onClose: () => void,
  ) {
    this.#range = range;
    this.#ids = ids;
    this.#node = node;
    this.#onClose = onClose;
  }

  next(): CacheNode | undefined {
    const { from, to, direction, key } = this.#range;
    while (!this.#isClosed) {
      if (this.#rest !== undefined) return this.#rest.next();
      const step = this.#ids.next();
      if (step.done === true) break;
      const id = step.value[0];
      if (direction === 'forward' ? to !== undefined && id > to : from !== undefined && id < from) break;
      const node = this.#node(id);
      if (node === undefined) continue;
      if (node.key !== key) {
        this.#strangers += 1;
        if (this.#strangers > STRANGERS_MAX) this.#rest = this.#ownAfter(id);
      }
      return node;
    }
    this.close();
    return undefined;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
  }

  #ownAfter(id: BinaryKey): ListedPlaces {
    const forward = this.#range.direction === 'forward';
    const own = this.#range.own().filter((node) => (forward ? orderOf(node) > id : orderOf(node) < id));
    return new ListedPlaces(own);
  }
}

function orderOf({ key, suffix }: CacheNode): BinaryKey {
  return (suffix.slice(0, TIME_BYTES) + key + suffix) as BinaryKey;
}
