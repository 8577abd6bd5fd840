import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STREAMS_STATES, StreamsLifecycle, streamsTransitions } from '../../src/runtime/client/streams-state.ts';
import { decodePartitionTimeMs, encodeCommitMetadata } from '../../src/runtime/task/commit-metadata.ts';
import {
  allowsEvent,
  nextTaskState,
  TASK_EVENTS,
  TASK_STATES,
  TASK_TRANSITIONS,
  type TaskEvent,
  type TaskState,
  WORK_OF_STATE,
} from '../../src/runtime/task/task-state.ts';

/** The same lifecycle told by independent facts, which the states must never contradict. */
interface TaskFacts {
  phase: 'new' | 'restoring' | 'started' | 'closed';
  hasFailed: boolean;
  isDraining: boolean;
  isCommitting: boolean;
}

function stateOf({ phase, hasFailed, isDraining, isCommitting }: TaskFacts): TaskState {
  if (phase === 'closed') return 'CLOSED';
  if (hasFailed) return 'FAILED';
  if (phase === 'new') return 'CREATED';
  if (phase === 'restoring') return 'RESTORING';
  if (isDraining) return isCommitting ? 'DRAINING_COMMITTING' : 'DRAINING';
  return isCommitting ? 'COMMITTING' : 'RUNNING';
}

function apply(facts: TaskFacts, event: TaskEvent): void {
  if (event === 'initialize') facts.phase = 'restoring';
  else if (event === 'restored') facts.phase = 'started';
  else if (event === 'beginCommit') facts.isCommitting = true;
  else if (event === 'endCommit') facts.isCommitting = false;
  else if (event === 'drain') facts.isDraining = true;
  else if (event === 'fail') facts.hasFailed = true;
  else facts.phase = 'closed';
}

/** What a task may be told, from the facts alone. */
function isAllowed(facts: TaskFacts, event: TaskEvent): boolean {
  const { phase, hasFailed, isDraining, isCommitting } = facts;
  const isOver = hasFailed || phase === 'closed';
  if (event === 'close') return true;
  if (event === 'fail') return phase !== 'closed';
  // The end of a commit reaches a task whatever became of it meanwhile.
  if (event === 'endCommit') return isOver || isCommitting;
  if (isOver) return false;
  if (event === 'initialize') return phase === 'new';
  if (event === 'restored') return phase === 'restoring';
  if (event === 'beginCommit') return phase === 'started' && !isCommitting;
  return phase === 'started' && !isDraining;
}

describe('task states', () => {
  it('say what happened, whatever the order, and refuse by name what makes no sense', () => {
    // Most steps are allowed ones that don't end the task, or walks would hardly get beyond its start.
    const step = fc.record({ choice: fc.nat(), isAny: fc.nat({ max: 4 }).map((chance) => chance === 0) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (walk) => {
        let state: TaskState = 'CREATED';
        const facts: TaskFacts = { phase: 'new', hasFailed: false, isDraining: false, isCommitting: false };
        for (const { choice, isAny } of walk) {
          const lively = TASK_EVENTS.filter((each) => each !== 'close' && each !== 'fail' && isAllowed(facts, each));
          const events = isAny || lively.length === 0 ? TASK_EVENTS : lively;
          const event = events[choice % events.length] as TaskEvent;
          expect(allowsEvent(state, event)).toBe(isAllowed(facts, event));
          if (!allowsEvent(state, event)) {
            expect(() => nextTaskState('0_0', state, event)).toThrow(`Task 0_0 can't ${event} while ${state}`);
            continue;
          }
          apply(facts, event);
          state = nextTaskState('0_0', state, event);
          expect(state).toBe(stateOf(facts));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('are all reached, and all left for CLOSED by one close', () => {
    const reached = new Set<TaskState>(['CREATED']);
    for (const state of reached) {
      for (const event of TASK_EVENTS) {
        const next = TASK_TRANSITIONS[state][event];
        if (next !== undefined) reached.add(next);
      }
    }
    expect([...reached].sort()).toEqual([...TASK_STATES].sort());
    for (const state of TASK_STATES) expect(nextTaskState('0_0', state, 'close')).toBe('CLOSED');
  });

  it('begin to process only after restoring', () => {
    const into = TASK_STATES.filter((state) => TASK_TRANSITIONS[state].restored !== undefined);
    expect(into).toEqual(['RESTORING']);
    for (const state of ['CREATED', 'RESTORING'] as const) expect(WORK_OF_STATE[state]).toBe('nothing');
  });

  it('never lead from FAILED or CLOSED to work or to another commit', () => {
    for (const state of ['FAILED', 'CLOSED'] as const) {
      expect(WORK_OF_STATE[state]).toBe('nothing');
      for (const event of TASK_EVENTS)
        expect(['FAILED', 'CLOSED', undefined]).toContain(TASK_TRANSITIONS[state][event]);
      expect(allowsEvent(state, 'beginCommit')).toBe(false);
    }
  });

  it('never lead from draining back to new records', () => {
    for (const state of ['DRAINING', 'DRAINING_COMMITTING'] as const) {
      for (const event of TASK_EVENTS) {
        const next = TASK_TRANSITIONS[state][event];
        if (next !== undefined) expect(WORK_OF_STATE[next]).not.toBe('records');
      }
    }
  });
});

describe('states of an instance', () => {
  it('move along the table only, and tell listeners in order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STREAMS_STATES), { maxLength: 20 }), (walk) => {
        const lifecycle = new StreamsLifecycle();
        const seen: string[] = [];
        lifecycle.listen((next, previous) => seen.push(`${previous}>${next}`));
        const expected: string[] = [];
        for (const next of walk) {
          const previous = lifecycle.state;
          if (streamsTransitions[previous].includes(next)) {
            lifecycle.to(next);
            expected.push(`${previous}>${next}`);
          } else {
            expect(() => lifecycle.to(next)).toThrow(`can't become ${next}`);
            expect(lifecycle.state).toBe(previous);
          }
        }
        expect(seen).toEqual(expected);
      }),
    );
  });

  it('change whatever a listener throws', () => {
    const lifecycle = new StreamsLifecycle();
    const seen: string[] = [];
    lifecycle.listen(() => {
      throw new Error('no');
    });
    lifecycle.listen((state) => seen.push(state));
    lifecycle.to('REBALANCING');
    expect(seen).toEqual(['REBALANCING']);
  });

  it('end in NOT_RUNNING or ERROR', () => {
    const ends = STREAMS_STATES.filter((state) => streamsTransitions[state].length === 0);
    expect(ends).toEqual(['NOT_RUNNING', 'ERROR']);
  });
});

describe('commit metadata', () => {
  it('is what Kafka Streams writes: base64 of version 2 and the partition time', () => {
    expect(Buffer.from(encodeCommitMetadata(1_234), 'base64').toString('hex')).toBe('0200000000000004d2');
    expect(decodePartitionTimeMs(encodeCommitMetadata(1_234))).toBe(1_234);
    expect(decodePartitionTimeMs(encodeCommitMetadata(-1))).toBe(-1);
  });

  it('of other clients means no partition time', () => {
    for (const text of ['', 'abc', 'some other client', 'AAAAAAAAAAAAAAAA'])
      expect(decodePartitionTimeMs(text)).toBe(-1);
  });
});
