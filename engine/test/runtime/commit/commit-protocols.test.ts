import { describe, expect, it } from 'vitest';
import { StreamsError, TaskMigratedError } from '../../../src/base/errors.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import type { OffsetStoringSink } from '../../../src/processor/processor.ts';
import { AtLeastOnce } from '../../../src/runtime/commit/at-least-once.ts';
import { string } from '../../../src/serde/primitives.ts';
import { describeCommitProtocol } from '../../contract/commit-protocol.ts';
import { CommitFixture } from '../../support/commit-fixture.ts';
import { runningTask } from '../../support/task-harness.ts';
import { TransactionalProtocol } from '../../support/transactional-protocol.ts';

describeCommitProtocol('at least once', ({ options }) => new AtLeastOnce(options));
describeCommitProtocol(
  'in one transaction',
  (fixture) => new TransactionalProtocol(fixture.options, () => fixture.transactions),
);

const offsets = new Map([['in-0', { topic: 'in', partition: 0, offset: 3, metadata: '' }]]);

/** A task with a sink that stores offsets itself. */
function sinkTask({ events }: CommitFixture, failure?: Error) {
  const sink: OffsetStoringSink<string, string> = {
    open: async () => new Map(),
    write() {},
    isFull: false,
    async commit(positions) {
      events.push(`sink ${[...positions.values()]}`);
      if (failure !== undefined) throw failure;
    },
    close: async () => {},
  };
  const builder = new StreamsBuilder();
  builder.stream('in', { key: string(), value: string() }).toExternal(() => sink, { name: 'outside' });
  return runningTask(builder.build());
}

describe('at least once', () => {
  it('commits external sinks before Kafka, so that Kafka never knows more than they do', async () => {
    const fixture = new CommitFixture();
    const tasks = [fixture.begin(sinkTask(fixture))];
    await new AtLeastOnce(fixture.options).commit({ tasks, offsets });
    expect(fixture.events).toEqual(['outputs', 'sink 0', 'offsets 3']);
  });

  it('commits nothing to Kafka when a sink fails', async () => {
    const fixture = new CommitFixture();
    const tasks = [fixture.begin(sinkTask(fixture, new Error('no')))];
    await expect(new AtLeastOnce(fixture.options).commit({ tasks, offsets })).rejects.toThrow('no');
    expect(fixture.events).toEqual(['outputs', 'sink 0']);
  });

  it('lets a commit be made later while the group changes, but not where a sink may have been fenced', async () => {
    const fixture = new CommitFixture();
    const protocol = new AtLeastOnce(fixture.options);
    fixture.failAt('offsets 3', new TaskMigratedError('rebalancing'));
    const plain = [fixture.begin(fixture.task('0_0'))];
    await expect(protocol.commit({ tasks: plain, offsets })).rejects.toMatchObject({ recovery: 'migrate' });
    const fenced = [fixture.begin(sinkTask(fixture, new TaskMigratedError('another owner')))];
    await expect(protocol.commit({ tasks: fenced, offsets })).rejects.toMatchObject({
      code: 'TASK_MIGRATED',
      recovery: 'retry',
      message: 'another owner',
    });
  });

  it('ends the thread when records were lost', () => {
    const fixture = new CommitFixture();
    const protocol = new AtLeastOnce(fixture.options);
    protocol.check();
    fixture.lost = new StreamsError('lost', { code: 'PRODUCTION', recovery: 'fail' });
    expect(() => protocol.check()).toThrow('lost');
  });
});

describe('one transaction of a thread', () => {
  it('holds outputs and offsets, with the generation of the group', async () => {
    const fixture = new CommitFixture();
    const protocol = new TransactionalProtocol(fixture.options, () => fixture.transactions);
    await protocol.committed([]);
    fixture.events.length = 0;
    await protocol.commit({ tasks: [fixture.begin(fixture.task('0_0'))], offsets });
    expect(fixture.events).toEqual(['outputs', 'offsets 3 of generation 3', 'end', 'begin', 'store 0_0 up to 5']);
  });

  it('is aborted when a step fails, and the next one has a new producer', async () => {
    const fixture = new CommitFixture();
    const protocol = new TransactionalProtocol(fixture.options, () => fixture.transactions);
    await protocol.committed([]);
    fixture.events.length = 0;
    fixture.failAt('end', new Error('nobody knows'));
    const task = fixture.task('0_0');
    await expect(protocol.commit({ tasks: [fixture.begin(task)], offsets })).rejects.toThrow('aborted');
    task.endCommit(false);
    await protocol.commit({ tasks: [fixture.begin(task)], offsets });
    expect(fixture.events).toEqual([
      ...['outputs', 'offsets 3 of generation 3', 'end', 'abort'],
      ...['outputs', 'init', 'begin', 'offsets 3 of generation 3', 'end', 'begin', 'store 0_0 up to 5'],
    ]);
  });
});
