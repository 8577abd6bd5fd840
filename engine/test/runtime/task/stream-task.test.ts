import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import type { SourcePartition } from '../../../src/runtime/task/source-partition.ts';
import type { StreamTask } from '../../../src/runtime/task/stream-task.ts';
import { TASK_STATES, type TaskState } from '../../../src/runtime/task/task-state.ts';
import { string } from '../../../src/serde/primitives.ts';
import { processing } from '../../support/streams-harness.ts';
import { give, newTask, runningTask } from '../../support/task-harness.ts';

/** Long after every deadline of these tests. */
const FAR_MS = Number.POSITIVE_INFINITY;

function noting(): { readonly task: StreamTask; readonly seen: string[]; readonly source: SourcePartition } {
  const seen: string[] = [];
  const task = runningTask(processing((record) => seen.push(record.value)));
  return { task, seen, source: task.sources[0] as SourcePartition };
}

/** A task that an asynchronous operator holds results back from, and the calls by value. */
function holding() {
  const calls = new Map<string, () => void>();
  const builder = new StreamsBuilder();
  const seen: string[] = [];
  builder
    .stream('in', { key: string(), value: string() })
    .mapAsync(({ value }) => new Promise<string>((resolve) => calls.set(value, () => resolve(value))), {
      concurrency: 10,
    })
    .foreach((_key, value) => seen.push(value));
  const task = runningTask(builder.build());
  return { task, calls, seen, source: task.sources[0] as SourcePartition };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Brings a new task into a state. */
function taskIn(state: TaskState): StreamTask {
  const topology = processing(() => {});
  if (state === 'CREATED') return newTask(topology);
  if (state === 'RESTORING') {
    const task = newTask(topology);
    task.initializeStores();
    return task;
  }
  const task = runningTask(topology);
  if (state === 'DRAINING' || state === 'DRAINING_COMMITTING') task.drain();
  if (state === 'COMMITTING' || state === 'DRAINING_COMMITTING') task.beginCommit(false);
  if (state === 'FAILED') task.fail();
  if (state === 'CLOSED') void task.close();
  return task;
}

describe('a task takes records', () => {
  it.each(TASK_STATES)('only as its state says (I1): %s', (state) => {
    const task = taskIn(state);
    expect(task.state).toBe(state);
    expect(task.mayWork).toBe(state === 'RUNNING' || state === 'DRAINING');
    give(task.sources[0] as SourcePartition, 'a');
    expect(task.process(0, FAR_MS)).toBe(state === 'RUNNING' ? 1 : 0);
  });

  it('while a commit is on its way only if the commit lets it (I1)', () => {
    const { task, seen, source } = noting();
    task.beginCommit(false);
    give(source, 'a');
    expect(task.process(0, FAR_MS)).toBe(0);
    task.endCommit(true);
    expect(task.process(0, FAR_MS)).toBe(1);
    task.beginCommit(true);
    expect(task.state).toBe('COMMITTING');
    give(source, 'b');
    expect(task.process(0, FAR_MS)).toBe(1);
    task.endCommit(true);
    expect(seen).toEqual(['a', 'b']);
  });

  it('no more once it drains, also when a commit ends meanwhile (I5)', () => {
    for (const worksMeanwhile of [false, true]) {
      const { task, source } = noting();
      task.beginCommit(worksMeanwhile);
      task.drain();
      give(source, 'a');
      expect(task.process(0, FAR_MS)).toBe(0);
      task.endCommit(true);
      expect(task.state).toBe('DRAINING');
      expect(task.process(0, FAR_MS)).toBe(0);
      task.beginCommit(worksMeanwhile);
      expect(task.process(0, FAR_MS)).toBe(0);
      task.endCommit(true);
      expect(task.process(0, FAR_MS)).toBe(0);
    }
  });

  it('no more once it failed, also when a commit ends meanwhile (I4)', () => {
    for (const worksMeanwhile of [false, true]) {
      const { task, seen, source } = noting();
      task.beginCommit(worksMeanwhile);
      task.fail();
      give(source, 'a');
      expect(task.process(0, FAR_MS)).toBe(0);
      task.endCommit(true);
      expect(task.state).toBe('FAILED');
      expect(task.process(0, FAR_MS)).toBe(0);
      expect(task.punctuateWallClock(FAR_MS)).toBe(0);
      expect(seen).toEqual([]);
      expect(() => task.beginCommit(false)).toThrow("can't beginCommit while FAILED");
    }
  });
});

describe('a commit of a task', () => {
  it('never passes a record that an operator holds (I2)', async () => {
    const { task, calls, source } = holding();
    give(source, 'a', 'b');
    task.process(0, FAR_MS);
    expect(task.beginCommit(false).positions.get('in-0')).toBe(0);
    task.endCommit(true);
    expect(task.wantsCommit('interval')).toBe(true);
    calls.get('a')?.();
    await turn();
    task.runMailbox();
    expect(task.beginCommit(false).positions.get('in-0')).toBe(1);
    task.endCommit(true);
  });

  it('is one at a time (I3)', () => {
    const { task } = noting();
    task.beginCommit(true);
    expect(() => task.beginCommit(true)).toThrow("can't beginCommit while COMMITTING");
    task.drain();
    expect(() => task.beginCommit(true)).toThrow("can't beginCommit while DRAINING_COMMITTING");
    task.endCommit(true);
    task.beginCommit(true);
    task.endCommit(true);
    expect(() => task.endCommit(true)).toThrow("can't endCommit while DRAINING");
  });

  it('is of the moment when it began, and what came after it is due again', () => {
    const { task, source } = noting();
    give(source, 'a');
    task.process(0, FAR_MS);
    const { positions } = task.beginCommit(true);
    give(source, 'b');
    task.process(0, FAR_MS);
    task.endCommit(true);
    expect(positions.get('in-0')).toBe(1);
    expect(task.wantsCommit('interval')).toBe(true);
  });

  it('is due again when it did not happen', () => {
    const { task, source } = noting();
    give(source, 'a');
    task.process(0, FAR_MS);
    for (const committed of [false, true]) {
      task.beginCommit(false);
      expect(task.wantsCommit('interval')).toBe(false);
      task.endCommit(committed);
      expect(task.wantsCommit('interval')).toBe(!committed);
    }
  });
});

describe('a draining task', () => {
  it('lets results of operators in, but not while a commit keeps it still', async () => {
    const { task, calls, seen, source } = holding();
    give(source, 'a', 'b');
    task.process(0, FAR_MS);
    task.beginCommit(false);
    task.drain();
    calls.get('a')?.();
    await turn();
    expect(task.runMailbox()).toBe(false);
    expect(seen).toEqual([]);
    task.endCommit(true);
    expect(task.runMailbox()).toBe(true);
    expect(seen).toEqual(['a']);
    calls.get('b')?.();
    await turn();
    task.beginCommit(true);
    expect(task.runMailbox()).toBe(true);
    task.endCommit(true);
    expect(seen).toEqual(['a', 'b']);
  });
});

describe('a close', () => {
  it.each(TASK_STATES)('ends a task that is %s, once, and its commit if one is on its way', async (state) => {
    const task = taskIn(state);
    const closed = task.close();
    expect(task.state).toBe('CLOSED');
    expect(task.isStarted).toBe(false);
    expect(task.close()).toBe(closed);
    await closed;
    if (state === 'COMMITTING' || state === 'DRAINING_COMMITTING') task.endCommit(true);
    expect(task.state).toBe('CLOSED');
    expect(task.mayWork).toBe(false);
    expect(() => task.fail()).toThrow("can't fail while CLOSED");
  });
});
