import { StreamsError } from '../../base/errors.ts';

/**
 * A task's states. Kafka Streams' SUSPENDED is missing: under cooperative rebalancing what is revoked is closed.
 *
 * - `CREATED`: nothing was restored yet.
 * - `RESTORING`: its stores catch up with their changelogs.
 * - `RUNNING`: it processes records.
 * - `COMMITTING`: as RUNNING, and a commit is on its way. The commit protocol says whether it processes meanwhile.
 * - `DRAINING`: it takes no new record, only results of asynchronous operators come in; whoever drains it closes it.
 * - `DRAINING_COMMITTING`: as DRAINING, and a commit is on its way.
 * - `FAILED`: nothing since its last commit counts; it does nothing more and is never committed again.
 * - `CLOSED`: its stores are closed.
 */
export const TASK_STATES = [
  'CREATED',
  'RESTORING',
  'RUNNING',
  'COMMITTING',
  'DRAINING',
  'DRAINING_COMMITTING',
  'FAILED',
  'CLOSED',
] as const;

/** One of {@link TASK_STATES}. */
export type TaskState = (typeof TASK_STATES)[number];

/** What happens to a task, in its own words. */
export const TASK_EVENTS = ['initialize', 'restored', 'beginCommit', 'endCommit', 'drain', 'fail', 'close'] as const;

/** One of {@link TASK_EVENTS}. */
export type TaskEvent = (typeof TASK_EVENTS)[number];

/** What each event does in each state; undefined is forbidden. Total: the compiler finds a forgotten case. */
export const TASK_TRANSITIONS: Readonly<Record<TaskState, Readonly<Record<TaskEvent, TaskState | undefined>>>> = {
  CREATED: {
    initialize: 'RESTORING',
    restored: undefined,
    beginCommit: undefined,
    endCommit: undefined,
    drain: undefined,
    fail: 'FAILED',
    close: 'CLOSED',
  },
  RESTORING: {
    initialize: undefined,
    restored: 'RUNNING',
    beginCommit: undefined,
    endCommit: undefined,
    drain: undefined,
    fail: 'FAILED',
    close: 'CLOSED',
  },
  RUNNING: {
    initialize: undefined,
    restored: undefined,
    beginCommit: 'COMMITTING',
    endCommit: undefined,
    drain: 'DRAINING',
    fail: 'FAILED',
    close: 'CLOSED',
  },
  COMMITTING: {
    initialize: undefined,
    restored: undefined,
    beginCommit: undefined,
    endCommit: 'RUNNING',
    drain: 'DRAINING_COMMITTING',
    fail: 'FAILED',
    close: 'CLOSED',
  },
  DRAINING: {
    initialize: undefined,
    restored: undefined,
    beginCommit: 'DRAINING_COMMITTING',
    endCommit: undefined,
    drain: undefined,
    fail: 'FAILED',
    close: 'CLOSED',
  },
  DRAINING_COMMITTING: {
    initialize: undefined,
    restored: undefined,
    beginCommit: undefined,
    endCommit: 'DRAINING',
    drain: undefined,
    fail: 'FAILED',
    close: 'CLOSED',
  },
  // A commit that was on its way ends after its task failed or was closed: that changes nothing any more.
  FAILED: {
    initialize: undefined,
    restored: undefined,
    beginCommit: undefined,
    endCommit: 'FAILED',
    drain: undefined,
    fail: 'FAILED',
    close: 'CLOSED',
  },
  CLOSED: {
    initialize: undefined,
    restored: undefined,
    beginCommit: undefined,
    endCommit: 'CLOSED',
    drain: undefined,
    fail: undefined,
    close: 'CLOSED',
  },
};

/** What a task works on: new records and all that follows from them, only what it has begun, or nothing. */
export type TaskWork = 'records' | 'begun' | 'nothing';

/** What a task works on in each state, unless its commit protocol keeps it still while a commit is on its way. */
export const WORK_OF_STATE: Readonly<Record<TaskState, TaskWork>> = {
  CREATED: 'nothing',
  RESTORING: 'nothing',
  RUNNING: 'records',
  COMMITTING: 'records',
  DRAINING: 'begun',
  DRAINING_COMMITTING: 'begun',
  FAILED: 'nothing',
  CLOSED: 'nothing',
};

/** Whether a task in this state may be told the event. */
export function allowsEvent(state: TaskState, event: TaskEvent): boolean {
  return TASK_TRANSITIONS[state][event] !== undefined;
}

/** The next state; throws `INVALID_STATE` for an event that the state doesn't allow. */
export function nextTaskState(taskId: string, state: TaskState, event: TaskEvent): TaskState {
  const next = TASK_TRANSITIONS[state][event];
  if (next === undefined) {
    throw new StreamsError(`Task ${taskId} can't ${event} while ${state}`, { code: 'INVALID_STATE', recovery: 'fail' });
  }
  return next;
}
