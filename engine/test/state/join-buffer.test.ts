import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type JoinBuffer, joinBufferBuilder } from '../../src/state/buffer/join-buffer.ts';
import { bytesFor, changelogBatch, keyOf, StoreFixture } from '../contract/store-fixture.ts';

const GRACE_MS = 10;
const context = (timestampMs: number) => ({
  timestampMs,
  topic: 'left',
  partition: 0,
  offset: timestampMs,
  headers: [{ key: 'trace', value: bytesFor('t') }],
});

describe.each(['memory', 'persistent'] as const)('a buffer of records that wait, %s', (store) => {
  let fixture: StoreFixture;
  let buffer: JoinBuffer;

  function open(): JoinBuffer {
    const opened = joinBufferBuilder({ name: 'j-Buffer', graceMs: GRACE_MS, store }).build();
    opened.open(fixture.context);
    return opened;
  }

  function evicted(from = buffer): string[] {
    const all: string[] = [];
    from.evict(({ key, value, context: { timestampMs, topic, headers } }) => {
      all.push(`${key.latin1Slice()}=${value.latin1Slice()}@${timestampMs} ${topic} ${headers[0]?.key}`);
    });
    return all;
  }

  beforeEach(() => {
    fixture = new StoreFixture();
    buffer = open();
  });

  afterEach(() => {
    if (buffer.isOpen) buffer.close();
    fixture.remove();
  });

  test('lets records go by time, then key, then arrival, once the stream has moved on by the grace', () => {
    buffer.put(keyOf('b'), bytesFor('1'), context(5));
    buffer.put(keyOf('a'), bytesFor('2'), context(5));
    buffer.put(keyOf('a'), bytesFor('3'), context(5));
    buffer.put(keyOf('c'), bytesFor('4'), context(3));
    buffer.put(keyOf('a'), bytesFor('5'), context(14));
    expect(evicted()).toEqual(['c=4@3 left trace']);
    buffer.put(keyOf('a'), bytesFor('6'), context(15));
    expect(evicted()).toEqual(['a=2@5 left trace', 'a=3@5 left trace', 'b=1@5 left trace']);
    expect(buffer.size).toBe(2);
  });

  test('refuses a record that is later than the grace, and takes one at its very end', () => {
    buffer.put(keyOf('a'), bytesFor('1'), context(30));
    expect(buffer.put(keyOf('a'), bytesFor('2'), context(19))).toBe(false);
    expect(buffer.put(keyOf('a'), bytesFor('3'), context(20))).toBe(true);
    expect(evicted()).toEqual(['a=3@20 left trace']);
  });

  // The fixture writes -1 for the producer's time.
  test('logs what waits and what no longer does, with the time of the producer', () => {
    buffer.put(keyOf('a'), bytesFor('x'), context(1));
    buffer.put(keyOf('a'), bytesFor('y'), context(11));
    evicted();
    expect(fixture.changes.map(({ key, value, timestampMs }) => [key.length, value === null, timestampMs])).toEqual([
      [14, false, -1],
      [14, false, -1],
      [14, true, -1],
    ]);
    expect(fixture.changes[2]?.key).toBe(fixture.changes[0]?.key);
  });

  test('goes on from its changelog: the same records leave, in the same order, and new ones are told apart', () => {
    buffer.put(keyOf('a'), bytesFor('1'), context(5));
    buffer.put(keyOf('a'), bytesFor('2'), context(20));
    evicted();
    buffer.put(keyOf('a'), bytesFor('3'), context(20));
    const rows = fixture.changes.map(({ key, value }) => ({ key, value }));
    buffer.close();
    buffer.wipe();
    const restored = open();
    restored.restore(changelogBatch(rows), rows.length);
    expect(restored.put(keyOf('a'), bytesFor('late'), context(9))).toBe(false);
    restored.put(keyOf('a'), bytesFor('4'), context(20));
    restored.put(keyOf('z'), bytesFor('5'), context(30));
    expect(evicted(restored)).toEqual(['a=2@20 left trace', 'a=3@20 left trace', 'a=4@20 left trace']);
    restored.close();
  });

  test('knows its time again after it was opened anew', () => {
    if (store === 'memory') return;
    buffer.put(keyOf('a'), bytesFor('1'), context(20));
    buffer.commit(1);
    buffer.put(keyOf('a'), bytesFor('2'), context(40));
    buffer.rollback();
    expect(buffer.put(keyOf('a'), bytesFor('late'), context(9))).toBe(false);
    expect(buffer.put(keyOf('a'), bytesFor('3'), context(10))).toBe(true);
  });
});
