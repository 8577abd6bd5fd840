import type { BinaryKey } from '../../base/bytes.ts';
import { SortedKeys } from '../sorted-keys.ts';
import type { CacheScan } from './merged-iterator.ts';
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
 * Invariants: I1 a key without suffixes isn't in the map; I2 scans show the keys of the moment they were made, and the suffixes of
 * the moment they reach the key.
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

  /** What is wanted of all keys, as of now: by what `timeOf` cuts out of the suffix, then key, then suffix. */
  sortedScan(
    cache: RecordCache,
    accepts: (suffix: BinaryKey) => boolean,
    timeOf: (suffix: BinaryKey) => BinaryKey = (suffix) => suffix,
  ): CacheScan {
    const wanted: { key: BinaryKey; suffix: BinaryKey }[] = [];
    for (const [key, suffixes] of this.#suffixes) {
      for (const suffix of suffixes) if (accepts(suffix)) wanted.push({ key, suffix });
    }
    wanted.sort(
      (a, b) =>
        compareKeys(timeOf(a.suffix), timeOf(b.suffix)) || compareKeys(a.key, b.key) || compareKeys(a.suffix, b.suffix),
    );
    let index = 0;
    return {
      next() {
        while (index < wanted.length) {
          const { key, suffix } = wanted[index] as { key: BinaryKey; suffix: BinaryKey };
          index += 1;
          const node = cache.get((key + suffix) as BinaryKey);
          if (node !== undefined) return node;
        }
        return undefined;
      },
      close() {},
    };
  }

  scan(cache: RecordCache, scan: SuffixScan): CacheScan {
    const { keyFrom, keyTo } = scan;
    if (keyFrom !== undefined && keyFrom === keyTo) {
      return new SuffixCacheScan(cache, this.#suffixes, [keyFrom].values(), scan, () => {});
    }
    const forward = scan.direction === 'forward';
    const pairs = this.#sorted.scan(this.#suffixes, forward ? keyFrom : keyTo, scan.direction);
    return new SuffixCacheScan(cache, this.#suffixes, keysOf(pairs, scan), scan, () => this.#sorted.endScan());
  }
}

function* keysOf(pairs: Iterator<readonly [BinaryKey, undefined]>, scan: SuffixScan): Generator<BinaryKey> {
  for (let step = pairs.next(); step.done !== true; step = pairs.next()) {
    const key = step.value[0];
    if (scan.direction === 'forward' ? isAbove(key, scan.keyTo) : isBelow(key, scan.keyFrom)) return;
    yield key;
  }
}

function isAbove(key: BinaryKey, bound: BinaryKey | undefined): boolean {
  return bound !== undefined && key > bound;
}

function isBelow(key: BinaryKey, bound: BinaryKey | undefined): boolean {
  return bound !== undefined && key < bound;
}

/** Goes key by key; the suffixes of a key are copied when it gets there. */
class SuffixCacheScan implements CacheScan {
  readonly #cache: RecordCache;
  readonly #suffixes: ReadonlyMap<BinaryKey, readonly BinaryKey[]>;
  readonly #keys: Iterator<BinaryKey>;
  readonly #scan: SuffixScan;
  readonly #onClose: () => void;
  #key = '' as BinaryKey;
  #waiting: readonly BinaryKey[] = none;
  #index = 0;
  #closed = false;

  constructor(
    cache: RecordCache,
    suffixes: ReadonlyMap<BinaryKey, readonly BinaryKey[]>,
    keys: Iterator<BinaryKey>,
    scan: SuffixScan,
    onClose: () => void,
  ) {
    this.#cache = cache;
    this.#suffixes = suffixes;
    this.#keys = keys;
    this.#scan = scan;
    this.#onClose = onClose;
  }

  next(): CacheNode | undefined {
    for (;;) {
      while (this.#index < this.#waiting.length) {
        const suffix = this.#waiting[this.#index] as BinaryKey;
        this.#index += 1;
        const node = this.#cache.get((this.#key + suffix) as BinaryKey);
        if (node !== undefined) return node;
      }
      const step = this.#keys.next();
      if (step.done === true) return undefined;
      this.#key = step.value;
      const wanted = (this.#suffixes.get(step.value) ?? none).filter(this.#scan.accepts);
      this.#waiting = this.#scan.direction === 'forward' ? wanted : wanted.reverse();
      this.#index = 0;
    }
  }

  close(): void {
    if (!this.#closed) this.#onClose();
    this.#closed = true;
  }
}
