import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BrokerError, ERROR_CODES } from '../../src/base/errors.ts';

describe('errors', () => {
  it('are listed in docs/errors.md, all of them and no others', () => {
    const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
    expect(listed).toEqual([...ERROR_CODES]);
  });

  it('of a broker are retried only where Kafka says so', () => {
    expect(new BrokerError('x', { kafkaCode: 6, retriable: true }).recovery).toBe('retry');
    expect(new BrokerError('x', { kafkaCode: 29, retriable: false }).recovery).toBe('fail');
    expect(new BrokerError('x', { kafkaCode: -1, retriable: true }).code).toBe('BROKER_UNAVAILABLE');
  });
});
