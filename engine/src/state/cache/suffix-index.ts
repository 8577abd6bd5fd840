import type { BinaryKey } from '../../base/bytes.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type { CacheNode } from './record-cache.ts';

const none: readonly CacheNode[] = [];

/** Unsigned byte order. */
export function compareKeys(a: BinaryKey, b: BinaryKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Which keys and suffixes a read wants, and in which order. */
export interface SuffixScan {
  /** First key of the range, inclusive; undefined: open. */
  readonly keyFrom: BinaryKey | undefined;
  /** Last key of the range, inclusive; undefined: open. */
  readonly keyTo: BinaryKey | undefined;
  /** Suffixes that are wanted. */
  readonly accepts: (suffix: BinaryKey) => boolean;
  /** Order of the keys and of the suffixes of each key. */
  readonly direction: 'forward' | 'reverse';
}

/**
 * Which windows or sessions of which keys are cached, in the order in which stores iterate: by key, then suffix.
 *
 * Owns: a sorted list of places a key. Called by: the caching window and session stores.
 * Invariants: I1 a key without places isn't in the map; I2 every place here is in the cache.
 */
export class SuffixIndex {
  readonly #places = new Map<BinaryKey, CacheNode[]>();
  readonly #sorted = new SortedKeys();

  /** Notes a place that the cache has taken in; its key and suffix have none yet. */
  add(node: CacheNode): void {
    const { key, suffix } = node;
    const places = this.#places.get(key);
    if (places === undefined) {
      this.#places.set(key, [node]);
      this.#sorted.noteChange(key, this.#places.size);
      return;
    }
    let index = places.length;
    while (index > 0 && (places[index - 1] as CacheNode).suffix > suffix) index -= 1;
    places.splice(index, 0, node);
  }

  /** Forgets a place that has left the cache. */
  remove(node: CacheNode): void {
    const { key } = node;
    const places = this.#places.get(key);
    const index = places?.indexOf(node) ?? -1;
    if (places === undefined || index < 0) return;
    places.splice(index, 1);
    if (places.length > 0) return;
    this.#places.delete(key);
    this.#sorted.noteChange(key, this.#places.size);
  }

  /** The wanted places of a range of keys, by key, then suffix. */
  nodes(scan: SuffixScan): readonly CacheNode[] {
    const { keyFrom, keyTo } = scan;
    if (keyFrom !== undefined && keyFrom === keyTo) {
      const found: CacheNode[] = [];
      this.#gather(keyFrom, scan, found);
      return found;
    }
    return [...this.find(scan)];
  }

  /** The wanted places of a range of keys, each when it is asked for: only while nothing else happens to the cache. */
  *find(scan: SuffixScan): Generator<CacheNode, void> {
    const { keyFrom, keyTo, direction } = scan;
    const forward = direction === 'forward';
    const keys = this.#sorted.scan(this.#places, forward ? keyFrom : keyTo, direction);
    try {
      for (let step = keys.next(); step.done !== true; step = keys.next()) {
        const key = step.value[0];
        if (forward ? keyTo !== undefined && key > keyTo : keyFrom !== undefined && key < keyFrom) break;
        const found: CacheNode[] = [];
        this.#gather(key, scan, found);
        yield* found;
      }
    } finally {
      this.#sorted.endScan();
    }
  }

  /** Brings the order of the keys up to date, part by part: see `PreparedScans`. */
  prepareScan(steps: number): boolean {
    return this.#sorted.prepare(this.#places, steps);
  }

  /** The wanted places of all keys: by what `timeOf` cuts out of the suffix, then key, then suffix. */
  nodesByTime(
    accepts: (suffix: BinaryKey) => boolean,
    timeOf: (suffix: BinaryKey) => BinaryKey = (suffix) => suffix,
  ): CacheNode[] {
    const found: CacheNode[] = [];
    const scan: SuffixScan = { keyFrom: undefined, keyTo: undefined, accepts, direction: 'forward' };
    for (const key of this.#places.keys()) this.#gather(key, scan, found);
    return found.sort(
      (a, b) =>
        compareKeys(timeOf(a.suffix), timeOf(b.suffix)) || compareKeys(a.key, b.key) || compareKeys(a.suffix, b.suffix),
    );
  }

  #gather(key: BinaryKey, { accepts, direction }: SuffixScan, into: CacheNode[]): void {
    const places = this.#places.get(key) ?? none;
    const { length } = places;
    for (let i = 0; i < length; i += 1) {
      const node = places[direction === 'forward' ? i : length - 1 - i] as CacheNode;
      if (accepts(node.suffix)) into.push(node);
    }
  }
}
