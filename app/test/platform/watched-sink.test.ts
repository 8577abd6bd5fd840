import { type OffsetStoringSink, StreamsError } from 'millrace';
import { expect, it } from 'vitest';
import { WatchedSink } from '../../src/platform/watched-sink.ts';
import { StandingClock } from '../support/standing-clock.ts';

const POSITIONS = new Map([['t-0', 1]]);

/** A watched sink whose commits end as the test says. */
function watched() {
  const clock = new StandingClock();
  const commits: PromiseWithResolvers<void>[] = [];
  const inner: OffsetStoringSink = {
    isFull: true,
    open: async () => POSITIONS,
    write: () => {},
    commit: () => {
      const commit = Promise.withResolvers<void>();
      commits.push(commit);
      return commit.promise;
    },
    close: async () => {},
  };
  const component = new WatchedSink('sql sink', () => inner, clock);
  return { clock, commits, component, sink: component.make() };
}

it('is ready until a transaction takes too long, and again when it has ended', async () => {
  const { clock, commits, component, sink } = watched();
  expect(await sink.open([], '0_0')).toBe(POSITIONS);
  expect(sink.isFull).toBe(true);
  const committed = sink.commit(POSITIONS);
  await clock.advance(9_000);
  expect(component.isReady()).toBe(true);
  await clock.advance(2_000);
  expect(component.isReady()).toBe(false);
  commits[0]?.resolve();
  await committed;
  expect(component.isReady()).toBe(true);
});

it('is not ready after a failure until one succeeds, and passes the failure on', async () => {
  const { commits, component, sink } = watched();
  const failure = new StreamsError('no database', { code: 'PRODUCTION', recovery: 'retry' });
  const failed = sink.commit(POSITIONS);
  commits[0]?.reject(failure);
  await expect(failed).rejects.toBe(failure);
  expect(component.isReady()).toBe(false);
  await component.make().open([], '0_0');
  expect(component.isReady()).toBe(true);
});

it('stays ready when its partitions have moved, and forgets a failure that nothing follows', async () => {
  const { clock, commits, component, sink } = watched();
  const moved = sink.commit(POSITIONS);
  commits[0]?.reject(new StreamsError('taken', { code: 'FENCED', recovery: 'migrate' }));
  await expect(moved).rejects.toThrow('taken');
  expect(component.isReady()).toBe(true);
  const failed = sink.commit(POSITIONS);
  commits[1]?.reject(new Error('disk full'));
  await expect(failed).rejects.toThrow('disk full');
  await clock.advance(59_000);
  expect(component.isReady()).toBe(false);
  await clock.advance(2_000);
  expect(component.isReady()).toBe(true);
});
