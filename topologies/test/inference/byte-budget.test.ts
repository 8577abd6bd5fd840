import { expect, test } from 'vitest';
import { ByteBudget } from '../../src/inference/byte-budget.ts';

const never = new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('bytes are lent up to the limit, then in order as they come back', async () => {
  const budget = new ByteBudget(100);
  const got: string[] = [];
  const first = await budget.acquire(60, never);
  const second = budget.acquire(60, never).then((giveBack) => {
    got.push('second');
    return giveBack;
  });
  const third = budget.acquire(10, never).then((giveBack) => {
    got.push('third');
    return giveBack;
  });
  await turn();
  // The third would fit, but it is not its turn.
  expect(got).toEqual([]);
  first();
  first();
  await turn();
  expect(got).toEqual(['second', 'third']);
  expect(budget.lentBytes).toBe(70);
  (await second)();
  (await third)();
  expect(budget.lentBytes).toBe(0);
});

test('what is larger than the limit is lent when nothing else is', async () => {
  const budget = new ByteBudget(10);
  const giveBack = await budget.acquire(50, never);
  giveBack();
  expect(budget.lentBytes).toBe(0);
});

test('who goes away makes room in the queue', async () => {
  const budget = new ByteBudget(10);
  const gone = new AbortController();
  const first = await budget.acquire(6, never);
  const large = budget.acquire(10, gone.signal);
  const small = budget.acquire(4, never);
  gone.abort(new Error('revoked'));
  await expect(large).rejects.toThrow('revoked');
  (await small)();
  first();
  expect(budget.lentBytes).toBe(0);
  await expect(budget.acquire(1, gone.signal)).rejects.toThrow('revoked');
});
