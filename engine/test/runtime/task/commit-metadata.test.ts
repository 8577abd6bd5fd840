import { describe, expect, test } from 'vitest';
import {
  decodePartitionTimeMs,
  decodeProcessorMetadata,
  encodeCommitMetadata,
  mergeProcessorMetadata,
} from '../../../src/runtime/task/commit-metadata.ts';

describe('the metadata of a committed offset', () => {
  test('has the bytes that Kafka Streams writes: version, partition time, count, then length, name, value', () => {
    const text = encodeCommitMetadata(5, new Map([['win', 258]]));
    expect(Buffer.from(text, 'base64').toString('hex')).toBe(
      '02' + '0000000000000005' + '00000001' + '00000003' + '77696e' + '0000000000000102',
    );
  });

  test('says the same after a round trip', () => {
    const values = new Map([
      ['a', 0],
      ['größe', 1_700_000_000_000],
      ['', 1],
    ]);
    const text = encodeCommitMetadata(7, values);
    expect(decodePartitionTimeMs(text)).toBe(7);
    expect(new Map(decodeProcessorMetadata(text))).toEqual(values);
  });

  test('says nothing of nodes where nodes said nothing, or in a version without them', () => {
    expect(decodeProcessorMetadata(encodeCommitMetadata(7)).size).toBe(0);
    expect(decodeProcessorMetadata(Buffer.from('010000000000000005', 'hex').toString('base64')).size).toBe(0);
  });

  test('that is cut off or of somebody else says nothing', () => {
    const whole = Buffer.from(encodeCommitMetadata(5, new Map([['win', 258]])), 'base64');
    for (let length = 0; length < whole.length; length += 1) {
      expect(decodeProcessorMetadata(whole.subarray(0, length).toString('base64')).size).toBe(0);
    }
    expect(decodeProcessorMetadata('not such metadata').size).toBe(0);
  });

  test('of several partitions counts with the highest value', () => {
    const values = new Map([['a', 5]]);
    mergeProcessorMetadata(values, new Map([['a', 3]]));
    mergeProcessorMetadata(
      values,
      new Map([
        ['a', 9],
        ['b', 1],
      ]),
    );
    expect(values).toEqual(
      new Map([
        ['a', 9],
        ['b', 1],
      ]),
    );
  });
});
