import type { BinaryKey } from '../../base/bytes.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type { CacheNode, RecordCache } from './record-cache.ts';

const none: readonly BinaryKey[] = [];

/** Unsigned byte order. */
export function compareKeys(a: BinaryKey, b: BinaryKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export interface SuffixScan {
  /** Both inclusive; undefined: open. */
  readonly keyFrom: BinaryKey | undefined;
  readonly keyTo: BinaryKey | undefined;
  /** Suffixes that are wanted. */
  readonly accepts: (suffix: BinaryKey) => boolean;
  readonly direction: 'forward' | 'reverse';
}

/**
 * Which windows or sessions of which keys are cached, in the order in which stores iterate: by key, then suffix.
 *
 * Owns: a sorted list of suffixes a key. Called by: the caching window and session stores.
 * Invariants: I1 a key without suffixes isn't in the map; I2 every suffix here is in the cache.
 */
export class SuffixIndex {
  readonly #suffixes = new Map<BinaryKey, BinaryKey[]>();
  readonly #sorted = new SortedKeys();

  add(key: BinaryKey, suffix: BinaryKey): void {
    const suffixes = this.#suffixes.get(key);
    if (suffixes === undefined) {
      this.#suffixes.set(key, [suffix]);
      this.#sorted.noteChange(key, this.#suffixes.size);
      return;
    }
    let index = suffixes.length;
    while (index > 0 && (suffixes[index - 1] as BinaryKey) > suffix) index -= 1;
    suffixes.splice(index, 0, suffix);
  }

  remove(key: BinaryKey, suffix: BinaryKey): void {
    const suffixes = this.#suffixes.get(key);
    const index = suffixes?.indexOf(suffix) ?? -1;
    if (suffixes === undefined || index < 0) return;
    suffixes.splice(index, 1);
    if (suffixes.length > 0) return;
    this.#suffixes.delete(key);
    this.#sorted.noteChange(key, this.#suffixes.size);
  }

  /** The wanted places of a range of keys, by key, then suffix. */
  nodes(cache: RecordCache, scan: SuffixScan): CacheNode[] {
    const { keyFrom, keyTo, direction } = scan;
    const found: CacheNode[] = [];
    if (keyFrom !== undefined && keyFrom === keyTo) {
      this.#gather(cache, keyFrom, scan, found);
      return found;
    }
    const forward = direction === 'forward';
    const keys = this.#sorted.scan(this.#suffixes, forward ? keyFrom : keyTo, direction);
    for (let step = keys.next(); step.done !== true; step = keys.next()) {
      const key = step.value[0];
      if (forward ? keyTo !== undefined && key > keyTo : keyFrom !== undefined && key < keyFrom) break;
      this.#gather(cache, key, scan, found);
    }
    this.#sorted.endScan();
    return found;
  }

  /** The wanted places of all keys: by what `timeOf` cuts out of the suffix, then key, then suffix. */
  nodesByTime(
    cache: RecordCache,
    accepts: (suffix: BinaryKey) => boolean,
    timeOf: (suffix: BinaryKey) => BinaryKey = (suffix) => suffix,
  ): CacheNode[] {
    const found: CacheNode[] = [];
    const scan: SuffixScan = { keyFrom: undefined, keyTo: undefined, accepts, direction: 'forward' };
    for (const key of this.#suffixes.keys()) this.#gather(cache, key, scan, found);
    return found.sort(
      (a, b) =>
        compareKeys(timeOf(a.suffix), timeOf(b.suffix)) || compareKeys(a.key, b.key) || compareKeys(a.suffix, b.suffix),
    );
  }

  #gather(cache: RecordCache, key: BinaryKey, { accepts, direction }: SuffixScan, into: CacheNode[]): void {
    const suffixes = this.#suffixes.get(key) ?? none;
    const { length } = suffixes;
    for (let i = 0; i < length; i += 1) {
      const suffix = suffixes[direction === 'forward' ? i : length - 1 - i] as BinaryKey;
      if (accepts(suffix)) into.push(cache.node((key + suffix) as BinaryKey) as CacheNode);
    }
  }
}
