import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { QueryQueue, WAITING_QUERIES_MAX } from '../../src/runtime/task/query-queue.ts';
import { string } from '../../src/serde/primitives.ts';
import type { StoreQuery } from '../../src/state/queries/store-query.ts';
import { Stores } from '../../src/state/stores.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { openStore } from './views-harness.ts';

const get = (key: string): StoreQuery => ({
  store: 's',
  kind: 'key-value',
  timestamped: false,
  ask: { type: 'get', key },
});

function newQueue(clock = systemClock) {
  const store = openStore(Stores.keyValueStoreBuilder({ name: 's', key: string(), value: string(), store: 'memory' }));
  store.put('a', 'x');
  const state = { readable: true, woken: 0 };
  const queue = new QueryQueue({
    owner: 'task 0_1',
    clock,
    storeOf: (name) => (name === 's' ? store : undefined),
    isReadable: () => state.readable,
    wake: () => {
      state.woken += 1;
    },
  });
  return { queue, state, store };
}

const retriable = { code: 'INVALID_STATE_STORE', recovery: 'retry' };

describe('a queue of queries', () => {
  it('wakes its owner once, and answers in the order of coming with the state of that moment', async () => {
    const { queue, state, store } = newQueue();
    const order: string[] = [];
    const asked = ['a', 'b', 'a'].map((key) => queue.ask(get(key)).then((value) => order.push(`${key}=${value}`)));
    expect(state.woken).toBe(1);
    expect(queue.hasMail).toBe(true);
    store.put('b', 'y');
    expect(queue.answer(Number.POSITIVE_INFINITY)).toBe(true);
    expect(queue.hasMail).toBe(false);
    store.put('b', 'z');
    await Promise.all(asked);
    expect(order).toEqual(['a=x', 'b=y', 'a=x']);
    expect(queue.answer(Number.POSITIVE_INFINITY)).toBe(false);
    void queue.ask(get('a'));
    expect(state.woken).toBe(2);
  });

  it('stops at its deadline, after one answer at least, and goes on with the rest next time', async () => {
    const clock = new ManualClock();
    const { queue } = newQueue(clock);
    const settled: string[] = [];
    for (const key of ['a', 'b', 'c']) void queue.ask(get(key)).then(() => settled.push(key));
    expect(queue.answer(clock.monotonicMs())).toBe(true);
    await Promise.resolve();
    expect(settled).toEqual(['a']);
    expect(queue.hasMail).toBe(true);
    queue.answer(clock.monotonicMs() + 1);
    await Promise.resolve();
    expect(settled).toEqual(['a', 'b', 'c']);
  });

  it('refuses more than it holds, and takes more once it has answered', async () => {
    const { queue } = newQueue();
    const taken = Array.from({ length: WAITING_QUERIES_MAX }, () => queue.ask(get('a')));
    await expect(queue.ask(get('a'))).rejects.toMatchObject({
      ...retriable,
      message: `${WAITING_QUERIES_MAX} queries of task 0_1 wait already; one of 's' was not taken`,
    });
    queue.answer(Number.POSITIVE_INFINITY);
    expect(new Set(await Promise.all(taken))).toEqual(new Set(['x']));
    const next = queue.ask(get('a'));
    queue.answer(Number.POSITIVE_INFINITY);
    expect(await next).toBe('x');
  });

  it('refuses while its stores are restored', async () => {
    const { queue, state } = newQueue();
    state.readable = false;
    await expect(queue.ask(get('a'))).rejects.toMatchObject({
      ...retriable,
      message: "State store 's' of task 0_1 is being restored",
    });
    expect(state.woken).toBe(0);
  });

  it('leaves nobody waiting when it closes, nor when its stores stop being readable', async () => {
    for (const end of ['close', 'unreadable'] as const) {
      const { queue, state } = newQueue();
      const waiting = Promise.allSettled([queue.ask(get('a')), queue.ask(get('b'))]);
      if (end === 'close') queue.close();
      else {
        state.readable = false;
        expect(queue.answer(Number.POSITIVE_INFINITY)).toBe(false);
      }
      const moved = { ...retriable, message: "State store 's' of task 0_1 is being moved or restored" };
      expect(await waiting).toMatchObject([
        { status: 'rejected', reason: moved },
        { status: 'rejected', reason: moved },
      ]);
      await expect(queue.ask(get('a'))).rejects.toMatchObject(moved);
      queue.close();
    }
  });
});
