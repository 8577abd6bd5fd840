import { StreamsError } from '../../base/errors.ts';

/** A task's states. Kafka Streams' SUSPENDED is missing: under cooperative rebalancing what is revoked is closed. */
export type TaskState = 'CREATED' | 'RESTORING' | 'RUNNING' | 'CLOSED';

export type TaskEvent = 'initialize' | 'restored' | 'close';

/** What each event does in each state; undefined is forbidden. Total: the compiler finds a forgotten case. */
export const taskTransitions: Readonly<Record<TaskState, Readonly<Record<TaskEvent, TaskState | undefined>>>> = {
  CREATED: { initialize: 'RESTORING', restored: undefined, close: 'CLOSED' },
  RESTORING: { initialize: undefined, restored: 'RUNNING', close: 'CLOSED' },
  RUNNING: { initialize: undefined, restored: undefined, close: 'CLOSED' },
  CLOSED: { initialize: undefined, restored: undefined, close: 'CLOSED' },
};

/** The next state; throws `INVALID_STATE` for an event that the state doesn't allow. */
export function nextTaskState(taskId: string, state: TaskState, event: TaskEvent): TaskState {
  const next = taskTransitions[state][event];
  if (next === undefined) {
    throw new StreamsError(`Task ${taskId} can't ${event} while ${state}`, { code: 'INVALID_STATE', recovery: 'fail' });
  }
  return next;
}
