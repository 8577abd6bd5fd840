import { expect, test } from 'vitest';
import { type LaneMessage, PartitionLanes } from '../../src/commands/partition-lanes.ts';

const message = (key: string): LaneMessage => ({ key, value: Buffer.alloc(0), timestampMs: 0, headers: {} });

test('a partition has one send in flight; what comes meanwhile leaves together and in order', async () => {
  const sends: { partition: number; keys: string[]; done: () => void }[] = [];
  const lanes = new PartitionLanes(
    (partition, messages) => new Promise((done) => sends.push({ partition, keys: messages.map((m) => m.key), done })),
  );
  const pushed = ['a', 'b', 'c'].map((key) => lanes.push(1, message(key)));
  const other = lanes.push(2, message('x'));
  expect(sends.map((send) => [send.partition, send.keys])).toEqual([
    [1, ['a']],
    [2, ['x']],
  ]);
  sends[0]?.done();
  await pushed[0];
  await Promise.resolve();
  expect(sends[2]?.keys).toEqual(['b', 'c']);
  sends[1]?.done();
  sends[2]?.done();
  await Promise.all([...pushed, other]);
});

test('a failed send fails its own records only', async () => {
  let fail = true;
  const lanes = new PartitionLanes(async () => {
    if (!fail) return;
    fail = false;
    throw new Error('broker away');
  });
  const first = lanes.push(0, message('a'));
  const second = lanes.push(0, message('b'));
  await expect(first).rejects.toThrow('broker away');
  await expect(second).resolves.toBeUndefined();
});
