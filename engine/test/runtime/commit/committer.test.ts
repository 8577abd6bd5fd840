import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../../src/base/default-config.ts';
import { StreamsError, TaskMigratedError } from '../../../src/base/errors.ts';
import type { BrokerAdmin } from '../../../src/broker/broker.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import type { OffsetStoringSink } from '../../../src/processor/processor.ts';
import { Committer } from '../../../src/runtime/commit/committer.ts';
import type { SourcePartition } from '../../../src/runtime/task/source-partition.ts';
import type { StreamTask } from '../../../src/runtime/task/stream-task.ts';
import { string } from '../../../src/serde/primitives.ts';
import { CommitFixture } from '../../support/commit-fixture.ts';
import { brokerOf, newCluster } from '../../support/memory-cluster-harness.ts';
import { ScriptedProtocol } from '../../support/scripted-protocol.ts';
import { processing } from '../../support/streams-harness.ts';
import { give, runningTask } from '../../support/task-harness.ts';

const FAR_MS = Number.POSITIVE_INFINITY;
const INTERVAL_MS = 100;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A committer over tasks of its own, and what it said. */
function start(
  protocol: ScriptedProtocol,
  {
    repartitionTopics = [],
    admin = brokerOf(newCluster()).admin(),
  }: Partial<{ repartitionTopics: string[]; admin: BrokerAdmin }> = {},
) {
  const fixture = new CommitFixture();
  const tasks: StreamTask[] = [];
  const committed: string[] = [];
  const failed: { readonly taskId: string; readonly error: unknown }[] = [];
  const committer = new Committer({
    protocol,
    config: resolveConfig({ applicationId: 'app', commitIntervalMs: INTERVAL_MS, clock: fixture.clock }),
    admin,
    repartitionTopics: new Set(repartitionTopics),
    tasks: () => tasks,
    onCommitted: (done) => committed.push(...done.map(({ taskId }) => taskId)),
    onFailed: (lost, error) => failed.push(...lost.map(({ taskId }) => ({ taskId, error }))),
  });
  const add = (task: StreamTask): StreamTask => {
    tasks.push(task);
    return task;
  };
  return {
    fixture,
    protocol,
    committer,
    tasks,
    committed,
    failed,
    add,
    /** A task that has processed one record; `idle`: none. */
    busy: (taskId: string) => add(fixture.task(taskId, ['a'])),
    idle: (taskId: string) => add(fixture.task(taskId)),
    /** The interval passes, and a turn of the thread. */
    due: () => {
      fixture.clock.advance(INTERVAL_MS);
      committer.commitIfDue();
    },
  };
}

function work(task: StreamTask): number {
  give(task.sources[0] as SourcePartition, 'more');
  return task.process(0, FAR_MS);
}

function sinkTask(taskId: string): StreamTask {
  const sink: OffsetStoringSink<string, string> = {
    open: async () => new Map(),
    write() {},
    isFull: false,
    commit: async () => {},
    close: async () => {},
  };
  const builder = new StreamsBuilder();
  builder.stream('in', { key: string(), value: string() }).toExternal(() => sink, { name: 'outside' });
  const task = runningTask(builder.build(), { taskId });
  work(task);
  return task;
}

