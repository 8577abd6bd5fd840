import type { RecordBatch } from '../../../base/record-batch.ts';

/**
 * A batch whose rows are slices `[starts[i], ends[i])` of another one's bytes, as values without keys: for serdes that prepare
 * themselves for what is inside the values of a batch. The other batch stays the owner of the bytes.
 */
export function batchOfSlices(batch: RecordBatch, starts: readonly number[], ends: readonly number[]): RecordBatch {
  const none = new Int32Array(starts.length).fill(-1);
  return {
    ...batch,
    count: starts.length,
    offsets: new Float64Array(starts.length),
    timestamps: new Float64Array(starts.length),
    keyStarts: none,
    keyEnds: none,
    valueStarts: Int32Array.from(starts),
    valueEnds: Int32Array.from(ends),
    headerStarts: none,
    headerEnds: none,
    release() {},
  };
}
