import { StreamsError } from '../../base/errors.ts';
import { writeInt64 } from '../../base/int64.ts';
import { layout, sealBatch } from '../record-batch-layout.ts';

interface StoredBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly maxTimestampMs: number;
  readonly bytes: Buffer;
}

/**
 * The log of one partition in memory: batches as a broker stores them.
 *
 * Owns: copies of the appended batches, the offsets. Called by: producers, consumers, admin of the memory broker.
 * Invariants: I1 offsets are dense from `startOffset` (or the batch holding it) to `endOffset`; I2 stored bytes never change.
 */
export class MemoryLog {
  readonly #batches: StoredBatch[] = [];
  readonly #listeners = new Set<() => void>();
  #startOffset = 0;
  #endOffset = 0;

  /** Offset of the oldest record that may be read. */
  get startOffset(): number {
    return this.#startOffset;
  }

  /** Offset of the next record. */
  get endOffset(): number {
    return this.#endOffset;
  }

  /** Copies the batch, gives it the next offsets and answers the first of them. */
  append(bytes: Buffer, recordCount: number): number {
    const baseOffset = this.#endOffset;
    const stored = Buffer.from(bytes);
    writeInt64(stored, baseOffset, layout.baseOffset);
    stored.writeInt32BE(0, layout.partitionLeaderEpoch);
    sealBatch(stored);
    const maxTimestampMs = Number(stored.readBigInt64BE(layout.maxTimestamp));
    this.#endOffset = baseOffset + recordCount;
    this.#batches.push({ baseOffset, nextOffset: this.#endOffset, maxTimestampMs, bytes: stored });
    for (const listener of this.#listeners) listener();
    return baseOffset;
  }

  /** Whole batches from the one that holds `offset`, one at least, about `bytesMax` in all; empty at the end of the log. */
  read(offset: number, bytesMax: number): Buffer {
    if (offset < this.#startOffset || offset > this.#endOffset) {
      throw new StreamsError(`Offset ${offset} lies outside the log [${this.#startOffset}, ${this.#endOffset}]`, {
        code: 'OFFSET_OUT_OF_RANGE',
        recovery: 'restore',
      });
    }
    const chunks: Buffer[] = [];
    let size = 0;
    for (let index = this.#indexOf(offset); index < this.#batches.length; index += 1) {
      const { bytes } = this.#batches[index] as StoredBatch;
      if (size > 0 && size + bytes.length > bytesMax) break;
      chunks.push(bytes);
      size += bytes.length;
    }
    return Buffer.concat(chunks);
  }

  /** First offset of the first batch that has a record at or after the time; the batch's own records are looked at by the caller. */
  batchForTime(timestampMs: number):
    | {
        /** Of the batch's first record. */
        readonly baseOffset: number;
        /** The batch as it is stored. */
        readonly bytes: Buffer;
      }
    | undefined {
    return this.#batches.find((batch) => batch.maxTimestampMs >= timestampMs && batch.nextOffset > this.#startOffset);
  }

  /** Makes `offset` the first that may be read; whole batches before it are forgotten. */
  deleteBefore(offset: number): void {
    this.#startOffset = Math.min(Math.max(offset, this.#startOffset), this.#endOffset);
    while (this.#batches[0] !== undefined && this.#batches[0].nextOffset <= this.#startOffset) this.#batches.shift();
  }

  /** Calls `listener` after each append, until {@link MemoryLog.offAppend}. */
  onAppend(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Ends what `onAppend` began. */
  offAppend(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /** Index of the first batch that ends after `offset`. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#batches[middle] as StoredBatch).nextOffset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
