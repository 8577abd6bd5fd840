import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { useTestStack } from '@chip-quality/dev/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { systemClock } from '../src/base/clock.ts';
import type { StreamsOptions } from '../src/base/config.ts';
import { silentLog } from '../src/base/metrics.ts';
import { systemRandom } from '../src/base/random.ts';
import type { Broker } from '../src/broker/broker.ts';
import { createWireBroker } from '../src/broker/wire/wire-broker.ts';
import { KafkaStreams } from '../src/kafka-streams.ts';
import { StreamsBuilder } from '../src/kstream/streams-builder.ts';
import { string } from '../src/serde/primitives.ts';
import type { Topology } from '../src/topology/topology.ts';
import {
  interruptedInputs,
  interruptedOptions,
  interruptedOutputs,
  interruptedProgram,
} from './support/interrupted-program.ts';
import { produceText, readAll, until } from './support/memory-cluster-harness.ts';

const stack = useTestStack(['kafka']);
const childPath = fileURLToPath(new URL('./support/interrupted-child.ts', import.meta.url));
const text = { key: string(), value: string() };
const PARTITIONS = 3;
/** Rounds of records; each lies in so much event time. */
const ROUNDS = 24;
const ROUND_MS = 200;
/** Not long ago: brokers delete windows that are older than the retention of their changelog. */
const beginsMs = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
/** Past every window and grace: makes each final result come out. */
const endsMs = beginsMs + 3 * 3_600_000;
let broker: Broker;

beforeAll(() => {
  broker = createWireBroker({
    bootstrapServers: [stack.bootstrapServers],
    clientId: 'test',
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
});

afterAll(async () => {
  await broker?.close();
});

/** Vitest's `onTestFinished` of one test: they run side by side. */
type AtTheEnd = (cleanUp: () => void | Promise<void>) => void;

function stateDirectory(atTheEnd: AtTheEnd): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  atTheEnd(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function start(
  atTheEnd: AtTheEnd,
  topology: Topology,
  options: Partial<StreamsOptions> & { applicationId: string },
): Promise<KafkaStreams> {
  const streams = new KafkaStreams(topology, {
    ...interruptedOptions,
    bootstrapServers: [stack.bootstrapServers],
    stateDir: stateDirectory(atTheEnd),
    ...options,
  });
  atTheEnd(() => streams.close());
  await streams.start();
  return streams;
}

async function create(topics: readonly string[], count = PARTITIONS): Promise<void> {
  const specs = topics.map((topic) => ({ topic, partitions: count, replicationFactor: 1, configs: {} }));
  await broker.admin().createTopics(specs);
}

/** A new set of the program's topics. */
async function createTopics(): Promise<string> {
  const prefix = stack.uniqueName('interrupted');
  await create([...interruptedInputs, ...interruptedOutputs].map((topic) => `${prefix}-${topic}`));
  return prefix;
}

/** Records of some rounds: times ascend in each partition of each topic, keys stay in their partition. */
async function feed(prefix: string, fromRound: number, toRound: number): Promise<void> {
  const sent: Promise<void>[] = [];
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const records = (name: string, count: number, stepMs: number): void => {
      const rows: [string, string, number][] = [];
      for (let round = fromRound; round < toRound; round += 1) {
        for (let i = 0; i < count; i += 1) {
          const timestampMs = beginsMs + round * ROUND_MS + i * stepMs;
          rows.push([`p${partition}k${(round * 3 + i) % 7}`, `${name[0]}${round}.${i}`, timestampMs]);
        }
      }
      sent.push(produceText(broker, `${prefix}-${name}`, partition, rows));
    };
    records('left', 20, 10);
    records('right', 10, 17);
    records('events', 30, 6);
    records('prices', 10, 20);
    records('stocks', 5, 30);
  }
  await Promise.all(sent);
}

/** Moves every partition's time past all windows. */
async function finish(prefix: string): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    for (const name of ['left', 'right', 'events']) {
      await produceText(broker, `${prefix}-${name}`, partition, [[`p${partition}end`, 'end', endsMs]]);
    }
  }
}

