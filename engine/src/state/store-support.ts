import { StreamsError } from '../base/errors.ts';
import type { RecordBatch } from '../base/record-batch.ts';

/** Using a store before `open` or after `close` is a defect of the caller. */
export function storeClosed(name: string): StreamsError {
  return new StreamsError(`State store ${name} is not open`, { code: 'INVALID_STATE_STORE', recovery: 'fail' });
}

/** The value of a batch's row in a buffer of its own; null for a tombstone. */
export function copyRow(batch: RecordBatch, row: number): Buffer | null {
  const start = batch.valueStarts[row] as number;
  if (start < 0) return null;
  return Buffer.copyBytesFrom(batch.buffer, start, (batch.valueEnds[row] as number) - start);
}
