import { describe, expect, it } from 'vitest';
import { Headers } from '../../src/processor/headers.ts';
import { Record } from '../../src/processor/record.ts';

const keysOf = (record: Record<unknown, unknown>): string[] => [...record.headers].map(({ key }) => key);

describe('a record', () => {
  it('has whole milliseconds and refuses what is no time', () => {
    expect(new Record('k', 'v', 1.9).timestamp).toBe(1);
    for (const bad of [-1, Number.NaN, Date.parse('never')]) {
      expect(() => new Record('k', 'v', bad)).toThrow(/epoch milliseconds/);
      expect(() => new Record('k', 'v', 0).withTimestamp(bad)).toThrow(/epoch milliseconds/);
    }
  });

  it('keeps headers of its own, as in Kafka Streams: what is derived from it can be changed apart', () => {
    const headers = new Headers().add('trace', 'x');
    const record = new Record('k', 'v', 1, headers);
    const derived = [
      record.withKey('other'),
      record.withValue('other'),
      record.withTimestamp(2),
      record.withHeaders(headers),
      record.detach(),
    ];
    for (const each of derived) each.headers.add('only-here', 'y');
    headers.add('later', 'z');
    expect(keysOf(record)).toEqual(['trace']);
    for (const each of derived) expect(keysOf(each).filter((key) => key === 'only-here')).toHaveLength(1);
  });
});
