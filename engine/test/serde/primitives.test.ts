import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeserializationError, SerializationError } from '../../src/base/errors.ts';
import { json } from '../../src/serde/json.ts';
import {
  bigLong,
  boolean,
  bytes,
  double,
  float,
  integer,
  long,
  short,
  string,
  uuid,
} from '../../src/serde/primitives.ts';
import type { Serde } from '../../src/serde/serde.ts';
import { sessionWindowed, windowed } from '../../src/serde/windowed.ts';

const windowOf = (startMs: number, endMs: number) => ({ startMs, endMs });
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
);
// Java's bytes of one value each, and an arbitrary of values.
const cases: readonly [string, Serde<unknown>, unknown, string, fc.Arbitrary<unknown>][] = [
  ['string', string(), 'é€', 'c3a9e282ac', anyText.map((text) => text.toWellFormed())],
  [
    'bytes',
    bytes(),
    Buffer.from([0, 255]),
    '00ff',
    fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  ],
  ['long', long(), -2, 'fffffffffffffffe', fc.maxSafeInteger()],
  ['long', long(), 4_294_967_297, '0000000100000001', fc.maxSafeInteger()],
  ['bigLong', bigLong(), -(2n ** 63n), '8000000000000000', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
  ['integer', integer(), -2, 'fffffffe', fc.integer()],
  ['short', short(), -2, 'fffe', fc.integer({ min: -32_768, max: 32_767 })],
  ['double', double(), 1.5, '3ff8000000000000', fc.double()],
  ['float', float(), 1.5, '3fc00000', fc.float()],
  ['boolean', boolean(), true, '01', fc.boolean()],
  [
    'uuid',
    uuid(),
    '0b5bd1fe-5a2f-4f4c-9d0b-4c2b8f7a0001',
    Buffer.from('0b5bd1fe-5a2f-4f4c-9d0b-4c2b8f7a0001').toString('hex'),
    fc.uuid(),
  ],
  [
    'json',
    json(),
    { a: [1, null] },
    '7b2261223a5b312c6e756c6c5d7d',
    fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value))),
  ],
  [
    'windowed',
    windowed(string(), 10),
    { key: 'A', window: windowOf(20, 30) },
    '410000000000000014',
    fc
      .tuple(fc.string(), fc.integer({ min: 0, max: 2 ** 50 }))
      .map(([key, startMs]) => ({ key, window: windowOf(startMs, startMs + 10) })),
  ],
  [
    'sessionWindowed',
    sessionWindowed(string()),
    { key: 'C', window: windowOf(1, 2) },
    '4300000000000000020000000000000001',
    fc
      .tuple(fc.string(), fc.nat(), fc.nat())
      .map(([key, startMs, lengthMs]) => ({ key, window: windowOf(startMs, startMs + lengthMs) })),
  ],
];

describe.each(cases)('The %s serde', (_name, serde, value, hex, values) => {
  it('writes the bytes that Java writes', () => {
    expect(serde.serialize(value, 't').toString('hex')).toBe(hex);
  });

  it('reads back what it wrote, from the middle of a buffer, without aliasing it', () => {
    fc.assert(
      fc.property(values, (any) => {
        const written = serde.serialize(any, 't');
        const around = Buffer.concat([Buffer.alloc(3, 0xaa), written, Buffer.alloc(3, 0xbb)]);
        const read = serde.deserialize(around, 3, 3 + written.length, 't');
        around.fill(0);
        expect(read).toEqual(any);
      }),
    );
  });

  it('writes the same into a buffer, or says that the room is too small and writes nothing past its end', () => {
    const into = serde.serializeInto?.bind(serde);
    if (into === undefined) return;
    fc.assert(
      fc.property(values, fc.nat({ max: 70 }), (any, room) => {
        const written = serde.serialize(any, 't');
        const whole = Buffer.alloc(2 + room + 8, 0xcc);
        const end = into(any, whole.subarray(0, 2 + room), 2, 't');
        if (room < written.length) {
          expect(end).toBe(-1);
        } else {
          expect(end).toBe(2 + written.length);
          expect(whole.subarray(2, end)).toEqual(written);
        }
        expect(whole.subarray(2 + room)).toEqual(Buffer.alloc(8, 0xcc));
      }),
    );
  });
});

describe('Serdes', () => {
  const read = <T>(serde: Serde<T>, hex: string) => {
    const buffer = Buffer.from(hex, 'hex');
    return serde.deserialize(buffer, 0, buffer.length, 'orders');
  };

  it.each([
    ['a long of 7 bytes', long(), '00000000000000', /Topic orders: not a long: 7 bytes instead of 8/],
    ['a long beyond 2^53', long(), '0020000000000000', /9007199254740992 is beyond 2\^53: read it with bigLong/],
    ['an integer of 5 bytes', integer(), '0000000000', /5 bytes instead of 4/],
    ['a boolean that is 2', boolean(), '02', /byte 2/],
    ['a uuid of other letters', uuid(), '67'.repeat(36), /not a uuid/],
    ['text that is no JSON', json(), '7b', /not a JSON value/],
    ['a window without room for its start', windowed(string(), 1), '00', /1 bytes are too few/],
  ] as [string, Serde<unknown>, string, RegExp][])('refuse %s, naming the topic', (_, serde, hex, message) => {
    expect(() => read(serde, hex)).toThrow(DeserializationError);
    expect(() => read(serde, hex)).toThrow(message);
  });

  it.each([
    ['a fraction as long', long(), 1.5],
    ['2^53 as long', long(), 2 ** 53],
    ['2^31 as integer', integer(), 2 ** 31],
    ['2^15 as short', short(), 2 ** 15],
    ['2^63 as bigLong', bigLong(), 2n ** 63n],
    ['a number as string', string(), 5],
    ['a string as bytes', bytes(), 'x'],
    ['a string as boolean', boolean(), 'true'],
    ['nonsense as uuid', uuid(), 'nonsense'],
    ['a function as JSON', json(), () => 1],
    ['a window without start', windowed(string(), 1), { key: 'a', window: { startMs: Number.NaN, endMs: 1 } }],
  ] as [string, Serde<unknown>, unknown][])('refuse to write %s', (_, serde, value) => {
    expect(() => serde.serialize(value, 'orders')).toThrow(SerializationError);
    expect(() => serde.serialize(value, 'orders')).toThrow(/Topic orders: can't be written as/);
  });

  it('turn what a JSON check throws into a deserialization error', () => {
    const serde = json<{ a: number }>({
      validate: (value) => {
        if (typeof (value as { a?: unknown }).a !== 'number') throw new Error('a is no number');
        return value as { a: number };
      },
    });
    expect(read(serde, Buffer.from('{"a":1}').toString('hex'))).toEqual({ a: 1 });
    expect(() => read(serde, Buffer.from('{"a":"1"}').toString('hex'))).toThrow(/a is no number/);
  });
});
