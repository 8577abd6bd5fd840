import fc from 'fast-check';
import { expect, it } from 'vitest';
import { binaryKey } from '../../src/base/bytes.ts';
import { StreamsError } from '../../src/base/errors.ts';
import { decodeHeaders } from '../../src/base/headers-codec.ts';
import type { Header, RecordBatch } from '../../src/base/record-batch.ts';
import type { Compression, EncodedBatch } from '../../src/broker/broker.ts';
import { BufferPool, SharedBuffer } from '../../src/broker/buffer-pool.ts';
import { sealBatch } from '../../src/broker/record-batch-layout.ts';
import { RecordBatchReader, scanNextOffset } from '../../src/broker/record-batch-reader.ts';
import { RecordBatchWriter } from '../../src/broker/record-batch-writer.ts';
import { splitBatch } from '../../src/broker/split-batch.ts';
import type { Serde } from '../../src/serde/serde.ts';

interface PlainRecord {
  timestampMs: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Header[];
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const record: fc.Arbitrary<PlainRecord> = fc.record({
  timestampMs: fc.oneof(fc.integer({ min: 0, max: 4_102_444_800_000 }), fc.constant(0)),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 12 }), value: fc.option(bytes) }), { maxLength: 3 }),
});
const compressions: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const reader = new RecordBatchReader();

const bytesSerde: Serde<Buffer> = {
  format: 'bytes',
  serialize: (value) => value,
  deserialize: (buffer, start, end) => Buffer.copyBytesFrom(buffer, start, end - start),
  serializeInto(value, buffer, position) {
    return position + value.length > buffer.length ? -1 : position + value.copy(buffer, position);
  },
};

function plain(batch: RecordBatch): (PlainRecord & { offset: number })[] {
  return Array.from({ length: batch.count }, (_, row) => {
    const slice = (starts: Int32Array, ends: Int32Array) =>
      starts[row] === -1 ? null : Buffer.from(batch.buffer.subarray(starts[row], ends[row]));
    return {
      offset: batch.offsets[row] as number,
      timestampMs: batch.timestamps[row] as number,
      key: slice(batch.keyStarts, batch.keyEnds),
      value: slice(batch.valueStarts, batch.valueEnds),
      headers: decodeHeaders(batch.buffer, batch.headerStarts[row] as number, batch.headerEnds[row] as number),
    };
  });
}

function appendPlain(writer: RecordBatchWriter, item: PlainRecord, way: number): boolean {
  const headers = item.headers.length === 0 ? undefined : item.headers;
  const keyEnd = item.key?.length ?? 0;
  if (way === 1) return writer.appendSerialized(item.timestampMs, item.key, 0, keyEnd, item.value, bytesSerde, headers);
  if (way === 2 && item.key !== null && headers === undefined) {
    return writer.appendKeyed(item.timestampMs, binaryKey(item.key), item.value);
  }
  return writer.append(item.timestampMs, item.key, 0, keyEnd, item.value, 0, item.value?.length ?? 0, headers);
}

/** Writes all records, in as many batches as it takes, with ascending base offsets from 0. */
function encode(records: readonly PlainRecord[], poolBytes: number, compression: Compression, way: number): Buffer {
  const writer = new RecordBatchWriter('t', 0, new BufferPool(poolBytes));
  const encoded: EncodedBatch[] = [];
  for (const item of records) {
    if (appendPlain(writer, item, way)) continue;
    encoded.push(writer.finish(compression));
    expect(appendPlain(writer, item, way)).toBe(true);
  }
  if (writer.count > 0) encoded.push(writer.finish(compression));
  let offset = 0;
  return Buffer.concat(
    encoded.map((batch) => {
      const copy = Buffer.from(batch.bytes);
      copy.writeBigInt64BE(BigInt(offset), 0);
      sealBatch(copy);
      offset += batch.recordCount;
      batch.release();
      return copy;
    }),
  );
}

function decode(blob: Buffer, fromOffset = 0) {
  return reader.decode(new SharedBuffer(blob), 0, blob.length, { topic: 't', partition: 0, fromOffset });
}

it('reads back what it wrote, in every compression and by every way of appending', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(...compressions),
      fc.constantFrom(100, 700, 65_536),
      fc.constantFrom(0, 1, 2),
      (records, compression, poolBytes, way) => {
        const blob = encode(records, poolBytes, compression, way);
        const { batches, nextOffset } = decode(blob);
        expect(batches.flatMap(plain)).toEqual(records.map((item, offset) => ({ ...item, offset })));
        expect(nextOffset).toBe(records.length);
        expect(scanNextOffset(blob, 0, blob.length, 0)).toBe(records.length);
        for (const batch of batches) batch.release();
      },
    ),
  );
});

