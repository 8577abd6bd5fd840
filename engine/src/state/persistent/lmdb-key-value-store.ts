import { type BinaryKey, binaryKey } from '../../base/bytes.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { prefixEnd } from '../binary-prefix.ts';
import type { BoundedScan, KeyValueBytesStore, StoredValue, StoreIterator } from '../state-store.ts';
import { copyRow } from '../store-support.ts';
import { LmdbStore } from './lmdb-store.ts';

/** A key-value store on disk: the table is keyed by record key. */
export class LmdbKeyValueStore extends LmdbStore implements KeyValueBytesStore {
  get(key: BinaryKey): StoredValue | undefined {
    return this.table.get(key);
  }

  put(key: BinaryKey, value: Buffer | null, timestampMs: number): void {
    const { context } = this;
    this.table.put(key, value, timestampMs);
    // A tombstone has no time of its own: Kafka Streams logs it with that of the record being processed.
    this.log(key, value, value === null ? context.timestampMs() : timestampMs);
  }

  range(
    from: BinaryKey | undefined,
    to: BinaryKey | undefined,
    direction: 'forward' | 'reverse',
    bound?: BoundedScan<BinaryKey>,
  ): StoreIterator<BinaryKey> {
    return this.table.scan(from, to, false, direction, true, bound);
  }

  prefixScan(prefix: BinaryKey): StoreIterator<BinaryKey> {
    return this.table.scan(prefix, prefixEnd(prefix), true, 'forward');
  }

  approximateNumEntries(): number {
    return this.table.approximateNumEntries;
  }

  protected restoreRow(batch: RecordBatch, row: number): void {
    const keyStart = batch.keyStarts[row] as number;
    if (keyStart < 0) return;
    const key = binaryKey(batch.buffer, keyStart, batch.keyEnds[row] as number);
    this.table.put(key, copyRow(batch, row), batch.timestamps[row] as number);
  }
}
