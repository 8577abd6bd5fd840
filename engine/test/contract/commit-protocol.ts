import { describe, expect, it } from 'vitest';
import { StreamsError } from '../../src/base/errors.ts';
import type { CommitProtocol } from '../../src/runtime/commit/commit-protocol.ts';
import { ACKED_END, CommitFixture } from '../support/commit-fixture.ts';

const away = new StreamsError('away', { code: 'BROKER_UNAVAILABLE', recovery: 'retry' });
const offsetsOf = (offset: number) => new Map([['in-0', { topic: 'in', partition: 0, offset, metadata: '' }]]);

/** What every commit protocol keeps. */
export function describeCommitProtocol(name: string, create: (fixture: CommitFixture) => CommitProtocol): void {
  const start = () => {
    const fixture = new CommitFixture();
    return { fixture, protocol: create(fixture) };
  };
  /** The steps without their details. */
  const steps = ({ events }: CommitFixture) =>
    events
      .map((event) => event.split(' ')[0] as string)
      .filter((step) => ['outputs', 'offsets', 'store'].includes(step));

  describe(`the commit protocol ${name}`, () => {
    it('has outputs acknowledged, then offsets committed, then stores made durable up to the acknowledged end', async () => {
      const { fixture, protocol } = start();
      const tasks = [fixture.begin(fixture.task('0_0')), fixture.begin(fixture.task('0_1'))];
      await protocol.commit({ tasks, offsets: offsetsOf(3) });
      expect(steps(fixture)).toEqual(['outputs', 'offsets', 'store', 'store']);
      expect(fixture.events.slice(-2)).toEqual([`store 0_0 up to ${ACKED_END}`, `store 0_1 up to ${ACKED_END}`]);
    });

    it('begins with what was written until it was asked', () => {
      const { fixture, protocol } = start();
      void protocol.commit({ tasks: [fixture.begin(fixture.task('0_0'))], offsets: offsetsOf(3) });
      expect(fixture.events).toEqual(['outputs']);
    });

    it('waits at each step', async () => {
      const { fixture, protocol } = start();
      const release = fixture.holdAt('outputs');
      const done = protocol.commit({ tasks: [fixture.begin(fixture.task('0_0'))], offsets: offsetsOf(3) });
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(fixture.events).toEqual(['outputs']);
      release();
      await done;
      expect(steps(fixture)).toEqual(['outputs', 'offsets', 'store']);
    });

    it('commits no offsets where none have moved', async () => {
      const { fixture, protocol } = start();
      await protocol.commit({ tasks: [fixture.begin(fixture.task('0_0'))], offsets: new Map() });
      expect(steps(fixture)).toEqual(['outputs', 'store']);
    });

    it.each(['outputs', 'offsets'])('takes no step after %s failed, and rejects', async (step) => {
      const { fixture, protocol } = start();
      fixture.failAt(step, away);
      fixture.failAt(`${step} 3`, away);
      fixture.failAt(`${step} 3 of generation 3`, away);
      const tasks = [fixture.begin(fixture.task('0_0'))];
      await expect(protocol.commit({ tasks, offsets: offsetsOf(3) })).rejects.toMatchObject({ recovery: 'retry' });
      expect(steps(fixture)).toEqual(step === 'outputs' ? ['outputs'] : ['outputs', 'offsets']);
    });

    it('rejects when a store can’t be made durable', async () => {
      const { fixture, protocol } = start();
      fixture.failAt('store 0_0', new Error('the disk is full'));
      const tasks = [fixture.begin(fixture.task('0_0')), fixture.begin(fixture.task('0_1'))];
      await expect(protocol.commit({ tasks, offsets: offsetsOf(3) })).rejects.toThrow('the disk is full');
    });

    it('leaves the stores of a task alone that was closed meanwhile, and completes the others', async () => {
      const { fixture, protocol } = start();
      const release = fixture.holdAt('outputs');
      const first = fixture.task('0_0');
      const tasks = [fixture.begin(first), fixture.begin(fixture.task('0_1'))];
      const done = protocol.commit({ tasks, offsets: offsetsOf(3) });
      await first.close();
      release();
      await done;
      expect(steps(fixture)).toEqual(['outputs', 'offsets', 'store']);
      expect(fixture.events.at(-1)).toBe(`store 0_1 up to ${ACKED_END}`);
    });

    it('makes the stores of a last commit durable at once, those of others in their time', async () => {
      const { fixture, protocol } = start();
      const tasks = [fixture.begin(fixture.task('0_0'), false), fixture.begin(fixture.task('0_1'), true)];
      await protocol.commit({ tasks, offsets: offsetsOf(3) });
      expect(fixture.events.filter((event) => event.startsWith('store'))).toEqual([`store 0_1 up to ${ACKED_END}`]);
      expect(tasks[0]?.task.stores.hasDeferred).toBe(true);
    });

    it('commits again after a failure', async () => {
      const { fixture, protocol } = start();
      fixture.failAt('outputs', away);
      const task = fixture.task('0_0');
      await expect(protocol.commit({ tasks: [fixture.begin(task)], offsets: offsetsOf(3) })).rejects.toThrow();
      task.endCommit(false);
      fixture.events.length = 0;
      await protocol.commit({ tasks: [fixture.begin(task)], offsets: offsetsOf(4) });
      expect(steps(fixture)).toEqual(['outputs', 'offsets', 'store']);
    });

    it('undoes no others than those that it is told of, and never refuses to abandon', async () => {
      const { fixture, protocol } = start();
      await protocol.committed([]);
      fixture.failAt('abort', away);
      const [ended, other] = [fixture.task('0_0'), fixture.task('0_1')];
      const undone = await protocol.abandon([ended], [other]);
      for (const task of undone) expect(task).toBe(other);
      expect(undone).toHaveLength(protocol.scope === 'thread' ? 1 : 0);
    });

    it('tells where partitions go on when everything written before is settled', async () => {
      const { fixture, protocol } = start();
      const offsets = await protocol.committed([{ topic: 'in', partition: 0 }]);
      expect(offsets.get('in-0')?.offset).toBe(7);
      expect(fixture.events[0]).toBe('outputs');
      expect(fixture.events.at(-1)).toBe('committed');
      fixture.failAt('outputs', away);
      await expect(protocol.committed([{ topic: 'in', partition: 0 }])).rejects.toThrow('away');
    });
  });
}
