import type { FreshInputs } from '../topologies/family.ts';
import type { Step } from '../vectors.ts';
import type { SeededRandom } from './seeded-random.ts';

const keys = ['A', 'B', 'C'];
const foreignKeys = ['f0', 'f1', 'f2'];
const NULL_VALUE_SHARE = 0.12;
const NULL_KEY_SHARE = 0.04;
/** Topologies treat values that begin with x in a special way, and the value x itself. */
const MARKED_VALUE_SHARE = 0.06;
const WALL_CLOCK_SHARE = 0.04;
/** Stream time stands, creeps, and now and then jumps over several windows. */
const JUMP_SHARE = 0.08;
const JUMP_MS = 30;
const CREEP_MS = 4;
/** A third of runs is in order, a third up to 8 ms late, a third up to 25. */
const latenesses = [0, 8, 25];
const START_AT_ZERO_SHARE = 0.25;
const lengths = { least: 25, most: 70 };

/** A random list of steps for the topics, in the mix of the vectors. */
export function randomSteps(topics: readonly string[], inputs: FreshInputs, random: SeededRandom): Step[] {
  const steps: Step[] = [];
  const length = lengths.least + random.int(lengths.most - lengths.least);
  const lateness = random.pick(latenesses);
  const manyKeys = random.chance(0.2) ? ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'aa', 'Ab'] : keys;
  let now = random.chance(START_AT_ZERO_SHARE) ? 0 : random.int(200);
  for (let i = 0; i < length; i += 1) {
    if (random.chance(WALL_CLOCK_SHARE)) {
      steps.push({ advanceWallClockMs: 1 + random.int(30) });
      continue;
    }
    now += random.chance(JUMP_SHARE) ? random.int(JUMP_MS) : random.int(CREEP_MS);
    const topic = random.pick(topics);
    const timestamp = Math.max(0, now - (lateness === 0 ? 0 : random.int(lateness + 1)));
    steps.push({
      topic,
      key: randomKey(topic, inputs, manyKeys, random),
      value: randomValue(topic, inputs, i, random),
      timestamp,
    });
  }
  return steps;
}

function randomKey(topic: string, inputs: FreshInputs, all: readonly string[], random: SeededRandom): string | null {
  if (random.chance(NULL_KEY_SHARE) && inputs.keyed?.includes(topic) !== true) return null;
  const referred = inputs.foreignKeys !== undefined && !inputs.foreignKeys.includes(topic);
  return random.pick(referred ? foreignKeys : all);
}

function randomValue(topic: string, inputs: FreshInputs, step: number, random: SeededRandom): string | null {
  if (random.chance(NULL_VALUE_SHARE)) return null;
  const marked = random.chance(MARKED_VALUE_SHARE);
  if (marked && random.chance(0.5)) return 'x';
  const text = `${marked ? 'x' : random.pick(['a', 'b', 'c'])}${step}`;
  if (inputs.foreignKeys?.includes(topic) !== true) return text;
  return random.chance(0.1) ? `:${text}` : `${random.pick(foreignKeys)}:${text}`;
}
