import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BinaryKey, bytesOf } from '../../../src/base/bytes.ts';
import type { Header } from '../../../src/base/record-batch.ts';
import { decodeBufferedChange, entryBytes } from '../../../src/state/buffer/buffered-change.ts';
import { DirtyKeys } from '../../../src/state/buffer/dirty-keys.ts';
import { MemoryChangeBuffer } from '../../../src/state/buffer/memory-change-buffer.ts';
import { singleRecordBatch } from '../../../src/testing/driver/captured-records.ts';
import { keyOf, keyOfHex, StoreFixture } from '../../contract/store-fixture.ts';

const CHANGELOG = 'app-final-store-changelog';
const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));

function change(oldText: string | null, newText: string | null, offset = 0, timestampMs = 0) {
  const context = { timestampMs, offset, topic: 'in', partition: 0, headers: [] as Header[] };
  return { context, oldValue: bytes(oldText), newValue: bytes(newText) };
}

const textOf = (value: Buffer | null): string | null => value?.toString() ?? null;

describe('MemoryChangeBuffer', () => {
  let fixture: StoreFixture;
  let buffer: MemoryChangeBuffer;

  beforeEach(() => {
    fixture = new StoreFixture();
    buffer = new MemoryChangeBuffer('final-store', true);
    buffer.open(fixture.context);
  });

  afterEach(() => {
    buffer.close();
    fixture.remove();
  });

  function drain(): [string, number, string | null][] {
    const drained: [string, number, string | null][] = [];
    for (let entry = buffer.first(); entry !== undefined; entry = buffer.first()) {
      drained.push([entry.key, entry.bufferTimeMs, textOf(entry.change.newValue)]);
      buffer.evict(entry);
    }
    return drained;
  }

  function restore(key: string, value: Buffer | null, headers: readonly Header[] = []): void {
    const record = { topic: CHANGELOG, partition: 0, key: Buffer.from(key), value, timestampMs: 77, headers };
    buffer.restore(singleRecordBatch(record, 5));
  }

  function written() {
    return fixture.changes.map(({ key, value, timestampMs, headers }) => ({
      key: bytesOf(key).toString('hex'),
      value: value === null ? null : Buffer.from(value, 'latin1').toString('hex'),
      timestampMs,
      headers: headers?.map((each) => `${each.key}=${each.value?.toString('hex')}`),
    }));
  }

  it('gives out entries by buffer time, then key bytes', () => {
    buffer.put(keyOf('b'), 5, change(null, '1'));
    buffer.put(keyOf('c'), 3, change(null, '2'));
    buffer.put(keyOf('a'), 5, change(null, '3'));
    buffer.put(keyOf('ÿ'), 5, change(null, '4'));
    expect(drain()).toEqual([
      ['c', 3, '2'],
      ['a', 5, '3'],
      ['b', 5, '1'],
      ['ÿ', 5, '4'],
    ]);
    expect([buffer.size, buffer.sizeBytes]).toEqual([0, 0]);
  });

  it('leaves a key where it is and keeps its prior value when it changes again', () => {
    buffer.put(keyOf('a'), 5, change('before', '1'));
    buffer.put(keyOf('b'), 6, change(null, '2'));
    buffer.put(keyOf('a'), 9, change('1', '3'));
    const first = buffer.first();
    expect([first?.key, first?.bufferTimeMs]).toEqual(['a', 5]);
    expect(first?.change).toMatchObject({
      priorValue: Buffer.from('before'),
      oldValue: Buffer.from('1'),
      newValue: Buffer.from('3'),
    });
  });

  it('writes the changelog of Kafka Streams at a flush, one record for each changed key, in its order', () => {
    const [a, b, c] = [keyOfHex('410000000000000000'), keyOfHex('420000000000000000'), keyOfHex('430000000000000000')];
    buffer.put(b, 10, change('', 'a0', 0, 1));
    buffer.flush();
    buffer.put(a, 10, change('', 'b1', 1, 2));
    buffer.flush();
    buffer.put(a, 10, change('b1', 'b1null', 3, 7));
    buffer.flush();
    buffer.flush();
    buffer.put(c, 10, change('', 'c2', 2, 5));
    drain();
    buffer.flush();
    const format = { timestampMs: -1, headers: ['v=03'] };
    const tombstone = { value: null, timestampMs: -1, headers: undefined };
    expect(written()).toEqual([
      {
        key: '420000000000000000',
        value:
          '0000000000000001000000000000000000000002696e000000000000000000000000fffffffe000000026130000000000000000a',
        ...format,
      },
      {
        key: '410000000000000000',
        value:
          '0000000000000002000000000000000100000002696e000000000000000000000000fffffffe000000026231000000000000000a',
        ...format,
      },
      {
        key: '410000000000000000',
        value:
          '0000000000000007000000000000000300000002696e0000000000000000000000000000000262310000000662316e756c6c000000000000000a',
        ...format,
      },
      { key: '430000000000000000', ...tombstone },
      { key: '410000000000000000', ...tombstone },
      { key: '420000000000000000', ...tombstone },
    ]);
  });

  it('writes nothing without a changelog', () => {
    const silent = new MemoryChangeBuffer('silent', false);
    silent.open(fixture.context);
    silent.put(keyOf('a'), 1, change(null, '1'));
    silent.flush();
    expect(fixture.changes).toEqual([]);
  });

  it('holds after a restart what its changelog says', () => {
    buffer.put(keyOf('a'), 5, change('p', '1', 3, 4));
    buffer.put(keyOf('b'), 6, change(null, null));
    buffer.put(keyOf('gone'), 1, change(null, '2'));
    buffer.flush();
    const log = fixture.changes.splice(0);
    const sizeBytes = buffer.sizeBytes;
    buffer.close();
    buffer.open(fixture.context);
    for (const { key, value, headers } of [...log, { key: 'gone', value: null, headers: [] }]) {
      restore(key, value === null ? null : Buffer.from(value, 'latin1'), headers);
    }
    expect(buffer.get('a' as BinaryKey)?.change).toEqual({ ...change('p', '1', 3, 4), priorValue: Buffer.from('p') });
    expect(buffer.size).toBe(2);
    expect(buffer.sizeBytes).toBeLessThan(sizeBytes);
    expect(drain()).toEqual([
      ['a', 5, '1'],
      ['b', 6, null],
    ]);
  });

  it('counts bytes as Kafka Streams does: a prior value that is the old value once', () => {
    const context = { timestampMs: 0, offset: 0, topic: 'topic', partition: 0, headers: [] };
    const withHeader = { ...context, headers: [{ key: 'hé', value: Buffer.from('1234') }] };
    const values = { priorValue: bytes('ab'), oldValue: bytes('ab'), newValue: bytes('xyz') };
    // Buffer time 8, key 3; context: 20 and the topic; values.
    expect(entryBytes(3, { context, ...values })).toBe(8 + 3 + 20 + 5 + 2 + 3);
    expect(entryBytes(3, { context: withHeader, ...values, priorValue: null })).toBe(8 + 3 + 20 + 5 + 6 + 2 + 3);
  });

  describe('restores the formats of older versions', () => {
    const int64 = (value: number): Buffer => {
      const buffer64 = Buffer.alloc(8);
      buffer64.writeBigInt64BE(BigInt(value));
      return buffer64;
    };
    const int32 = (value: number): Buffer => {
      const buffer32 = Buffer.alloc(4);
      buffer32.writeInt32BE(value);
      return buffer32;
    };
    const sized = (value: Buffer | null): Buffer =>
      value === null ? int32(-1) : Buffer.concat([int32(value.length), value]);
    const text = (value: string | null): Buffer => sized(bytes(value));
    const context = (headerCount: Buffer): Buffer =>
      Buffer.concat([int64(3), int64(9), text('in'), int32(2), headerCount]);
    const oneHeader = Buffer.concat([int32(1), text('h'), text('1')]);
    const origin = { timestampMs: 3, offset: 9, topic: 'in', partition: 2 };
    const header = { key: 'h', value: Buffer.from('1') };
    const version = (number: number): Header[] => [{ key: 'v', value: Buffer.of(number) }];

    it('format 0, whose context is the changelog record', () => {
      restore('k', Buffer.concat([int64(42), text('old'), text('new')]));
      const entry = buffer.get(keyOf('k'));
      expect(entry?.bufferTimeMs).toBe(42);
      expect(entry?.change).toEqual({
        context: { timestampMs: 77, offset: 5, topic: CHANGELOG, partition: 0, headers: [] },
        priorValue: Buffer.from('old'),
        oldValue: Buffer.from('old'),
        newValue: Buffer.from('new'),
      });
    });

    it('format 1, whose prior value is that of the record before', () => {
      const first = Buffer.concat([text('p'), text('1')]);
      const second = Buffer.concat([text('1'), text(null)]);
      restore('k', Buffer.concat([int64(42), context(oneHeader), sized(first)]), version(1));
      restore('k', Buffer.concat([int64(50), context(int32(-1)), sized(second)]), version(1));
      const entry = buffer.get(keyOf('k'));
      expect(entry?.bufferTimeMs).toBe(42);
      expect(entry?.change).toEqual({
        context: { ...origin, headers: [] },
        priorValue: Buffer.from('p'),
        oldValue: Buffer.from('1'),
        newValue: null,
      });
    });

    it('format 2', () => {
      const values = Buffer.concat([text('old'), text('new')]);
      restore('k', Buffer.concat([context(oneHeader), sized(values), text('p'), int64(42)]), version(2));
      expect(buffer.get(keyOf('k'))).toMatchObject({
        bufferTimeMs: 42,
        change: {
          context: { ...origin, headers: [header] },
          priorValue: Buffer.from('p'),
          newValue: Buffer.from('new'),
        },
      });
    });

    it('format 3 under the number 2, as versions 2.4.0 to 2.5.0 wrote it', () => {
      const value = Buffer.concat([context(oneHeader), text('p'), int32(-2), text('new'), int64(42)]);
      for (const number of [2, 3]) {
        restore('k', value, version(number));
        expect(buffer.get(keyOf('k'))?.change).toEqual({
          context: { ...origin, headers: [header] },
          priorValue: Buffer.from('p'),
          oldValue: Buffer.from('p'),
          newValue: Buffer.from('new'),
        });
      }
    });

    it.each([
      ['an unknown format', 4, Buffer.alloc(40)],
      ['a value that ends early', 3, Buffer.alloc(20)],
      ['a length below zero', 3, Buffer.concat([int64(3), int64(9), int32(-7)])],
      ['a value of neither format', 2, Buffer.alloc(3)],
    ])('and refuses %s', (_what, number, value) => {
      const from = { context: { ...origin, headers: [] }, bufferedPrior: undefined };
      expect(() => decodeBufferedChange(value, number, from)).toThrow(/suppression buffer can't be read/);
    });
  });
});

describe('DirtyKeys', () => {
  it('has the order of a HashSet<Bytes> of Java, whose buckets stay when it is cleared', () => {
    // What Java 17 printed.
    const expected: readonly (readonly [number, string])[] = [
      [5, '10 47 0 37 74'],
      [
        40,
        '10 33 56 77 57 36 37 9 6 3 0 90 19 94 93 50 16 70 30 13 97 73 74 53 67 23 47 46 26 29 100 83 80 60 40 63 87 84 20 43',
      ],
      [9, '10 57 37 0 94 74 47 84 20'],
    ];
    const dirty = new DirtyKeys();
    for (const [count, order] of expected) {
      for (let i = 0; i < count; i += 1) dirty.add(keyOfHex(Buffer.from(`k${(i * 37) % 101}é`).toString('hex')));
      const drained = dirty.drain().map((key) => bytesOf(key).toString().slice(1, -1));
      expect(drained.join(' ')).toBe(order);
      expect(dirty.size).toBe(0);
    }
  });
});
