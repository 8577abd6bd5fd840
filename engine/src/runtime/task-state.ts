import { StreamsError } from '../base/errors.ts';

/** Kafka Streams' task states. */
export type TaskState = 'CREATED' | 'RESTORING' | 'RUNNING' | 'SUSPENDED' | 'CLOSED';

export type TaskEvent = 'initialize' | 'restored' | 'suspend' | 'resume' | 'close';

/**
 * What each event does in each state; undefined is forbidden. Total: the compiler finds a forgotten case. A suspended task
 * that is resumed restores again, since another member may have written to its changelog meanwhile.
 */
export const taskTransitions: Readonly<Record<TaskState, Readonly<Record<TaskEvent, TaskState | undefined>>>> = {
  CREATED: { initialize: 'RESTORING', restored: undefined, suspend: 'SUSPENDED', resume: undefined, close: 'CLOSED' },
  RESTORING: { initialize: undefined, restored: 'RUNNING', suspend: 'SUSPENDED', resume: undefined, close: 'CLOSED' },
  RUNNING: { initialize: undefined, restored: undefined, suspend: 'SUSPENDED', resume: undefined, close: 'CLOSED' },
  SUSPENDED: { initialize: undefined, restored: undefined, suspend: 'SUSPENDED', resume: 'RESTORING', close: 'CLOSED' },
  CLOSED: { initialize: undefined, restored: undefined, suspend: undefined, resume: undefined, close: 'CLOSED' },
};

/** The next state; throws `INVALID_STATE` for an event that the state doesn't allow. */
export function nextTaskState(taskId: string, state: TaskState, event: TaskEvent): TaskState {
  const next = taskTransitions[state][event];
  if (next === undefined) {
    throw new StreamsError(`Task ${taskId} can't ${event} while ${state}`, { code: 'INVALID_STATE', recovery: 'fail' });
  }
  return next;
}
