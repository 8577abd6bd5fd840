import { BufferPool } from '../../src/broker/buffer-pool.ts';
import { CONTROL_BIT, layout, stampProducer, TRANSACTIONAL_BIT } from '../../src/broker/record-batch-layout.ts';
import { RecordBatchWriter } from '../../src/broker/record-batch-writer.ts';

const pool = new BufferPool(4096);

/** A batch as it lies in a log, of this producer (0: of none) and with these attributes. */
export function batchBytes(
  offset: number,
  producer: number,
  attributes: number,
  records: readonly (readonly [Buffer | null, Buffer])[],
): Buffer {
  const writer = new RecordBatchWriter('t', 0, pool);
  for (const [key, value] of records) writer.append(1, key, 0, key?.length ?? 0, value, 0, value.length);
  const batch = writer.finish('none');
  const bytes = Buffer.from(batch.bytes);
  batch.release();
  bytes.writeBigInt64BE(BigInt(offset), layout.baseOffset);
  bytes.writeInt16BE(attributes, layout.attributes);
  stampProducer(bytes, producer === 0 ? -1 : producer, 0, 0);
  return bytes;
}

/** The marker that ends a transaction. */
export function markerBytes(offset: number, producer: number, commit: boolean): Buffer {
  const key = Buffer.from([0, 0, 0, commit ? 1 : 0]);
  return batchBytes(offset, producer, TRANSACTIONAL_BIT | CONTROL_BIT, [[key, Buffer.alloc(6)]]);
}
