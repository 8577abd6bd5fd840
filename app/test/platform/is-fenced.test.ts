import { BrokerError } from 'millrace';
import { describe, expect, it } from 'vitest';
import { isFenced } from '../../src/platform/is-fenced.ts';

const fenced = new BrokerError('fenced', { kafkaCode: 82, retriable: false });

describe('a fenced member', () => {
  it('is known by its code, however deep the error lies', () => {
    expect(isFenced(fenced)).toBe(true);
    expect(isFenced(new Error('thread', { cause: new Error('group', { cause: fenced }) }))).toBe(true);
  });

  it('is not any other trouble', () => {
    expect(isFenced(new BrokerError('unknown member', { kafkaCode: 25, retriable: false }))).toBe(false);
    expect(isFenced(new Error('thread'))).toBe(false);
    expect(isFenced(undefined)).toBe(false);
  });
});
