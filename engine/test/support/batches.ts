import type { RecordBatch } from '../../src/base/record-batch.ts';

/** A batch of rows with the given timestamps, without keys or values; `released` tells when it was given back. */
export function batchOf(
  timestamps: readonly number[],
  firstOffset = 0,
  topic = 'topic',
): RecordBatch & { released: boolean } {
  const count = timestamps.length;
  const none = () => new Int32Array(count).fill(-1);
  return {
    topic,
    partition: 0,
    count,
    buffer: Buffer.alloc(0),
    offsets: Float64Array.from(timestamps, (_, row) => firstOffset + row),
    timestamps: Float64Array.from(timestamps),
    keyStarts: none(),
    keyEnds: none(),
    valueStarts: none(),
    valueEnds: none(),
    headerStarts: none(),
    headerEnds: none(),
    released: false,
    release() {
      this.released = true;
    },
  };
}
