import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { murmur2, partitionForBytes } from '../../src/broker/partitioner.ts';

interface Vector {
  key: string;
  murmur2: number;
  [partitions: `p${number}`]: number;
}

const vectors = readFileSync(new URL('../../conformance/vectors/murmur2-partitions.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector);

it('hashes and partitions keys as the Java client does', () => {
  for (const vector of vectors) {
    const bytes = Buffer.from(`-${vector.key}-`);
    const end = bytes.length - 1;
    expect(murmur2(bytes, 1, end), vector.key).toBe(vector.murmur2);
    for (const count of [1, 3, 4, 12, 32]) {
      expect(partitionForBytes(bytes, 1, end, count)).toBe(vector[`p${count}`]);
    }
  }
});
