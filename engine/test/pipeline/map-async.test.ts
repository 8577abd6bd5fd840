import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MapAsync } from '../../src/pipeline/map-async.ts';
import type { MapAsyncOptions } from '../../src/processor/async-operator.ts';
import { TestClock } from '../../src/testing/driver/test-clock.ts';
import { FakeHost } from './fake-host.ts';

const random = { next: () => 0, uuid: () => '' };

/** An operator whose calls are settled by hand. */
function manual(options: MapAsyncOptions) {
  const calls: { value: unknown; signal: AbortSignal; settle: PromiseWithResolvers<unknown> }[] = [];
  const clock = new TestClock();
  const node = new MapAsync(
    (item) => {
      const settle = Promise.withResolvers<unknown>();
      calls.push({ value: item.value, signal: item.signal, settle });
      return settle.promise;
    },
    options,
    { clock, random, nodeName: 'map' },
  );
  return { calls, clock, node, host: new FakeHost(node) };
}

describe('mapAsync', () => {
  it.each(['all', 'key', 'none'] as const)(
    'ordered %s: loses and doubles nothing, keeps its order, and never lets a commit pass an unfinished record',
    async (ordered) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), fails: fc.boolean() }), {
            minLength: 1,
            maxLength: 25,
          }),
          fc.integer({ min: 1, max: 5 }),
          fc.infiniteStream(fc.nat()),
          async (records, concurrency, order) => {
            const { calls, host, node } = manual({ concurrency, ordered });
            const finished = new Set<number>();
            let next = 0;
            while (next < records.length || node.pending > 0) {
              while (next < records.length && !node.isSaturated) {
                host.push(next, records[next]?.key);
                next += 1;
              }
              const open = calls.map((_, index) => index).filter((index) => !finished.has(index));
              expect(open.length).toBeLessThanOrEqual(concurrency);
              const index = open[(order.next().value as number) % Math.max(1, open.length)];
              if (index === undefined) break;
              const call = calls[index];
              const record = records[call?.value as number];
              if (record?.fails) call?.settle.reject(new Error(`f${call.value}`));
              else call?.settle.resolve(call.value);
              finished.add(index);
              await host.settle();
              const unfinished = calls.filter((_, each) => !finished.has(each)).map(({ value }) => value as number);
              const notStarted = Math.min(next, records.length);
              expect(host.watermark).toBeLessThanOrEqual(Math.min(...unfinished, notStarted));
            }
            const results = host.forwarded.map(({ value }) => value as number);
            const failures = host.failed.map(({ offset }) => offset);
            expect([...results, ...failures].sort((a, b) => a - b)).toEqual(records.map((_, index) => index));
            expect(failures.every((offset) => records[offset]?.fails)).toBe(true);
            if (ordered === 'all') expect(host.released).toEqual(records.map((_, index) => index));
            if (ordered === 'key') {
              for (const key of ['a', 'b', 'c']) {
                const own = host.released.filter((offset) => records[offset]?.key === key);
                expect(own).toEqual([...own].sort((a, b) => a - b));
              }
            }
            expect(node.pending).toBe(0);
            expect(host.watermark).toBe(records.length);
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  it('drops records whose result is undefined and keeps tombstones', async () => {
    const { calls, host } = manual({ concurrency: 2 });
    host.push(1);
    host.push(2);
    calls[0]?.settle.resolve(undefined);
    calls[1]?.settle.resolve(null);
    await host.settle();
    expect(host.forwarded).toEqual([{ key: 'k', value: null, timestamp: 1 }]);
    expect(host.released).toEqual([0, 1]);
  });

  it('gives up a call at its deadline, aborts its signal, and retries after a backoff that doubles', async () => {
    const { calls, clock, host } = manual({
      concurrency: 1,
      timeoutMs: 100,
      // With a random number of 0 the waits are half as long: 10, then 20.
      retry: { attempts: 3, backoffMs: 20 },
    });
    host.push('x');
    clock.advance(100);
    await host.settle();
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(calls).toHaveLength(1);
    clock.advance(10);
    await host.settle();
    expect(calls).toHaveLength(2);
    calls[1]?.settle.reject(new Error('again'));
    await host.settle();
    clock.advance(19);
    await host.settle();
    expect(calls).toHaveLength(2);
    clock.advance(1);
    await host.settle();
    expect(calls).toHaveLength(3);
    calls[2]?.settle.reject(new Error('last'));
    await host.settle();
    expect(host.failed).toMatchObject([{ offset: 0, error: { message: 'last' } }]);
  });

  it('does not retry what is not retryable', async () => {
    const { calls, host } = manual({
      concurrency: 1,
      retry: { attempts: 5, backoffMs: 1, retryable: (error) => (error as Error).message !== 'final' },
    });
    host.push('x');
    calls[0]?.settle.reject(new Error('final'));
    await host.settle();
    expect(calls).toHaveLength(1);
    expect(host.failed).toHaveLength(1);
  });

  it('ignores results after it was cancelled', async () => {
    const { calls, host, node } = manual({ concurrency: 2 });
    host.push('x');
    host.push('y');
    node.cancel();
    expect(calls.every(({ signal }) => signal.aborted)).toBe(true);
    for (const { settle } of calls) settle.resolve('late');
    await host.settle();
    expect(host.forwarded).toEqual([]);
    expect(host.released).toEqual([]);
  });
});
