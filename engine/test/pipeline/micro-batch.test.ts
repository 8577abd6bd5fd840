import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MicroBatch } from '../../src/pipeline/micro-batch.ts';
import type { MicroBatchOptions } from '../../src/processor/async-operator.ts';
import { TestClock } from '../../src/testing/driver/test-clock.ts';
import { FakeHost } from './fake-host.ts';

const random = { next: () => 0, uuid: () => '' };

function manual(options: Partial<MicroBatchOptions> = {}) {
  const calls: { values: unknown[]; settle: PromiseWithResolvers<readonly unknown[]> }[] = [];
  const clock = new TestClock();
  const node = new MicroBatch(
    (items) => {
      const settle = Promise.withResolvers<readonly unknown[]>();
      calls.push({ values: items.map(({ value }) => value), settle });
      return settle.promise;
    },
    { preferredSizes: [4, 8, 16], maxDelayMs: 2, ...options },
    { clock, random, nodeName: 'batch' },
  );
  const sizes = () => calls.map(({ values }) => values.length);
  return { calls, clock, node, host: new FakeHost(node), sizes };
}

describe('microBatch', () => {
  it('sends the largest preferred size at once', () => {
    const { host, sizes } = manual({ maxInFlight: 4 });
    for (let i = 0; i < 33; i += 1) host.push(i);
    expect(sizes()).toEqual([16, 16]);
  });

  it('sends the largest sizes that fit when the oldest item has waited, then the rest', () => {
    const { clock, host, sizes } = manual({ maxInFlight: 8 });
    for (let i = 0; i < 15; i += 1) host.push(i);
    clock.advance(1);
    expect(sizes()).toEqual([]);
    clock.advance(1);
    expect(sizes()).toEqual([8, 4, 3]);
  });

  it('keeps exact sizes under load when calls are limited, and saturates instead of piling up', async () => {
    const { calls, clock, host, node, sizes } = manual({ maxInFlight: 1 });
    let next = 0;
    while (!node.isSaturated) host.push(next++);
    expect(next).toBe(32);
    calls[0]?.settle.resolve(calls[0].values);
    await host.settle();
    expect(sizes()).toEqual([16, 16]);
    clock.advance(100);
    expect(node.isSaturated).toBe(false);
  });

  it('starts what waits when it is flushed', () => {
    const { host, node, sizes } = manual();
    for (let i = 0; i < 5; i += 1) host.push(i);
    node.flush();
    expect(sizes()).toEqual([4, 1]);
  });

  it('refuses records above its byte limit and sends what it has', () => {
    const { host, node, sizes } = manual({ maxBytes: 100, sizeOf: () => 30 });
    for (let i = 0; i < 4; i += 1) host.push(i);
    expect(node.isSaturated).toBe(true);
    expect(sizes()).toEqual([4]);
  });

  it('fails every record of a batch that fails or answers with another length', async () => {
    const { calls, clock, host } = manual({ maxInFlight: 2 });
    for (let i = 0; i < 4; i += 1) host.push(i);
    clock.advance(2);
    calls[0]?.settle.resolve([1, 2]);
    await host.settle();
    expect(host.failed.map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
    expect(String(host.failed[0]?.error)).toContain('2 results for 4 items');
  });

  it('loses and doubles nothing and keeps input order, whatever the order of answers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('push', 'push', 'push', 'tick', 'answer', 'fail'), { maxLength: 120 }),
        fc.integer({ min: 1, max: 3 }),
        fc.infiniteStream(fc.nat()),
        async (steps, maxInFlight, order) => {
          const { calls, clock, host, node } = manual({ maxInFlight, preferredSizes: [2, 4] });
          const settled = new Set<number>();
          const failed = new Set<unknown>();
          let next = 0;
          const answer = async (fails: boolean): Promise<void> => {
            const open = calls.map((_, index) => index).filter((index) => !settled.has(index));
            expect(open.length).toBeLessThanOrEqual(maxInFlight);
            const index = open[(order.next().value as number) % Math.max(1, open.length)];
            if (index === undefined) return;
            settled.add(index);
            const call = calls[index];
            if (fails) {
              for (const value of call?.values ?? []) failed.add(value);
              call?.settle.reject(new Error('no'));
            } else call?.settle.resolve(call.values);
            await host.settle();
            const unfinished = calls
              .filter((_, each) => !settled.has(each))
              .flatMap(({ values }) => values as number[]);
            expect(host.watermark).toBeLessThanOrEqual(Math.min(...unfinished, next));
          };
          for (const step of steps) {
            if (step === 'push' && !node.isSaturated) host.push(next++);
            else if (step === 'tick') clock.advance(2);
            else if (step === 'answer') await answer(false);
            else if (step === 'fail') await answer(true);
          }
          while (node.pending > 0) {
            node.flush();
            await answer(false);
          }
          expect(host.released).toEqual(Array.from({ length: next }, (_, index) => index));
          expect(host.forwarded.map(({ value }) => value)).toEqual(
            Array.from({ length: next }, (_, index) => index).filter((index) => !failed.has(index)),
          );
          expect(calls.flatMap(({ values }) => values)).toEqual(Array.from({ length: next }, (_, index) => index));
        },
      ),
      { numRuns: 60 },
    );
  });
});