it('copies rows of a fetched batch unchanged', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 40 }),
      fc.constantFrom(...compressions),
      (records, compression) => {
        const writer = new RecordBatchWriter('t', 0, new BufferPool(1_000_000));
        for (const batch of decode(encode(records, 1000, compression, 0)).batches) {
          for (let row = 0; row < batch.count; row += 1) writer.appendRow(batch.timestamps[row] as number, batch, row);
        }
        const copy = writer.finish('none');
        sealBatch(copy.bytes);
        expect(decode(copy.bytes).batches.flatMap(plain)).toEqual(records.map((item, offset) => ({ ...item, offset })));
      },
    ),
  );
});

it('writes the same bytes by every way of appending', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 40 }), (records) => {
      const blobs = [0, 1, 2].map((way) => encode(records, 1_000_000, 'none', way));
      expect(blobs[1]).toEqual(blobs[0]);
      expect(blobs[2]).toEqual(blobs[0]);
    }),
  );
});

it('skips records below the asked offset and leaves a cut-off batch out', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 40 }), fc.nat(39), fc.nat(), (records, from, cut) => {
      const blob = encode(records, 400, 'none', 0);
      const shorter = blob.subarray(0, cut % (blob.length + 1));
      const fromOffset = Math.min(from, records.length - 1);
      const { batches, nextOffset } = decode(shorter, fromOffset);
      expect(batches.flatMap(plain).map((item) => item.offset)).toEqual(
        Array.from({ length: Math.max(0, nextOffset - fromOffset) }, (_, index) => fromOffset + index),
      );
      expect(scanNextOffset(shorter, 0, shorter.length, fromOffset)).toBe(nextOffset);
    }),
  );
});

function expectOnlyCorruptRecord(blob: Buffer): void {
  try {
    for (const batch of decode(blob).batches) {
      plain(batch);
      batch.release();
    }
  } catch (error) {
    expect(error).toBeInstanceOf(StreamsError);
    expect((error as StreamsError).code).toBe('CORRUPT_RECORD');
  }
}

it('answers nothing but CORRUPT_RECORD to random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
      expectOnlyCorruptRecord(Buffer.from(noise));
    }),
  );
});

it('answers nothing but CORRUPT_RECORD to damaged batches with a right checksum', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(...compressions),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      (records, compression, damages) => {
        const blob = encode(records, 65_536, compression, 0);
        for (const [at, byte] of damages) blob[21 + (at % (blob.length - 21))] = byte;
        sealBatch(blob);
        expectOnlyCorruptRecord(blob);
      },
    ),
    { numRuns: 500 },
  );
});

it('refuses a batch whose checksum is wrong', () => {
  const blob = encode([{ timestampMs: 1, key: null, value: Buffer.from('x'), headers: [] }], 1000, 'none', 0);
  blob[blob.length - 2] = 0x79;
  expect(() => decode(blob)).toThrow(/checksum/);
});

it('gives a record larger than its buffer a batch of its own', () => {
  const writer = new RecordBatchWriter('t', 0, new BufferPool(500));
  const large = Buffer.alloc(5000, 7);
  expect(writer.append(1, null, 0, 0, Buffer.from('a'), 0, 1)).toBe(true);
  expect(writer.append(2, null, 0, 0, large, 0, large.length)).toBe(false);
  expect(writer.finish('none').recordCount).toBe(1);
  expect(writer.append(2, null, 0, 0, large, 0, large.length)).toBe(true);
  expect(writer.append(3, null, 0, 0, Buffer.from('a'), 0, 1)).toBe(false);
  expect(writer.finish('none').bytes.length).toBeGreaterThan(5000);
});

it('splits a batch into two that hold its records in order, each with about half of the bytes', () => {
  const times = fc.array(record, { minLength: 2, maxLength: 20 });
  fc.assert(
    fc.property(times, fc.constantFrom(...compressions), (records, compression) => {
      const writer = new RecordBatchWriter('t', 0, new BufferPool(64 * 1024));
      for (const item of records) expect(appendPlain(writer, item, 0)).toBe(true);
      const whole = writer.finish(compression);
      const halves = splitBatch(whole);
      const read = halves.flatMap((half) => {
        const copy = Buffer.from(half.bytes);
        sealBatch(copy);
        const rows = decode(copy).batches.flatMap(plain);
        expect(rows.map(({ offset }) => offset)).toEqual(rows.map((_, index) => index));
        expect(half.recordCount).toBe(rows.length);
        return rows;
      });
      expect(read.map(({ offset: _, ...item }) => item)).toEqual(records);
      if (compression === 'none') {
        const largest = Math.max(...records.map((item) => encode([item], 1024, 'none', 0).length));
        for (const half of halves) expect(half.bytes.length).toBeLessThan(whole.bytes.length / 2 + 2 * largest);
      }
      whole.release();
    }),
  );
});
