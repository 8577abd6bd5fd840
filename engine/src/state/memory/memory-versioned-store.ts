import type { BinaryKey } from '../../base/bytes.ts';
import type { StateStoreContext } from '../state-store.ts';
import type { Version, VersionRows } from '../versioned/version-history.ts';
import { VersionedStore } from '../versioned/versioned-store.ts';

/** Keys that a put looks at besides its own for versions that have expired: more than one, or the sweep never catches up. */
const SWEPT_KEYS_PER_PUT = 2;

interface KeyVersions {
  newest: Version | undefined;
  /** Ascending by time. */
  readonly older: Version[];
}

/**
 * A versioned store that lives in memory and is restored from its changelog.
 *
 * Owns: the versions of each key; a sweep that passes over the keys a few a put.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: those of {@link VersionedStore}; I4 a key without versions has no entry; I5 nothing survives `close`.
 */
export class MemoryVersionedStore extends VersionedStore {
  readonly persistent = false;
  readonly restoredOffset = undefined;
  readonly #keys = new Map<BinaryKey, KeyVersions>();
  #sweep: Iterator<[BinaryKey, KeyVersions]> | undefined;

  protected readonly rows: VersionRows = {
    newest: (key) => this.#keys.get(key)?.newest,
    setNewest: (key, version) => {
      const entry = this.#keys.get(key);
      if (entry !== undefined) entry.newest = version;
      else if (version !== undefined) this.#keys.set(key, { newest: version, older: [] });
    },
    olderUpTo: (key, timeMs) => {
      const older = this.#keys.get(key)?.older;
      return older?.[firstAfter(older, timeMs) - 1];
    },
    olderAfter: (key, timeMs) => {
      const older = this.#keys.get(key)?.older;
      return older?.[firstAfter(older, timeMs)]?.timestampMs;
    },
    setOlder: (key, version) => {
      const older = this.#keys.get(key)?.older ?? [];
      const index = firstAfter(older, version.timestampMs);
      if (older[index - 1]?.timestampMs === version.timestampMs) older[index - 1] = version;
      else older.splice(index, 0, version);
    },
    removeOlder: (key, timeMs) => {
      const older = this.#keys.get(key)?.older ?? [];
      const index = firstAfter(older, timeMs) - 1;
      if (older[index]?.timestampMs === timeMs) older.splice(index, 1);
    },
  };

  get isOpen(): boolean {
    return this.context !== undefined;
  }

  open(context: StateStoreContext): void {
    this.context = context;
  }

  commit(): void {}

  rollback(): boolean {
    return false;
  }

  close(): void {
    this.context = undefined;
    this.#keys.clear();
    this.#sweep = undefined;
    this.retention.reset(-1);
  }

  wipe(): void {}

  /** Keys held, those whose newest version is a tombstone included; for tests of what is forgotten. */
  get approximateNumKeys(): number {
    return this.#keys.size;
  }

  protected older(key: BinaryKey): readonly Version[] {
    return this.#keys.get(key)?.older ?? [];
  }

  protected wrote(key: BinaryKey): void {
    const { liveFromMs } = this.retention;
    if (liveFromMs === 0) return;
    this.#forgetExpired(key, this.#keys.get(key), liveFromMs);
    for (let swept = 0; swept < SWEPT_KEYS_PER_PUT; swept += 1) {
      this.#sweep ??= this.#keys.entries();
      const step = this.#sweep.next();
      if (step.done === true) {
        this.#sweep = undefined;
        return;
      }
      this.#forgetExpired(step.value[0], step.value[1], liveFromMs);
    }
  }

  protected restored(): void {}

  #forgetExpired(key: BinaryKey, entry: KeyVersions | undefined, liveFromMs: number): void {
    if (entry === undefined) return;
    const { newest, older } = entry;
    let expired = 0;
    while (expired < older.length) {
      const endMs = older[expired + 1]?.timestampMs ?? newest?.timestampMs ?? Number.POSITIVE_INFINITY;
      if (endMs >= liveFromMs) break;
      expired += 1;
    }
    if (expired > 0) older.splice(0, expired);
    const isOver = newest === undefined || (newest.value === null && newest.timestampMs < liveFromMs);
    if (isOver && older.length === 0) this.#keys.delete(key);
  }
}

/** Index of the first version later than `timeMs`; puts in order are answered at once. */
function firstAfter(versions: readonly Version[], timeMs: number): number {
  let high = versions.length;
  if (high === 0 || (versions[high - 1] as Version).timestampMs <= timeMs) return high;
  let low = 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle] as Version).timestampMs <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
