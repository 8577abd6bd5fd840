import { StreamsError } from './errors.ts';

/** Checks an invariant of the engine itself; a failure is a defect of ours, never of the input. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new StreamsError(`Invariant broken: ${invariant}`, { code: 'INTERNAL', recovery: 'fail' });
}