describe('commits that are due', () => {
  it('take the tasks that have done something, once the interval is over', () => {
    const { busy, idle, committer, due, fixture, protocol } = start(new ScriptedProtocol('task', false));
    busy('0_0');
    idle('0_1');
    busy('0_2');
    expect(committer.nextDueMs).toBe(INTERVAL_MS);
    fixture.clock.advance(INTERVAL_MS - 1);
    committer.commitIfDue();
    expect(protocol.commits).toEqual([]);
    due();
    expect(protocol.commits.map(({ taskIds }) => taskIds)).toEqual([['0_0', '0_2']]);
    expect(committer.nextDueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('come early for a task that asks', () => {
    const { add, busy, committer, protocol } = start(new ScriptedProtocol('task', false));
    busy('0_0');
    work(
      add(
        runningTask(
          processing((_record, context) => context.commit()),
          { taskId: '0_1' },
        ),
      ),
    );
    committer.commitIfDue();
    expect(protocol.last.taskIds).toEqual(['0_1']);
  });

  it('tell the tasks when they begin and end, and I2: take a task into one commit at a time', async () => {
    const { busy, committed, due, protocol } = start(new ScriptedProtocol('task', false));
    const task = busy('0_0');
    due();
    expect(task.state).toBe('COMMITTING');
    expect(work(task)).toBe(0);
    due();
    expect(protocol.commits).toHaveLength(1);
    protocol.last.succeed();
    await turn();
    expect(task.state).toBe('RUNNING');
    expect(committed).toEqual(['0_0']);
    expect(task.process(0, FAR_MS)).toBe(1);
    due();
    expect(protocol.commits).toHaveLength(2);
  });

  it('let tasks work meanwhile if the protocol says so', async () => {
    const { busy, due, protocol } = start(new ScriptedProtocol('task', true));
    const task = busy('0_0');
    due();
    expect(task.state).toBe('COMMITTING');
    expect(work(task)).toBe(1);
    expect(protocol.last.offsets.get('in-0')?.offset).toBe(1);
    protocol.last.succeed();
    await turn();
    due();
    expect(protocol.last.offsets.get('in-0')?.offset).toBe(2);
  });

  it('keep a task with an external sink apart from the others', async () => {
    const { add, busy, due, protocol } = start(new ScriptedProtocol('task', false));
    busy('0_0');
    add(sinkTask('1_0'));
    busy('0_1');
    due();
    expect(protocol.commits.map(({ taskIds }) => taskIds)).toEqual([['1_0'], ['0_0', '0_1']]);
  });

  it('say only offsets that have moved, but all of them for a new task', async () => {
    const { busy, committer, due, protocol } = start(new ScriptedProtocol('task', false));
    const task = busy('0_0');
    due();
    protocol.last.succeed();
    await turn();
    task.movePosition(task.sources[0] as SourcePartition, 1);
    due();
    expect(protocol.last.offsets.size).toBe(0);
    protocol.last.succeed();
    await turn();
    await committer.committed([{ topic: 'in', partition: 0 }]);
    task.movePosition(task.sources[0] as SourcePartition, 1);
    due();
    expect(protocol.last.offsets.get('in-0')?.offset).toBe(1);
  });

  it('leave draining and failed tasks to whoever ends them', () => {
    const { busy, due, protocol } = start(new ScriptedProtocol('task', false));
    busy('0_0').drain();
    busy('0_1').fail();
    due();
    expect(protocol.commits).toEqual([]);
  });
});

describe('a commit that fails', () => {
  const away = new StreamsError('away', { code: 'BROKER_UNAVAILABLE', recovery: 'retry' });

  it('is told with its tasks, which are due again', async () => {
    const { busy, due, failed, protocol } = start(new ScriptedProtocol('task', false));
    const task = busy('0_0');
    due();
    protocol.last.fail(away);
    await turn();
    expect(failed).toEqual([{ taskId: '0_0', error: away }]);
    expect(task.state).toBe('RUNNING');
    expect(task.wantsCommit('interval')).toBe(true);
  });

  it('because the group is changing is made later by the same tasks', async () => {
    const { busy, due, failed, protocol } = start(new ScriptedProtocol('task', false));
    busy('0_0');
    due();
    protocol.last.fail(new TaskMigratedError('rebalancing'));
    await turn();
    expect(failed).toEqual([]);
    due();
    expect(protocol.commits).toHaveLength(2);
    expect(protocol.last.offsets.get('in-0')?.offset).toBe(1);
  });

  it('before it has begun ends the task that could not hand on its cache, and lets the others go on', async () => {
    const { busy, due, failed, fixture, protocol } = start(new ScriptedProtocol('task', false));
    const [first, second] = [busy('0_0'), busy('0_1')];
    fixture.failAt('cache of store 0_1', new TaskMigratedError('no'));
    due();
    expect([first.state, second.state]).toEqual(['RUNNING', 'FAILED']);
    await turn();
    expect(protocol.commits).toEqual([]);
    expect(failed.map(({ taskId, error }) => [taskId, (error as StreamsError).recovery])).toEqual([
      ['0_0', 'retry'],
      ['0_1', 'retry'],
    ]);
  });

  it('leaves a task that failed meanwhile as it is (I3)', async () => {
    for (const succeeds of [true, false]) {
      const { busy, due, protocol } = start(new ScriptedProtocol('task', true));
      const task = busy('0_0');
      due();
      task.fail();
      if (succeeds) protocol.last.succeed();
      else protocol.last.fail(away);
      await turn();
      expect(task.state).toBe('FAILED');
      due();
      expect(protocol.commits).toHaveLength(1);
    }
  });
});

describe('a last commit', () => {
  it('waits for the one on its way, and is the last of a task that drains', async () => {
    const { busy, committer, due, protocol } = start(new ScriptedProtocol('task', true));
    const task = busy('0_0');
    due();
    work(task);
    task.drain();
    expect(task.state).toBe('DRAINING_COMMITTING');
    const done = committer.commitLast([task]);
    await turn();
    expect(protocol.commits.map(({ tasks }) => tasks[0]?.isLast)).toEqual([false]);
    protocol.last.succeed();
    await turn();
    expect(protocol.commits.map(({ tasks }) => tasks[0]?.isLast)).toEqual([false, true]);
    expect(protocol.last.offsets.get('in-0')?.offset).toBe(2);
    protocol.last.succeed();
    await done;
    expect(task.state).toBe('DRAINING');
  });

  it('is not made where nothing is left to commit, or the task has failed', async () => {
    const { busy, committer, idle, protocol } = start(new ScriptedProtocol('task', false));
    const failed = busy('0_1');
    failed.fail();
    await committer.commitLast([idle('0_0'), failed]);
    expect(protocol.commits).toEqual([]);
  });

  it('rejects when it did not happen', async () => {
    const { busy, committer, failed, protocol } = start(new ScriptedProtocol('task', false));
    const done = committer.commitLast([busy('0_0')]);
    await turn();
    protocol.last.fail(new TaskMigratedError('too late'));
    await expect(done).rejects.toThrow('too late');
    expect(failed).toEqual([]);
  });
});

describe('abandoned tasks', () => {
  it('are waited for, told to the protocol once, and leave the others alone under scope task', async () => {
    const { busy, committer, due, failed, protocol } = start(new ScriptedProtocol('task', false));
    const [first, second] = [busy('0_0'), busy('0_1')];
    due();
    let isOver = false;
    const over = committer.abandon([first]).then(() => {
      isOver = true;
    });
    await turn();
    expect(isOver).toBe(false);
    protocol.undoesOthers = false;
    protocol.last.succeed();
    await over;
    await committer.abandon([first]);
    expect(protocol.abandoned).toEqual(['0_0']);
    expect(failed).toEqual([]);
    expect(second.state).toBe('RUNNING');
  });
});

describe('under scope thread', () => {
  it('a commit takes every task that has something to commit, also one that drains, and there is one at a time (I2)', async () => {
    const { add, busy, due, protocol } = start(new ScriptedProtocol('thread', true));
    busy('0_0');
    add(sinkTask('1_0'));
    busy('0_1').drain();
    due();
    expect(protocol.commits.map(({ taskIds }) => taskIds)).toEqual([['0_0', '1_0', '0_1']]);
    const late = busy('0_2');
    due();
    expect(protocol.commits).toHaveLength(1);
    protocol.last.succeed();
    await turn();
    due();
    expect(protocol.last.taskIds).toEqual([late.taskId]);
  });

  it('a last commit takes the others along, which go on', async () => {
    const { busy, committer, due, protocol } = start(new ScriptedProtocol('thread', true));
    const [leaving, staying] = [busy('0_0'), busy('0_1')];
    due();
    leaving.drain();
    work(staying);
    const done = committer.commitLast([leaving]);
    protocol.last.succeed();
    await turn();
    // The one that leaves has nothing to commit, so no commit is made.
    await done;
    expect(protocol.commits).toHaveLength(1);
    const second = busy('0_2');
    const doneToo = committer.commitLast([second]);
    await turn();
    expect(protocol.last.tasks.map(({ task, isLast }) => [task.taskId, isLast])).toEqual([
      ['0_2', true],
      ['0_1', false],
    ]);
    protocol.last.succeed();
    await doneToo;
  });

  it('two closers make their last commits one after the other', async () => {
    const { busy, committer, protocol } = start(new ScriptedProtocol('thread', true));
    const [first, second] = [busy('0_0'), busy('0_1')];
    first.drain();
    const firstDone = committer.commitLast([first]);
    work(second);
    second.drain();
    const secondDone = committer.commitLast([second]);
    await turn();
    expect(protocol.commits.map(({ taskIds }) => taskIds)).toEqual([['0_0', '0_1']]);
    protocol.last.succeed();
    await firstDone;
    await turn();
    expect(protocol.commits.map(({ taskIds }) => taskIds)).toEqual([['0_0', '0_1'], ['0_1']]);
    expect(protocol.last.tasks[0]?.isLast).toBe(true);
    protocol.last.succeed();
    await secondDone;
  });

  it('the failure of a task undoes the others before anything else is committed (I3)', async () => {
    const { busy, committer, due, failed, idle, protocol } = start(new ScriptedProtocol('thread', true));
    const { promise, resolve } = Promise.withResolvers<void>();
    protocol.abandonsAfter = promise;
    const [first, second, third] = [busy('0_0'), busy('0_1'), idle('0_2')];
    first.fail();
    due();
    expect(protocol.commits).toEqual([]);
    const closed = committer.commitLast([second, third]);
    await turn();
    expect(protocol.abandoned).toEqual(['0_0']);
    expect(protocol.commits).toEqual([]);
    resolve();
    await closed;
    expect([first.state, second.state, third.state]).toEqual(['FAILED', 'FAILED', 'RUNNING']);
    expect(failed.map(({ taskId }) => taskId)).toEqual(['0_1']);
    expect(failed[0]?.error).toMatchObject({ recovery: 'retry' });
    expect(protocol.commits).toEqual([]);
    due();
    await turn();
    expect(protocol.abandoned).toEqual(['0_0']);
  });

  it('a task that fails during a commit is abandoned after it', async () => {
    const { busy, due, protocol } = start(new ScriptedProtocol('thread', true));
    const task = busy('0_0');
    due();
    task.fail();
    due();
    await turn();
    expect(protocol.abandoned).toEqual([]);
    protocol.last.succeed();
    await turn();
    expect(protocol.abandoned).toEqual(['0_0']);
    expect(task.state).toBe('FAILED');
  });
});

describe('repartition topics', () => {
  it('are purged up to what is committed, every now and then', async () => {
    const deleted: unknown[] = [];
    const admin = {
      ...brokerOf(newCluster()).admin(),
      deleteRecords: async (offsets: unknown) => void deleted.push(offsets),
    };
    const { busy, due, fixture, protocol } = start(new ScriptedProtocol('task', false), {
      repartitionTopics: ['in'],
      admin: admin as BrokerAdmin,
    });
    const task = busy('0_0');
    due();
    protocol.last.succeed();
    await turn();
    expect(deleted).toEqual([]);
    fixture.clock.advance(30_000);
    work(task);
    due();
    protocol.last.succeed();
    await turn();
    expect(deleted).toEqual([[{ topic: 'in', partition: 0, offset: 2 }]]);
  });
});
