import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamsLifecycle, streamsStates, streamsTransitions } from '../../src/runtime/client/streams-state.ts';
import { decodePartitionTimeMs, encodeCommitMetadata } from '../../src/runtime/task/commit-metadata.ts';
import { nextTaskState, type TaskEvent, type TaskState, taskTransitions } from '../../src/runtime/task/task-state.ts';

describe('task states', () => {
  it('lead every walk of allowed events to CLOSED by one close, and refuse the others by name', () => {
    const events: TaskEvent[] = ['initialize', 'restored', 'close'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 20 }), (walk) => {
        let state: TaskState = 'CREATED';
        for (const event of walk) {
          const allowed: TaskState | undefined = taskTransitions[state][event];
          if (allowed === undefined) expect(() => nextTaskState('0_0', state, event)).toThrow(`can't ${event} while`);
          else state = nextTaskState('0_0', state, event);
        }
        expect(nextTaskState('0_0', state, 'close')).toBe('CLOSED');
      }),
    );
  });

  it('reach RUNNING only through restoring', () => {
    const into = Object.entries(taskTransitions).flatMap(([state, row]) =>
      Object.values(row).includes('RUNNING') ? [state] : [],
    );
    expect(into).toEqual(['RESTORING']);
  });
});

describe('states of an instance', () => {
  it('move along the table only, and tell listeners in order', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...streamsStates), { maxLength: 20 }), (walk) => {
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
    const ends = streamsStates.filter((state) => streamsTransitions[state].length === 0);
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
