import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { assignTasks } from '../../../src/runtime/assignment/sticky-assignor.ts';
import { layOutTasks, planInternalTopics, type TaskSpec } from '../../../src/runtime/assignment/task-layout.ts';
import { long, string } from '../../../src/serde/primitives.ts';

const strings = { key: string(), value: string() };

function rekeyed() {
  const builder = new StreamsBuilder();
  builder
    .stream('in', strings)
    .groupBy((_, value) => value, { ...strings, name: 'by-value' })
    .count({ materialized: { name: 'counts' } })
    .toStream()
    .to('out', { key: string(), value: long() });
  return builder.build().resolve('app');
}

describe('planInternalTopics', () => {
  it('gives a repartition topic the width of its input and a changelog the width of its sub-topology', () => {
    const planned = planInternalTopics(rekeyed(), new Map([['in', 3]]));
    expect(Object.fromEntries(planned.map(({ topic, partitions }) => [topic, partitions]))).toEqual({
      'app-by-value-repartition': 3,
      'app-counts-changelog': 3,
    });
  });

  it('names source topics that are missing', () => {
    expect(() => planInternalTopics(rekeyed(), new Map())).toThrow('Source topics do not exist: in');
  });

  it('refuses to join topics of different width, and says what to do', () => {
    const builder = new StreamsBuilder();
    builder
      .stream('left', strings)
      .join(builder.table('right', strings), (left, right) => left + right)
      .to('out', strings);
    const resolved = builder.build().resolve('app');
    const widths = new Map([
      ['left', 2],
      ['right', 3],
    ]);
    expect(() => planInternalTopics(resolved, widths)).toThrow(/equal partition counts: left \(2\), right \(3\)/);
  });
});

describe('planInternalTopics of a foreign-key join', () => {
  it('gives the questions the width of the right table and the answers that of the left one', () => {
    const builder = new StreamsBuilder();
    builder
      .table('left', strings)
      .join(
        builder.table('right', strings),
        (value) => value,
        (left, right) => left + right,
        { name: 'fk' },
      )
      .toStream()
      .to('out', strings);
    const resolved = builder.build().resolve('app');
    for (const [left, right] of [
      [3, 5],
      [5, 3],
    ] as const) {
      const planned = planInternalTopics(
        resolved,
        new Map([
          ['left', left],
          ['right', right],
        ]),
      );
      expect(Object.fromEntries(planned.map(({ topic, partitions }) => [topic, partitions]))).toEqual({
        'app-fk-subscription-registration-topic': right,
        'app-fk-subscription-store-changelog': right,
        'app-fk-subscription-response-topic': left,
        'app-left-STATE-STORE-0000000000-changelog': left,
        'app-right-STATE-STORE-0000000003-changelog': right,
      });
    }
  });
});

describe('layOutTasks', () => {
  it('puts the same partition number of all topics of a sub-topology into one task', () => {
    const builder = new StreamsBuilder();
    builder
      .stream('left', strings)
      .join(builder.table('right', strings), (left, right) => left + right)
      .to('out', strings);
    const widths = new Map([
      ['left', 2],
      ['right', 2],
    ]);
    const tasks = layOutTasks(builder.build().resolve('app'), widths);
    expect(
      tasks.map(({ taskId, partitions }) => [taskId, partitions.map((each) => `${each.topic}-${each.partition}`)]),
    ).toEqual([
      ['0_0', ['left-0', 'right-0']],
      ['0_1', ['left-1', 'right-1']],
    ]);
  });
});

describe('assignTasks', () => {
  const specs = (count: number): TaskSpec[] =>
    Array.from({ length: count }, (_, partition) => ({
      taskId: `0_${partition}`,
      partition,
      subTopology: undefined as never,
      partitions: [{ topic: 't', partition }],
    }));
  const member = (memberId: string, owned: readonly number[] = []) => ({
    memberId,
    topics: ['t'],
    ownedPartitions: owned.map((partition) => ({ topic: 't', partition })),
    userData: Buffer.alloc(0),
  });

  it('gives each task one owner, keeps loads within one, and moves no more tasks than balance needs', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 6 }),
        fc.infiniteStream(fc.nat()),
        (count, size, random) => {
          const owned: number[][] = Array.from({ length: size }, () => []);
          for (let task = 0; task < count; task += 1) {
            const owner = (random.next().value as number) % (size + 1);
            owned[owner]?.push(task);
          }
          const members = owned.map((partitions, index) => member(`m${index}`, partitions));
          const owners = assignTasks(specs(count), members);
          expect(owners.size).toBe(count);
          const loads = members.map(
            ({ memberId }) => [...owners.values()].filter((owner) => owner === memberId).length,
          );
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
          const ceiling = Math.ceil(count / size);
          for (const [index, partitions] of owned.entries()) {
            if (partitions.length > Math.floor(count / size)) continue;
            // Whoever has no more than its share keeps all of it.
            for (const task of partitions) expect(owners.get(`0_${task}`)).toBe(`m${index}`);
            expect(ceiling).toBeGreaterThanOrEqual(partitions.length);
          }
        },
      ),
    );
  });

  it('leaves a balanced assignment as it is', () => {
    const members = [member('a', [0, 2]), member('b', [1, 3])];
    expect(Object.fromEntries(assignTasks(specs(4), members))).toEqual({
      '0_0': 'a',
      '0_1': 'b',
      '0_2': 'a',
      '0_3': 'b',
    });
  });
});