/** What the outputs say in the end: of tables the last value a key, of the joined stream each different record. */
async function results(prefix: string): Promise<Record<string, readonly string[]>> {
  const all: Record<string, readonly string[]> = {};
  for (const name of interruptedOutputs) {
    const last = new Map<string, string>();
    for (const { key, value } of await readAll(broker, `${prefix}-${name}`)) {
      const row = `${key}=${value}`;
      if (name === 'joined') last.set(row, row);
      else if (value === null) last.delete(`${key}`);
      else last.set(`${key}`, row);
    }
    all[name] = [...last.values()].sort();
  }
  return all;
}

/** Answers once the results are as given, or as they are when time is up. */
async function settledResults(prefix: string, expected: Record<string, readonly string[]>) {
  const same = async () => JSON.stringify(await results(prefix)) === JSON.stringify(expected);
  await until(same, 'the results of an uninterrupted run', 20_000).catch(() => undefined);
  return results(prefix);
}

async function countOf(topic: string): Promise<number> {
  const ends = await broker
    .admin()
    .endOffsets(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })));
  return [...ends.values()].reduce((sum, end) => sum + end, 0);
}

/** The results of a run without interruptions, once all records are in. */
async function uninterrupted(atTheEnd: AtTheEnd): Promise<Record<string, readonly string[]>> {
  const prefix = await createTopics();
  await start(atTheEnd, interruptedProgram(prefix), { applicationId: prefix });
  await feed(prefix, 0, ROUNDS);
  await finish(prefix);
  // One final window each of the two windowed outputs, and of every key: complete when nothing came for a while.
  let before = '';
  await until(
    async () => {
      await sleep(1_000);
      const now = JSON.stringify(await results(prefix));
      const settled = now === before;
      before = now;
      return settled && (JSON.parse(now) as { final: unknown[] }).final.length > 0;
    },
    'an end',
    30_000,
  );
  return results(prefix);
}

