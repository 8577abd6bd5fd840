import type { BinaryKey } from '../../base/bytes.ts';
import type { StateStoreContext } from '../state-store.ts';
import type { Version, VersionRows } from '../versioned/version-history.ts';
import { type VersionedBytesStoreOptions, VersionedStore } from '../versioned/versioned-store.ts';
import { WINDOW_SUFFIX_BYTES } from '../window-key.ts';
import { ExpirySweep } from './expiry-sweep.ts';
import { LmdbTable } from './lmdb-table.ts';
import { recordKeyOf, windowStartOf, windowTableKey } from './window-table-key.ts';

/** First byte of a table key. Older versions and tombstones come first: the sweep ends where the newest values begin. */
const OLDER_PREFIX = '1';
const TOMBSTONE_PREFIX = '2';
const NEWEST_PREFIX = '3';
/** In the place of an older version's timestamp, which its key holds: what the bytes are. */
const IS_VALUE = 0;
const IS_TOMBSTONE = -1;
const IS_OPEN_TOMBSTONE = -2;

const STREAM_TIME_META = 'observed-stream-time';
const TIME_MAX = Number.MAX_SAFE_INTEGER - 1;
const noBytes = Buffer.alloc(0);

/**
 * A versioned store on disk: one row for the newest version of a key, one for each older.
 *
 * Owns: an {@link LmdbTable}; the sweep that removes expired versions.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: those of {@link VersionedStore}; I4 disk holds versions and stream time of the last commit; I5 a key has either a
 * newest value or a newest tombstone.
 */
export class LmdbVersionedStore extends VersionedStore {
  readonly persistent = true;
  readonly #table: LmdbTable;
  readonly #sweep: ExpirySweep;

  /** The folder is made by `open`, not here. */
  constructor(options: VersionedBytesStoreOptions) {
    super(options);
    this.#table = new LmdbTable(options.name);
    // One pass has one limit: older versions come before the tombstone that ended them, so none is left to look as if it counted.
    this.#sweep = new ExpirySweep(
      this.#table,
      options.historyRetentionMs,
      (key, next, beforeMs) => (this.#endOf(key, next) ?? beforeMs) < beforeMs,
      (key) => key.startsWith(NEWEST_PREFIX),
    );
  }

  protected readonly rows: VersionRows = {
    newest: (key) => {
      const value = this.#table.get(rowKey(NEWEST_PREFIX, key));
      if (value !== undefined) return { timestampMs: value.timestampMs, value: value.value, open: false };
      const tombstone = this.#table.get(rowKey(TOMBSTONE_PREFIX, key));
      return tombstone === undefined ? undefined : { timestampMs: tombstone.timestampMs, value: null, open: false };
    },
    setNewest: (key, version, before) => {
      const prefix = version === undefined ? undefined : newestPrefixOf(version);
      const prefixBefore = before === undefined ? undefined : newestPrefixOf(before);
      if (prefixBefore !== undefined && prefixBefore !== prefix) this.#table.put(rowKey(prefixBefore, key), null, 0);
      if (prefix !== undefined && version !== undefined) {
        this.#table.put(rowKey(prefix, key), version.value ?? noBytes, version.timestampMs);
      }
    },
    olderUpTo: (key, timeMs) => this.#first(olderKey(key, 0), olderKey(key, timeMs), 'reverse'),
    olderAfter: (key, timeMs) => {
      return this.#first(olderKey(key, timeMs + 1), olderKey(key, TIME_MAX), 'forward')?.timestampMs;
    },
    setOlder: (key, version) => {
      const kind = version.value !== null ? IS_VALUE : version.open ? IS_OPEN_TOMBSTONE : IS_TOMBSTONE;
      this.#table.put(olderKey(key, version.timestampMs), version.value ?? noBytes, kind);
    },
    removeOlder: (key, timeMs) => this.#table.put(olderKey(key, timeMs), null, 0),
  };

  get isOpen(): boolean {
    return this.#table.isOpen;
  }

  get restoredOffset(): number | undefined {
    return this.#table.restoredOffset;
  }

  get lastDurableMs(): number | undefined {
    return this.#table.lastDurableMs;
  }

  get wantsCommit(): boolean {
    return this.#table.wantsCommit;
  }

  open(context: StateStoreContext): void {
    this.#table.open(context);
    this.context = context;
    this.#readPosition();
  }

  commit(changelogOffset: number | undefined): void {
    const { observedStreamTimeMs, liveFromMs } = this.retention;
    const position = { [STREAM_TIME_META]: observedStreamTimeMs };
    this.#table.commit(changelogOffset, position, undefined, this.#sweep.next(liveFromMs));
  }

  rollback(): boolean {
    this.#table.rollback();
    this.#readPosition();
    return true;
  }

  close(): void {
    this.context = undefined;
    this.#table.close();
  }

  wipe(): void {
    this.#table.wipe();
  }

  /** Rows on disk and in the overlay; for tests of what is forgotten. */
  get approximateNumRows(): number {
    return this.#table.approximateNumEntries;
  }

  protected older(key: BinaryKey): readonly Version[] {
    const versions: Version[] = [];
    for (const row of this.#table.scan(olderKey(key, 0), olderKey(key, TIME_MAX), false, 'forward')) {
      versions.push(versionOf(row.key, row.value, row.timestampMs));
    }
    return versions;
  }

  protected wrote(): void {}

  protected restored(nextOffset: number): void {
    if (this.#table.isRestoreCommitDue) this.commit(nextOffset);
  }

  #first(from: BinaryKey, to: BinaryKey, direction: 'forward' | 'reverse'): Version | undefined {
    const rows = this.#table.scan(from, to, false, direction);
    const step = rows.next();
    const version =
      step.done === true ? undefined : versionOf(step.value.key, step.value.value, step.value.timestampMs);
    rows.close();
    return version;
  }

  #readPosition(): void {
    this.retention.reset(this.#table.readMeta(STREAM_TIME_META) ?? -1);
    this.#sweep.reset();
  }

  /** When the version in a row stopped to count; a newest tombstone ends as it begins, a newest value never. */
  #endOf(tableKey: BinaryKey, next: BinaryKey | undefined): number | undefined {
    if (tableKey.startsWith(TOMBSTONE_PREFIX)) return this.#table.get(tableKey)?.timestampMs;
    if (!tableKey.startsWith(OLDER_PREFIX)) return undefined;
    const isSameKey = next?.length === tableKey.length && next.startsWith(tableKey.slice(0, -WINDOW_SUFFIX_BYTES));
    if (isSameKey) return windowStartOf(next);
    const key = recordKeyOf(tableKey.slice(1) as BinaryKey);
    return this.rows.olderAfter(key, windowStartOf(tableKey)) ?? this.rows.newest(key)?.timestampMs;
  }
}

function newestPrefixOf(version: Version): string {
  return version.value === null ? TOMBSTONE_PREFIX : NEWEST_PREFIX;
}

function rowKey(prefix: string, key: BinaryKey): BinaryKey {
  return (prefix + key) as BinaryKey;
}

function olderKey(key: BinaryKey, timeMs: number): BinaryKey {
  return rowKey(OLDER_PREFIX, windowTableKey(key, Math.min(Math.max(timeMs, 0), TIME_MAX), 0));
}

function versionOf(tableKey: BinaryKey, value: Buffer, kind: number): Version {
  const timestampMs = windowStartOf(tableKey);
  return { timestampMs, value: kind === IS_VALUE ? value : null, open: kind === IS_OPEN_TOMBSTONE };
}
