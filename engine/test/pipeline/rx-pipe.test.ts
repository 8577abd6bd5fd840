import { bufferTime, concatMap, delay, filter, map, mergeMap, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { clockScheduler } from '../../src/pipeline/clock-scheduler.ts';
import { RxPipe } from '../../src/pipeline/rx-pipe.ts';
import type { AsyncItem } from '../../src/processor/async-operator.ts';
import { TestClock } from '../../src/testing/driver/test-clock.ts';
import { FakeHost } from './fake-host.ts';

const deps = { clock: new TestClock(), random: { next: () => 0, uuid: () => '' }, nodeName: 'pipe' };
const asNumber = (item: unknown): number => (item as AsyncItem<string, number>).value;

describe('pipe', () => {
  it('forwards outputs as they come and holds every offset of a bundle until it is complete', async () => {
    const node = new RxPipe(
      [filter((item) => asNumber(item) % 2 === 0), map((item) => ({ key: 'out', value: asNumber(item) }))],
      deps,
    );
    const host = new FakeHost(node);
    for (let i = 0; i < 5; i += 1) host.push(i);
    await host.settle();
    expect(host.forwarded).toHaveLength(3);
    expect(host.watermark).toBe(0);
    node.completeBundle();
    await host.settle();
    expect(host.forwarded).toEqual([0, 2, 4].map((value) => ({ key: 'out', value, timestamp: 4 })));
    expect(host.watermark).toBe(5);
    host.push(6);
    node.flush();
    await host.settle();
    expect(host.forwarded.at(-1)).toEqual({ key: 'out', value: 6, timestamp: 5 });
  });

  it('awaits asynchronous completion, bundle by bundle', async () => {
    const node = new RxPipe([concatMap((item) => of({ key: 'out', value: asNumber(item) }).pipe(delay(1)))], deps);
    const host = new FakeHost(node);
    host.push(1);
    host.push(2);
    node.completeBundle();
    host.push(3);
    node.completeBundle();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await host.settle();
    expect(host.forwarded.map(({ value }) => value)).toEqual([1, 2, 3]);
  });

  it('fails every record of a bundle whose operators fail, and goes on with the next', async () => {
    const node = new RxPipe(
      [
        mergeMap((item) =>
          asNumber(item) === 1 ? throwError(() => new Error('no')) : of({ key: 'k', value: asNumber(item) }),
        ),
      ],
      deps,
    );
    const host = new FakeHost(node);
    host.push(0);
    host.push(1);
    host.push(2);
    node.completeBundle();
    await host.settle();
    expect(host.failed.map(({ offset }) => offset)).toEqual([0, 1]);
    expect(host.forwarded.map(({ value }) => value)).toEqual([2]);
    expect(host.watermark).toBe(3);
  });

  it('runs time operators on the engine clock when they are given its scheduler', async () => {
    const clock = new TestClock();
    const node = new RxPipe(
      [
        bufferTime<unknown>(10, clockScheduler(clock)),
        filter((items) => (items as unknown[]).length > 0),
        map((items) => ({
          key: 'sum',
          value: (items as unknown[]).reduce<number>((sum, item) => sum + asNumber(item), 0),
        })),
      ],
      { ...deps, clock },
    );
    const host = new FakeHost(node);
    host.push(1);
    host.push(2);
    clock.advance(10);
    host.push(3);
    node.completeBundle();
    await host.settle();
    expect(host.forwarded.map(({ value }) => value)).toEqual([3, 3]);
  });
});
