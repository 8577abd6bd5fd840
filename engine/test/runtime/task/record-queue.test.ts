import { describe, expect, it } from 'vitest';
import { DeserializationError } from '../../../src/base/errors.ts';
import { RecordQueue } from '../../../src/runtime/task/record-queue.ts';
import { batchOf } from '../../support/batches.ts';

describe('RecordQueue', () => {
  it('gives a batch back when its last row was taken and the next one begins', () => {
    const queue = new RecordQueue('t', 0, 't-0', 0);
    const first = batchOf([1, 2], 0);
    const second = batchOf([3], 2);
    queue.add(first);
    queue.add(second);
    queue.take();
    queue.take();
    expect(first.released).toBe(false);
    queue.take();
    expect(first.released).toBe(true);
    expect(second.released).toBe(false);
    queue.releaseSpent();
    expect(second.released).toBe(true);
    expect(queue.size).toBe(0);
  });

  it('tells the offset of its head, and the fetched position when it is empty', () => {
    const queue = new RecordQueue('t', 0, 't-0', 5);
    expect(queue.nextOffset).toBe(5);
    queue.add(batchOf([1, 1], 7));
    queue.advanceFetched(12);
    expect(queue.nextOffset).toBe(7);
    queue.take();
    expect(queue.nextOffset).toBe(8);
    queue.take();
    expect(queue.nextOffset).toBe(12);
  });

  it('keeps the highest timestamp taken as partition time', () => {
    const queue = new RecordQueue('t', 0, 't-0', 0);
    queue.add(batchOf([5, 3, 9]));
    const times = [0, 1, 2].map(() => {
      queue.take();
      return queue.partitionTimeMs;
    });
    expect(times).toEqual([5, 5, 9]);
  });

  it('leaves out rows without a usable timestamp and tells why', () => {
    const skipped: [number, string | undefined][] = [];
    const queue = new RecordQueue('t', 0, 't-0', 0, {
      timestampOf: (batch, row) => {
        if (row === 2) throw new DeserializationError('bad');
        return batch.timestamps[row] as number;
      },
      skipped: (_, row, error) => skipped.push([row, error?.message]),
    });
    const batch = batchOf([-1, 4, 0, 6, -1]);
    queue.add(batch);
    expect(queue.headTimestampMs).toBe(4);
    queue.take();
    expect(queue.headTimestampMs).toBe(6);
    queue.take();
    expect(queue.size).toBe(0);
    expect(skipped).toEqual([
      [0, undefined],
      [2, 'bad'],
      [4, undefined],
    ]);
    queue.releaseSpent();
    expect(batch.released).toBe(true);
  });

  it('releases everything when it is cleared', () => {
    const queue = new RecordQueue('t', 0, 't-0', 0);
    const batches = [batchOf([1, 2]), batchOf([3], 2), batchOf([4], 3)];
    for (const batch of batches) queue.add(batch);
    queue.take();
    queue.clear();
    expect(batches.map(({ released }) => released)).toEqual([true, true, true]);
    expect(queue.size).toBe(0);
  });
});