describe.concurrent('KafkaStreams on a real broker, interrupted', () => {
  const cleanUps: (() => void | Promise<void>)[] = [];
  let reference: ReturnType<typeof uninterrupted> | undefined;
  /** The same for all tests; they begin their own runs meanwhile. */
  const expectedResults = () => {
    reference ??= uninterrupted((cleanUp) => cleanUps.unshift(cleanUp));
    return reference;
  };

  afterAll(async () => {
    for (const cleanUp of cleanUps) await cleanUp();
  });

  it('has the results of an uninterrupted run when another instance goes on without local state after a clean stop', async ({
    expect,
    onTestFinished,
  }) => {
    const reference = expectedResults();
    const prefix = await createTopics();
    const first = await start(onTestFinished, interruptedProgram(prefix), { applicationId: prefix });
    await feed(prefix, 0, ROUNDS / 2);
    await until(async () => (await countOf(`${prefix}-joined`)) > 0, 'first results', 20_000);
    await first.close();
    await start(onTestFinished, interruptedProgram(prefix), { applicationId: prefix });
    await feed(prefix, ROUNDS / 2, ROUNDS);
    await finish(prefix);
    const expected = await reference;
    for (const name of interruptedOutputs) expect(expected[name]?.length, name).toBeGreaterThan(10);
    expect(await settledResults(prefix, expected)).toEqual(expected);
  }, 60_000);

  it('has them when the first instance was killed with work that it had not committed', async ({
    expect,
    onTestFinished,
  }) => {
    const reference = expectedResults();
    const prefix = await createTopics();
    const child = fork(childPath, [stack.bootstrapServers, prefix, prefix, stateDirectory(onTestFinished)]);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'message');
    await feed(prefix, 0, ROUNDS / 3);
    // The commit lets cached tables out; what comes after it is done, logged and sent, and not committed.
    await until(async () => (await countOf(`${prefix}-offers`)) > 0, 'a commit', 20_000);
    const joined = await countOf(`${prefix}-joined`);
    await feed(prefix, ROUNDS / 3, (2 * ROUNDS) / 3);
    await until(async () => (await countOf(`${prefix}-joined`)) > joined, 'work after the commit', 20_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await start(onTestFinished, interruptedProgram(prefix), { applicationId: prefix, groupInstanceId: `${prefix}-1` });
    await feed(prefix, (2 * ROUNDS) / 3, ROUNDS);
    await finish(prefix);
    const expected = await reference;
    expect(await settledResults(prefix, expected)).toEqual(expected);
  }, 60_000);

  it('restores a table from its source topic when the optimiser made that its changelog', async ({
    expect,
    onTestFinished,
  }) => {
    const app = stack.uniqueName('source-changelog');
    const [input, asked, output] = [`${app}-table`, `${app}-asked`, `${app}-out`];
    await create([input, asked, output], 1);
    const program = () => {
      const builder = new StreamsBuilder();
      const table = builder.table(input, { ...text, materialized: { name: 'table' } });
      builder
        .stream(asked, text)
        .leftJoin(table, (question, answer) => `${question}:${answer ?? 'nothing'}`)
        .to(output, text);
      return builder.build({ topologyOptimization: 'all' });
    };
    const options = { applicationId: app, topologyOptimization: 'all' } as const;
    const keys = Array.from({ length: 500 }, (_, i) => `k${i}`);
    await produceText(
      broker,
      input,
      0,
      keys.map((key) => [key, `of ${key}`, 1_000] as const),
    );
    await produceText(broker, input, 0, [['k7', null, 1_001]]);
    const first = await start(onTestFinished, program(), options);
    await produceText(broker, asked, 0, [['k1', 'first', 2_000]]);
    await until(async () => (await readAll(broker, output)).length === 1, 'the first answer', 20_000);
    await first.close();
    // While nobody runs the topic goes on: this is not restored but processed, since it lies behind what was committed.
    await produceText(broker, input, 0, [['k2', 'new', 3_000]]);
    await start(onTestFinished, program(), options);
    await produceText(
      broker,
      asked,
      0,
      ['k1', 'k2', 'k7', 'k499'].map((key) => [key, 'again', 4_000] as const),
    );
    await until(async () => (await readAll(broker, output)).length === 5, 'all answers', 20_000);
    expect((await readAll(broker, output)).map(({ value }) => String(value))).toEqual([
      'first:of k1',
      'again:of k1',
      'again:new',
      'again:nothing',
      'again:of k499',
    ]);
    expect((await broker.admin().topics()).filter((topic) => topic.startsWith(`${app}-table-changelog`))).toEqual([]);
  }, 40_000);

  it('reads a topic that matches its pattern and was created while it ran', async ({ expect, onTestFinished }) => {
    const app = stack.uniqueName('pattern');
    const [early, late, output] = [`${app}-in-early`, `${app}-in-late`, `${app}-out`];
    await create([early, output], 1);
    const builder = new StreamsBuilder();
    builder.stream(new RegExp(`^${app}-in-.*`), text).to(output, text);
    await start(onTestFinished, builder.build(), { applicationId: app, metadataMaxAgeMs: 1_000 });
    await produceText(broker, early, 0, [['a', 'early', 1_000]]);
    await until(async () => (await readAll(broker, output)).length === 1, 'the early topic', 20_000);
    await create([late], 2);
    await produceText(broker, late, 1, [['b', 'late', 2_000]]);
    await until(async () => (await readAll(broker, output)).length === 2, 'the late topic', 45_000);
    await produceText(broker, early, 0, [['a', 'early again', 3_000]]);
    await until(async () => (await readAll(broker, output)).length === 3, 'the early topic, too', 20_000);
    expect((await readAll(broker, output)).map(({ value }) => String(value))).toEqual(['early', 'late', 'early again']);
  }, 60_000);
});
