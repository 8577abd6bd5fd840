import { isDeepStrictEqual } from 'node:util';
import type { Step } from './vectors.ts';

/** How our engine and Kafka Streams differ in one respect: the first difference in its surroundings. */
export interface Difference {
  /** What was compared: outputs, a store, a text. */
  readonly of: string;
  readonly text: string;
}

/** Equal elements shown before the first difference, and elements after it. */
const BEFORE = 3;
const AFTER = 2;

/** The first difference of two lists; nothing when they are equal. `show` prints one element. */
export function compareLists<T>(
  of: string,
  expected: readonly T[],
  actual: readonly T[],
  show: (element: T) => string = (element) => JSON.stringify(element),
): Difference[] {
  const length = Math.max(expected.length, actual.length);
  for (let i = 0; i < length; i += 1) {
    if (isDeepStrictEqual(plain(expected[i]), plain(actual[i]))) continue;
    const lines: string[] = [];
    for (let j = Math.max(0, i - BEFORE); j < i; j += 1) lines.push(`    ${show(expected[j] as T)}`);
    for (const [mark, list] of [['expected', expected] as const, ['actual  ', actual] as const]) {
      if (i >= list.length) lines.push(`  ${mark} (nothing)`);
      for (let j = i; j < Math.min(list.length, i + AFTER); j += 1) lines.push(`  ${mark} ${show(list[j] as T)}`);
    }
    return [{ of, text: `element ${i} of ${expected.length} (ours has ${actual.length}):\n${lines.join('\n')}` }];
  }
  return [];
}

/** The first differing line of two texts. */
export function compareTexts(of: string, expected: string, actual: string): Difference[] {
  return expected === actual ? [] : compareLists(of, expected.split('\n'), actual.split('\n'), (line) => line);
}

/** One step as a reader of a report wants it. */
export function showStep(step: Step): string {
  if ('advanceWallClockMs' in step) return `wall clock +${step.advanceWallClockMs} ms`;
  return `${step.topic}: ${step.key} = ${step.value} @ ${step.timestamp}`;
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
