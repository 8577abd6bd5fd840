import { DeserializationError } from '../../../base/errors.ts';
import type { RecordBatch } from '../../../base/record-batch.ts';
import { VarintCursor, varintSize, writeVarint } from '../../../base/varint.ts';
import type { Serde, SerdeUse } from '../../../serde/serde.ts';
import { batchOfSlices } from './batch-slices.ts';
import { Change } from './change.ts';

/** Last byte of a change: which values it holds. */
const ONLY_OLD = 0;
const ONLY_NEW = 1;
const BOTH = 2;

/**
 * Changes on their way through the repartition topic of a regrouped table, in Kafka Streams' format: `new 01`, `old 00`, or
 * `varint (length of new), new, old, 02`.
 *
 * @internal
 */
export class ChangeSerde<V> implements Serde<Change<V>> {
  readonly format: string;
  readonly #inner: Serde<V>;

  constructor(inner: Serde<V>) {
    this.format = `change(${inner.format})`;
    this.#inner = inner;
  }

  serialize(change: Change<V>, topic: string): Buffer {
    const newBytes = this.#bytes(change.newDatum.isNull ? undefined : change.newValue, topic);
    const oldBytes = this.#bytes(change.oldDatum.isNull ? undefined : change.oldValue, topic);
    if (newBytes !== undefined && oldBytes !== undefined) {
      const length = Buffer.alloc(varintSize(newBytes.length));
      writeVarint(length, 0, newBytes.length);
      return Buffer.concat([length, newBytes, oldBytes, Buffer.of(BOTH)]);
    }
    if (newBytes !== undefined) return Buffer.concat([newBytes, Buffer.of(ONLY_NEW)]);
    return Buffer.concat([oldBytes ?? Buffer.alloc(0), Buffer.of(ONLY_OLD)]);
  }

  /**
   * The way sinks write: nothing is kept with the record. A change is reused by the node that forwards it, so bytes that stayed with its
   * record would be those of the change before.
   */
  serializeInto(change: Change<V>, buffer: Buffer, position: number, topic: string): number {
    const bytes = this.serialize(change, topic);
    const end = position + bytes.length;
    if (end > buffer.length) return -1;
    buffer.set(bytes, position);
    return end;
  }

  deserialize(buffer: Buffer, start: number, end: number, topic: string): Change<V> {
    if (end <= start) throw new DeserializationError(`Topic ${topic}: a change needs at least one byte`);
    const change = new Change<V>();
    const last = end - 1;
    switch (buffer[last]) {
      case ONLY_NEW:
        change.newDatum.setObject(this.#inner.deserialize(buffer, start, last, topic));
        return change;
      case ONLY_OLD:
        change.oldDatum.setObject(this.#inner.deserialize(buffer, start, last, topic));
        return change;
      case BOTH: {
        const cursor = new VarintCursor(buffer, start, last);
        const length = cursor.varint();
        const newStart = cursor.position;
        const newEnd = newStart + length;
        if (cursor.hasFailed || length < 0 || newEnd > last) {
          throw new DeserializationError(`Topic ${topic}: a change is shorter than it says`);
        }
        change.newDatum.setObject(this.#inner.deserialize(buffer, newStart, newEnd, topic));
        change.oldDatum.setObject(this.#inner.deserialize(buffer, newEnd, last, topic));
        return change;
      }
      default:
        throw new DeserializationError(`Topic ${topic}: a change ends in byte ${buffer[last]}`);
    }
  }

  async configure(use: SerdeUse): Promise<void> {
    await this.#inner.configure?.(use);
  }

  /** Shows the inner serde the values inside the changes as if they were records. */
  prepare(batch: RecordBatch, side: 'key' | 'value'): Promise<void> | undefined {
    if (this.#inner.prepare === undefined) return undefined;
    return this.#inner.prepare(valuesInside(batch), side);
  }

  #bytes(value: V | undefined, topic: string): Buffer | undefined {
    return value === undefined ? undefined : this.#inner.serialize(value, topic);
  }
}

/** A batch whose rows are the one or two values of each change; `deserialize` throws for broken changes. */
function valuesInside(batch: RecordBatch): RecordBatch {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let row = 0; row < batch.count; row += 1) {
    const start = batch.valueStarts[row] as number;
    const last = (batch.valueEnds[row] as number) - 1;
    if (start < 0 || last < start) continue;
    if (batch.buffer[last] !== BOTH) {
      starts.push(start);
      ends.push(last);
      continue;
    }
    const cursor = new VarintCursor(batch.buffer, start, last);
    const newEnd = cursor.varint() + cursor.position;
    if (cursor.hasFailed || newEnd < cursor.position || newEnd > last) continue;
    starts.push(cursor.position, newEnd);
    ends.push(newEnd, last);
  }
  return batchOfSlices(batch, starts, ends);
}
