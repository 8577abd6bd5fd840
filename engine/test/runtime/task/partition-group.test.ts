import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PartitionGroup } from '../../../src/runtime/task/partition-group.ts';
import { RecordQueue } from '../../../src/runtime/task/record-queue.ts';
import { batchOf } from '../../support/batches.ts';

function groupOf(
  queues: readonly (readonly number[])[],
  options: { maxTaskIdleMs?: number; lags?: (number | undefined)[] } = {},
) {
  const made = queues.map((timestamps, index) => {
    const queue = new RecordQueue(`t${index}`, 0, `t${index}-0`, 0);
    if (timestamps.length > 0) queue.add(batchOf(timestamps));
    return queue;
  });
  const lags = options.lags ?? [];
  const group = new PartitionGroup(made, {
    maxTaskIdleMs: options.maxTaskIdleMs ?? 0,
    lagOf: (queue) => lags[queue.index],
  });
  return { group, queues: made, lags };
}

function drain(group: PartitionGroup): { order: number[]; streamTimes: number[] } {
  const order: number[] = [];
  const streamTimes: number[] = [];
  for (let queue = group.nextQueue(); queue !== undefined; queue = group.nextQueue()) {
    order.push(group.take(queue));
    streamTimes.push(group.streamTimeMs);
  }
  return { order, streamTimes };
}

describe('PartitionGroup', () => {
  it('P1: merges queues by the timestamps of their heads', () => {
    const { group } = groupOf([
      [1, 5],
      [3, 4],
    ]);
    expect(drain(group)).toEqual({ order: [1, 3, 4, 5], streamTimes: [1, 3, 4, 5] });
  });

  it('P2: compares heads only, so a late record behind one comes late', () => {
    const { group } = groupOf([[10, 1], [5]]);
    expect(drain(group)).toEqual({ order: [5, 10, 1], streamTimes: [5, 10, 10] });
  });

  it('P3: with idle 0 waits for an empty partition until its lag is known to be 0', () => {
    const { group, lags } = groupOf([[1], []], { maxTaskIdleMs: 0 });
    expect(group.isReadyToProcess(0)).toBe(false);
    lags[1] = 3;
    expect(group.isReadyToProcess(0)).toBe(false);
    lags[1] = 0;
    expect(group.isReadyToProcess(0)).toBe(true);
  });

  it('P4: with idle -1 never waits', () => {
    const { group } = groupOf([[1], []], { maxTaskIdleMs: -1 });
    expect(group.isReadyToProcess(0)).toBe(true);
  });

  it('P5: with idle 100 waits that long at lag 0, and anew after data came in between', () => {
    const { group, queues } = groupOf([[1, 2, 3], []], { maxTaskIdleMs: 100, lags: [0, 0] });
    expect(group.isReadyToProcess(0)).toBe(false);
    expect(group.nextIdleDeadlineMs(0)).toBe(100);
    expect(group.isReadyToProcess(99)).toBe(false);
    expect(group.isReadyToProcess(100)).toBe(true);

    const again = groupOf([[1, 2, 3], []], { maxTaskIdleMs: 100, lags: [0, 0] });
    expect(again.group.isReadyToProcess(0)).toBe(false);
    again.queues[1]?.add(batchOf([0]));
    expect(again.group.isReadyToProcess(50)).toBe(true);
    again.group.take(again.group.nextQueue() as RecordQueue);
    expect(again.group.isReadyToProcess(60)).toBe(false);
    expect(again.group.isReadyToProcess(159)).toBe(false);
    expect(again.group.isReadyToProcess(160)).toBe(true);
    expect(queues).toHaveLength(2);
  });

  it('waits for nothing when there is nothing to process, nor after the wait is over', () => {
    const { group, queues } = groupOf([[1], []], { lags: [0, 0] });
    expect(group.isReadyToProcess(0)).toBe(true);
    expect(group.nextIdleDeadlineMs(0)).toBeUndefined();
    drain(group);
    expect(group.isReadyToProcess(1)).toBe(false);
    expect(group.nextIdleDeadlineMs(1)).toBeUndefined();

    const patient = groupOf([[1], []], { lags: [0, 0], maxTaskIdleMs: 100 }).group;
    expect(patient.isReadyToProcess(0)).toBe(false);
    expect(patient.nextIdleDeadlineMs(50)).toBe(100);
    expect(patient.nextIdleDeadlineMs(100)).toBeUndefined();
    expect(queues).toHaveLength(2);
  });

  it('P6: is not ready when everything is empty', () => {
    for (const maxTaskIdleMs of [-1, 0, 100]) {
      expect(groupOf([[], []], { maxTaskIdleMs, lags: [0, 0] }).group.isReadyToProcess(1_000)).toBe(false);
      expect(groupOf([[]], { maxTaskIdleMs, lags: [0] }).group.isReadyToProcess(1_000)).toBe(false);
    }
  });

  it('keeps the order of each partition, always takes the lowest head, and never lets stream time fall', () => {
    const timestamps = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(timestamps, { minLength: 1, maxLength: 4 }), (queues) => {
        const { group, queues: made } = groupOf(queues);
        const taken: number[][] = queues.map(() => []);
        let streamTimeMs = -1;
        for (let queue = group.nextQueue(); queue !== undefined; queue = group.nextQueue()) {
          const heads = made.filter(({ size }) => size > 0).map(({ headTimestampMs }) => headTimestampMs);
          const timestampMs = group.take(queue);
          expect(timestampMs).toBe(Math.min(...heads));
          taken[queue.index]?.push(timestampMs);
          streamTimeMs = Math.max(streamTimeMs, timestampMs);
          expect(group.streamTimeMs).toBe(streamTimeMs);
        }
        expect(taken).toEqual(queues);
        expect(group.size).toBe(0);
      }),
    );
  });
});
