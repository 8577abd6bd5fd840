import { DeserializationError } from '../../base/errors.ts';
import type { RecordBatch } from '../../base/record-batch.ts';
import { Datum } from '../../processor/datum.ts';
import type { Serde, SerdeUse } from '../../serde/serde.ts';
import { batchOfSlices } from '../processors/table/batch-slices.ts';
import { HASH_BYTES, NO_HASH_FLAG } from './subscription.ts';

/** What the right side of a foreign-key join answers; the record's key is the primary key. */
export interface Response<V> {
  /** That of the subscription. */
  readonly hash: Buffer | undefined;
  /** The right table's value; null where it has none. */
  readonly foreignValue: Datum<V>;
  /** Where to; not part of the message. */
  readonly primaryPartition: number | undefined;
}

/** Start of the foreign value inside a serialized response. */
function foreignValueStart(buffer: Buffer, start: number, end: number, topic: string): number {
  const broken = (reason: string) => new DeserializationError(`Topic ${topic}: not a foreign-key response: ${reason}`);
  if (end <= start) throw broken('no bytes');
  const flags = buffer[start] as number;
  const version = flags & ~NO_HASH_FLAG;
  if (version !== 0) throw broken(`version ${version} is not known here`);
  const valueStart = start + 1 + ((flags & NO_HASH_FLAG) === 0 ? HASH_BYTES : 0);
  if (valueStart > end) throw broken('it is shorter than it says');
  return valueStart;
}

/** Responses in Kafka Streams' format, version 0: flags and version, hash, foreign value. A value without bytes reads as null. */
export class ResponseSerde<V> implements Serde<Response<V>> {
  readonly format: string;
  readonly #value: Serde<V>;

  constructor(value: Serde<V>) {
    this.format = `foreign-key-response(${value.format})`;
    this.#value = value;
  }

  serialize(response: Response<V>, topic: string): Buffer {
    const { hash, foreignValue } = response;
    const valueStart = 1 + (hash === undefined ? 0 : HASH_BYTES);
    let length = 0;
    if (!foreignValue.isNull) {
      // Kept in the datum, which all subscribers of a foreign value share.
      foreignValue.encode(this.#value, topic);
      if (!foreignValue.isNull) length = foreignValue.end - foreignValue.start;
    }
    const bytes = Buffer.allocUnsafe(valueStart + length);
    bytes[0] = hash === undefined ? NO_HASH_FLAG : 0;
    hash?.copy(bytes, 1);
    if (length > 0) foreignValue.buffer.copy(bytes, valueStart, foreignValue.start, foreignValue.end);
    return bytes;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): Response<V> {
    const valueStart = foreignValueStart(buffer, start, end, topic);
    const foreignValue = new Datum<V>();
    if (valueStart < end) {
      const value = Buffer.copyBytesFrom(buffer, valueStart, end - valueStart);
      foreignValue.setBytes(value, 0, value.length, this.#value, topic);
    }
    const hasHash = valueStart - start > HASH_BYTES;
    return {
      hash: hasHash ? Buffer.copyBytesFrom(buffer, start + 1, HASH_BYTES) : undefined,
      foreignValue,
      primaryPartition: undefined,
    };
  }

  async configure(use: SerdeUse): Promise<void> {
    await this.#value.configure?.(use);
  }

  prepare(batch: RecordBatch, side: 'key' | 'value'): Promise<void> | undefined {
    if (this.#value.prepare === undefined) return undefined;
    const starts: number[] = [];
    const ends: number[] = [];
    for (let row = 0; row < batch.count; row += 1) {
      const start = batch.valueStarts[row] as number;
      const end = batch.valueEnds[row] as number;
      if (start < 0) continue;
      try {
        const valueStart = foreignValueStart(batch.buffer, start, end, batch.topic);
        if (valueStart === end) continue;
        starts.push(valueStart);
        ends.push(end);
      } catch {
        // `deserialize` throws for it when the record is processed.
      }
    }
    return this.#value.prepare(batchOfSlices(batch, starts, ends), side);
  }
}
