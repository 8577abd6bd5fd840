import { describe, expect, test } from 'vitest';
import { murmur3Hash128 } from '../../../src/kstream/foreign-key/murmur3.ts';

// What org.apache.kafka.streams.state.internals.Murmur3.hash128 of Kafka Streams 4.3.1 answers.
const ofBytes: readonly (readonly [number, string])[] = [
  [0, '9d2764a018e329428c3cf3b035938518'],
  [1, 'acf4cc867fbb6de44457c00e27b49b3e'],
  [7, 'e536ba2a355fd7fd7ce15b8b0d1a622d'],
  [8, 'a54ed5a70bb4fc1ad6599098ee4df897'],
  [9, 'e345a8afcfea0184a2f2045b0b47902a'],
  [15, '221049d58ee8da70c0bbe2409a011c85'],
  [16, '638536824dc283fa2f406b8a40ffa97a'],
  [17, '1d4b5afff2f1142db674d65b649c0cb7'],
  [31, 'aa7195988dfee8e55291b443645e7e07'],
  [32, 'be93dd810581b43328782be064393144'],
  [33, 'f7076a3132907108d21e0574757fc039'],
  [100, 'b0f4b0cff5c27f9ef274c7976094e17c'],
  [255, 'f3c822c4e804a13b2a37af38bfbccfad'],
];
const ofTexts: readonly (readonly [string, string])[] = [
  ['test', 'fa2112c0eed064bdc35a330e5cb9e32f'],
  ['The quick brown fox jumps over the lazy dog', 'e74c5921af0f99c8b7f85ec81df06726'],
  ['ä€😀', '0c9c419ddf425c94e6f912b324ee80c4'],
];

describe('murmur3', () => {
  test.each(ofBytes)('hashes %i bytes as Kafka Streams does', (length, expected) => {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * 37 + length * 11) & 0xff));
    expect(murmur3Hash128(bytes).toString('hex')).toBe(expected);
  });

  test.each(ofTexts)('hashes %j as Kafka Streams does', (text, expected) => {
    expect(murmur3Hash128(Buffer.from(text)).toString('hex')).toBe(expected);
  });

  test('answers a buffer of its own each time', () => {
    const first = murmur3Hash128(Buffer.from('a'));
    const copy = Buffer.from(first);
    murmur3Hash128(Buffer.from('b'));
    expect(first.equals(copy)).toBe(true);
  });
});
