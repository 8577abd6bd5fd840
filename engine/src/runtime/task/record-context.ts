import { decodeHeaders } from '../../base/headers-codec.ts';
import type { Header, RecordBatch } from '../../base/record-batch.ts';
import type { RecordMetadata } from '../../processor/processor.ts';
import type { PendingOffset } from './pending-offsets.ts';

/**
 * Where the record being processed came from. One reused instance serves the synchronous path; a held record has its own,
 * with copies of the raw bytes when a dead letter queue may need them.
 */
export class RecordContext {
  /** Topic of the input record. */
  topic = '';
  /** Its partition. */
  partition = -1;
  /** Its offset. */
  offset = -1;
  /** Index of the task's source partition. */
  sourceIndex = -1;
  /** Raw bytes, while the record is on the synchronous path. */
  batch: RecordBatch | undefined;
  /** Row of the batch. */
  row = 0;
  /** Key bytes of a held record, where a dead letter queue may need them. */
  rawKey: Buffer | null = null;
  /** Value bytes of a held record, where a dead letter queue may need them. */
  rawValue: Buffer | null = null;
  /** Headers of a held record, where a dead letter queue may need them. */
  rawHeaders: readonly Header[] = [];
  /** Set at the first hold. */
  pending: PendingOffset | undefined;

  /** For a record that a store kept: its input record's bytes are gone. */
  static ofKept(origin: RecordMetadata): RecordContext {
    const context = new RecordContext();
    context.topic = origin.topic;
    context.partition = origin.partition;
    context.offset = origin.offset;
    return context;
  }

  /** A copy of the key's bytes; null where there is none, or where they were not kept. */
  rawKeyBytes(): Buffer | null {
    return this.batch === undefined ? this.rawKey : rawKeyOf(this.batch, this.row);
  }

  /** A copy of the value's bytes; null where there is none, or where they were not kept. */
  rawValueBytes(): Buffer | null {
    return this.batch === undefined ? this.rawValue : rawValueOf(this.batch, this.row);
  }

  /** The record's headers, decoded. */
  headerList(): readonly Header[] {
    const { batch, row } = this;
    if (batch === undefined) return this.rawHeaders;
    return decodeHeaders(batch.buffer, batch.headerStarts[row] as number, batch.headerEnds[row] as number);
  }
}

/** A copy of the key bytes of a row. */
export function rawKeyOf(batch: RecordBatch, row: number): Buffer | null {
  const start = batch.keyStarts[row] as number;
  return start < 0 ? null : Buffer.copyBytesFrom(batch.buffer, start, (batch.keyEnds[row] as number) - start);
}

/** A copy of the value bytes of a row. */
export function rawValueOf(batch: RecordBatch, row: number): Buffer | null {
  const start = batch.valueStarts[row] as number;
  return start < 0 ? null : Buffer.copyBytesFrom(batch.buffer, start, (batch.valueEnds[row] as number) - start);
}
