import { type BinaryKey, binaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import type { StateStoreContext, StoredValue } from '../state-store.ts';
import { copyRow, storeClosed } from '../store-support.ts';
import { HistoryRetention } from './history-retention.ts';
import { putVersion, type Version, type VersionRows } from './version-history.ts';
import { NOT_PUT, type StoredVersion, type VersionedBytesStore } from './versioned-bytes-store.ts';

/** What versioned stores of all media are made from. */
export interface VersionedBytesStoreOptions {
  /** Name of the store, and of its changelog. */
  readonly name: string;
  /** Whether puts go to a changelog. */
  readonly loggingEnabled: boolean;
  /** How long old values are known, ms of stream time. */
  readonly historyRetentionMs: number;
  /** Grain in which old values are forgotten, ms. */
  readonly segmentIntervalMs: number;
}

/**
 * What the versioned stores of all media share: which puts and reads are too old, where a version belongs, the changelog.
 *
 * Owns: the observed stream time; the versions are the medium's.
 * Called by: typed stores and DSL nodes of one task, on its thread.
 * Invariants: I1 every put and delete that isn't a restore goes to the changelog, in order, also one that is too old to be kept
 * (Kafka Streams logs them too); I2 no read depends on whether expired versions are still held; I3 the newest value never expires.
 */
export abstract class VersionedStore implements VersionedBytesStore {
  readonly name: string;
  readonly historyRetentionMs: number;
  /** The observed stream time, and what it lets live. */
  protected readonly retention: HistoryRetention;
  /** The task's; undefined while the store is not open. */
  protected context: StateStoreContext | undefined;
  readonly #isLoggingEnabled: boolean;

  /** The observed stream time begins at -1; media that keep it set it in `open`. */
  constructor(options: VersionedBytesStoreOptions) {
    this.name = options.name;
    this.historyRetentionMs = options.historyRetentionMs;
    this.retention = new HistoryRetention(options.historyRetentionMs, options.segmentIntervalMs);
    this.#isLoggingEnabled = options.loggingEnabled;
  }

  abstract readonly persistent: boolean;
  abstract readonly restoredOffset: number | undefined;
  abstract readonly isOpen: boolean;
  /** The versions, where the medium has them. */
  protected abstract readonly rows: VersionRows;
  abstract open(context: StateStoreContext): void;
  /** Older versions of a key, oldest first; at least those that ended at `liveFromMs` or later. */
  protected abstract older(key: BinaryKey): readonly Version[];
  /** After a put: a chance to forget what has expired. */
  protected abstract wrote(key: BinaryKey): void;
  /** After a batch of restored records: a chance to write them to disk, with the offset to go on from. */
  protected abstract restored(nextOffset: number): void;
  abstract commit(changelogOffset: number | undefined): void;
  abstract rollback(): boolean;
  abstract close(): void;
  abstract wipe(): void;

  get(key: BinaryKey): StoredValue | undefined {
    if (this.context === undefined) throw storeClosed(this.name);
    const newest = this.rows.newest(key);
    return newest === undefined || newest.value === null ? undefined : (newest as StoredValue);
  }

  getAsOf(key: BinaryKey, asOfMs: number): StoredVersion | undefined {
    if (this.context === undefined) throw storeClosed(this.name);
    const newest = this.rows.newest(key);
    if (newest === undefined) return undefined;
    if (newest.timestampMs <= asOfMs) return found(newest, undefined);
    if (this.retention.isExpired(asOfMs)) return undefined;
    const version = this.rows.olderUpTo(key, asOfMs);
    if (version === undefined || version.value === null) return undefined;
    return found(version, this.rows.olderAfter(key, asOfMs) ?? newest.timestampMs);
  }

  put(key: BinaryKey, value: Buffer | null, timestampMs: number): number {
    const context = this.context;
    if (context === undefined) throw storeClosed(this.name);
    const validToMs = this.#write(key, value, timestampMs);
    if (validToMs === NOT_PUT) this.#countExpired(context);
    if (this.#isLoggingEnabled) context.logChange(this.name, key, value, timestampMs);
    return validToMs;
  }

  delete(key: BinaryKey, timestampMs: number): StoredVersion | undefined {
    const context = this.context;
    if (context === undefined) throw storeClosed(this.name);
    const before = this.retention.isExpired(timestampMs) ? undefined : this.getAsOf(key, timestampMs);
    if (this.#write(key, null, timestampMs) === NOT_PUT) this.#countExpired(context);
    if (this.#isLoggingEnabled) context.logChange(this.name, key, null, timestampMs);
    return before;
  }

  versions(key: BinaryKey, fromMs: number, toMs: number): readonly StoredVersion[] {
    if (this.context === undefined) throw storeClosed(this.name);
    const newest = this.rows.newest(key);
    if (newest === undefined) return [];
    const result: StoredVersion[] = [];
    const { liveFromMs } = this.retention;
    if (!this.retention.isExpired(toMs)) {
      const older = this.older(key);
      for (const [index, version] of older.entries()) {
        const validToMs = older[index + 1]?.timestampMs ?? newest.timestampMs;
        const counted = version.timestampMs <= toMs && validToMs > fromMs && validToMs > version.timestampMs;
        if (version.value !== null && counted && validToMs >= liveFromMs) {
          result.push({ value: version.value, timestampMs: version.timestampMs, validToMs });
        }
      }
    }
    if (newest.value !== null && newest.timestampMs <= toMs) {
      result.push({ value: newest.value, timestampMs: newest.timestampMs, validToMs: undefined });
    }
    return result;
  }

  /** Each record is judged by the stream time of those before it, so that the state is what the original puts left. */
  restore(batch: RecordBatch, nextOffset: number): void {
    for (let row = 0; row < batch.count; row += 1) {
      const keyStart = batch.keyStarts[row] as number;
      if (keyStart < 0) continue;
      const key = binaryKey(batch.buffer, keyStart, batch.keyEnds[row] as number);
      this.#write(key, copyRow(batch, row), batch.timestamps[row] as number);
    }
    this.restored(nextOffset);
  }

  flush(): void {}

  #write(key: BinaryKey, value: Buffer | null, timestampMs: number): number {
    if (this.retention.isExpired(timestampMs)) return NOT_PUT;
    this.retention.observe(timestampMs);
    const validToMs = putVersion(this.rows, key, value, timestampMs);
    this.wrote(key);
    return validToMs;
  }

  #countExpired(context: StateStoreContext): void {
    const tags = { 'task-id': context.taskId, 'store-name': this.name, reason: 'expired-version' };
    context.metrics.count('dropped-records-total', tags, 1);
  }
}

function found(version: Version, validToMs: number | undefined): StoredVersion | undefined {
  if (version.value === null) return undefined;
  return { value: version.value, timestampMs: version.timestampMs, validToMs };
}
