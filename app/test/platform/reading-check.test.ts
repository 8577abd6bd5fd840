import { expect, it } from 'vitest';
import { ReadingCheck } from '../../src/platform/reading-check.ts';
import { StandingClock } from '../support/standing-clock.ts';

it('says that a reader reads while it proves it, and soon after it is stuck that it doesn’t', async () => {
  const clock = new StandingClock();
  let stuck: PromiseWithResolvers<void> | undefined;
  const check = new ReadingCheck(() => stuck?.promise ?? Promise.resolve(), clock);
  expect(check.isReading).toBe(true);
  await clock.advance(60_000);
  expect(check.isReading).toBe(true);
  stuck = Promise.withResolvers();
  // Shorter than a request waits for its answer: nothing to worry anybody with.
  await clock.advance(8_000);
  expect(check.isReading).toBe(true);
  await clock.advance(6_000);
  expect(check.isReading).toBe(false);
  stuck.resolve();
  stuck = undefined;
  await clock.advance(2_000);
  expect(check.isReading).toBe(true);
  check.close();
});

it('takes a proof that fails for none, and asks again', async () => {
  const clock = new StandingClock();
  let error: Error | undefined = new Error('no broker');
  const check = new ReadingCheck(() => (error === undefined ? Promise.resolve() : Promise.reject(error)), clock);
  await clock.advance(12_000);
  expect(check.isReading).toBe(false);
  error = undefined;
  await clock.advance(4_000);
  expect(check.isReading).toBe(true);
  check.close();
});
