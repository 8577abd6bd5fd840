import { assert } from '../base/assert.ts';
import type { RecordBatch } from '../base/record-batch.ts';
import type { EncodedBatch } from './broker.ts';
import { BufferPool, SharedBuffer } from './buffer-pool.ts';
import { COMPRESSION_BY_CODEC } from './compression.ts';
import { COMPRESSION_MASK, layout, sealBatch } from './record-batch-layout.ts';
import { RecordBatchReader } from './record-batch-reader.ts';
import { RecordBatchWriter } from './record-batch-writer.ts';

/** By how much a record's deltas can grow where another record is the first of its batch. */
const DELTA_GROWTH_BYTES_MAX = 20;

/**
 * Two batches with the same records in the same order, each about half the bytes and under the same compression. For a batch of two
 * records or more that a broker refused as too large; `batch` itself stays as it is, to be released by whoever has it.
 */
export function splitBatch(batch: EncodedBatch): readonly [EncodedBatch, EncodedBatch] {
  const { bytes, partition, recordCount, topic } = batch;
  assert(recordCount > 1, 'a batch of one record is not split');
  const compression = COMPRESSION_BY_CODEC[bytes.readInt16BE(layout.attributes) & COMPRESSION_MASK] ?? 'none';
  sealBatch(bytes);
  const reader = new RecordBatchReader();
  const decoded = reader.decode(new SharedBuffer(bytes), 0, bytes.length, { topic, partition, fromOffset: 0 });
  const records = decoded.batches[0] as RecordBatch;
  const bytesMax = layout.records + records.buffer.length + recordCount * DELTA_GROWTH_BYTES_MAX;
  const rows = rowsOfFirstHalf(records);
  // Not pooled: a batch is split once or twice until its queue knows what the topic takes.
  const copy = (from: number, to: number): EncodedBatch => {
    const writer = new RecordBatchWriter(topic, partition, new BufferPool(bytesMax, 0));
    for (let row = from; row < to; row += 1) {
      const fits = writer.appendRow(records.timestamps[row] as number, records, row);
      assert(fits, 'half of a batch fits where all of it did');
    }
    return writer.finish(compression);
  };
  const halves = [copy(0, rows), copy(rows, recordCount)] as const;
  records.release();
  return halves;
}

/** How many records reach half of the bytes, leaving at least one. */
function rowsOfFirstHalf(records: RecordBatch): number {
  let bytes = 0;
  for (let row = 0; row < records.count; row += 1) bytes += rowBytes(records, row);
  let half = bytes / 2;
  let rows = 0;
  while (rows < records.count - 1 && half > 0) {
    half -= rowBytes(records, rows);
    rows += 1;
  }
  return rows;
}

/** Key, value and headers; -1 for null on both ends. */
function rowBytes(records: RecordBatch, row: number): number {
  const { headerEnds, headerStarts, keyEnds, keyStarts, valueEnds, valueStarts } = records;
  const key = (keyEnds[row] as number) - (keyStarts[row] as number);
  const value = (valueEnds[row] as number) - (valueStarts[row] as number);
  const headers = (headerEnds[row] as number) - (headerStarts[row] as number);
  return key + value + headers + 1;
}
