import { expect, test } from 'vitest';
import { type LaneMessage, PartitionLanes, SEND_BYTES_MAX } from '../../src/commands/partition-lanes.ts';

const message = (key: string, bytes = 0): LaneMessage => ({
  key,
  value: Buffer.alloc(bytes),
  timestampMs: 0,
  headers: {},
});

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

test('a send never grows beyond what a broker takes as one batch, unless a record is that large by itself', async () => {
  const sends: number[][] = [];
  const lanes = new PartitionLanes(async (_partition, messages) => {
    sends.push(messages.map(({ value }) => value.length));
  });
  const third = SEND_BYTES_MAX / 3;
  await Promise.all(
    [1, third, third, third, SEND_BYTES_MAX + 1, 2, 3].map((bytes) => lanes.push(0, message('k', bytes))),
  );
  expect(sends).toEqual([[1], [third, third], [third], [SEND_BYTES_MAX + 1], [2, 3]]);
});
