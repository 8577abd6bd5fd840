import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { useTestStack } from '@chip-quality/dev/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../src/base/clock.ts';
import type { StreamsOptions } from '../src/base/config.ts';
import { silentLog } from '../src/base/metrics.ts';
import { systemRandom } from '../src/base/random.ts';
import type { Broker } from '../src/broker/broker.ts';
import { createWireBroker } from '../src/broker/wire/wire-broker.ts';
import { KafkaStreams } from '../src/kafka-streams.ts';
import { StreamsBuilder } from '../src/kstream/streams-builder.ts';
import { long, string } from '../src/serde/primitives.ts';
import type { Topology } from '../src/topology/topology.ts';
import { produceText, readAll, until } from './support/memory-cluster-harness.ts';

const stack = useTestStack(['kafka']);
const childPath = fileURLToPath(new URL('./support/counting-child.ts', import.meta.url));
const running: KafkaStreams[] = [];
const children: ChildProcess[] = [];
const directories: string[] = [];
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

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(running.splice(0).map((streams) => streams.close()));
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

afterAll(async () => {
  await broker?.close();
});

function stateDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  directories.push(directory);
  return directory;
}

function start(topology: Topology, options: Partial<StreamsOptions> & { applicationId: string }): KafkaStreams {
  const streams = new KafkaStreams(topology, {
    bootstrapServers: [stack.bootstrapServers],
    commitIntervalMs: 50,
    statestoreCacheMaxBytes: 0,
    stateDir: options.stateDir ?? stateDirectory(),
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 500,
    ...options,
  });
  running.push(streams);
  return streams;
}

async function topics(partitions: number): Promise<{ app: string; input: string; output: string }> {
  const app = stack.uniqueName('app');
  const input = `${app}-in`;
  const output = `${app}-out`;
  const spec = (topic: string) => ({ topic, partitions, replicationFactor: 1, configs: {} });
  await broker.admin().createTopics([spec(input), spec(output)]);
  return { app, input, output };
}

function counting(input: string, output: string, store: 'memory' | 'persistent'): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(input, { key: string(), value: string() })
    .groupByKey({ key: string(), value: string() })
    .count({ materialized: { name: 'counts', store } })
    .toStream()
    .to(output, { key: string(), value: long() });
  return builder.build();
}

/** Last count of each key in the output topic. */
async function counts(output: string): Promise<Map<string, number>> {
  const result = new Map<string, number>();
  for (const { key, value } of await readAll(broker, output)) {
    result.set(key?.toString() ?? '', Number(value?.readBigInt64BE(0)));
  }
  return result;
}

function records(keys: number, rounds: number): [string, string, number][] {
  const timestampMs = Date.now();
  return Array.from({ length: keys * rounds }, (_, index) => [`k${index % keys}`, 'x'.repeat(100), timestampMs]);
}

describe('KafkaStreams on a real broker', () => {
  it('passes 50,000 records through two partitions, bytes and order unchanged', async () => {
    const { app, input, output } = await topics(2);
    const builder = new StreamsBuilder();
    builder.stream(input, { key: string(), value: string() }).to(output, { key: string(), value: string() });
    const streams = start(builder.build(), { applicationId: app });
    await streams.start();
    const given = Array.from(
      { length: 50_000 },
      (_, index) => [`key-${index % 500}`, `value-${index}`, 1_000] as const,
    );
    await produceText(broker, input, 0, given);
    await until(async () => (await readAll(broker, output)).length >= given.length, 'all records', 30_000);
    const out = await readAll(broker, output);
    expect(out).toHaveLength(given.length);
    const byKey = (list: readonly (readonly [string, string])[]) => Map.groupBy(list, ([key]) => key);
    const expected = byKey(given.map(([key, value]) => [key, value]));
    expect(byKey(out.map(({ key, value }) => [String(key), String(value)]))).toEqual(
      new Map(
        [...byKey(out.map(({ key, value }) => [String(key), String(value)])).keys()].map((key) => [
          key,
          expected.get(key),
        ]),
      ),
    );
    await streams.close();
    const committed = await broker.admin().committedOffsets(app, [{ topic: input, partition: 0 }]);
    expect(committed.get(`${input}-0`)?.offset).toBe(50_000);
  });

  it.each(['memory', 'persistent'] as const)('counts, stops, and goes on with its %s store restored', async (store) => {
    const { app, input, output } = await topics(1);
    const stateDir = stateDirectory();
    await produceText(broker, input, 0, records(100, 20));
    const first = start(counting(input, output, store), { applicationId: app, stateDir });
    await first.start();
    await until(async () => (await counts(output)).get('k99') === 20, 'twenty rounds', 20_000);
    await first.close();
    await produceText(broker, input, 0, records(100, 10));
    const second = start(counting(input, output, store), { applicationId: app, stateDir });
    await second.start();
    await until(async () => (await counts(output)).get('k99') === 30, 'ten rounds more', 20_000);
    expect(new Set((await counts(output)).values())).toEqual(new Set([30]));
    expect(await readAll(broker, output)).toHaveLength(3_000);
    expect(await readAll(broker, `${app}-counts-changelog`)).toHaveLength(3_000);
  });

  it('restores a lost local state from the changelog', async () => {
    const { app, input, output } = await topics(1);
    await produceText(broker, input, 0, records(50, 10));
    const first = start(counting(input, output, 'persistent'), { applicationId: app });
    await first.start();
    await until(async () => (await counts(output)).get('k49') === 10, 'ten rounds', 20_000);
    await first.close();
    await produceText(broker, input, 0, records(50, 1));
    const second = start(counting(input, output, 'persistent'), { applicationId: app });
    await second.start();
    await until(async () => (await counts(output)).get('k49') === 11, 'the eleventh', 20_000);
  });

  it('joins in the order of timestamps over topics, however the records arrive', async () => {
    const { app, input, output } = await topics(1);
    const tableTopic = `${app}-table`;
    await broker.admin().createTopics([{ topic: tableTopic, partitions: 1, replicationFactor: 1, configs: {} }]);
    const builder = new StreamsBuilder();
    const table = builder.table(tableTopic, { key: string(), value: string() });
    builder
      .stream(input, { key: string(), value: string() })
      .leftJoin(table, (left, right) => `${left}:${right ?? 'none'}`)
      .to(output, { key: string(), value: string() });
    const count = 20_000;
    // Each stream record is one ms younger than the table record it must meet.
    const of = (offsetMs: number) => Array.from({ length: count }, (_, i) => ['k', `${i}`, 2 * i + offsetMs] as const);
    await produceText(broker, input, 0, of(1));
    await produceText(broker, tableTopic, 0, of(0));
    const streams = start(builder.build(), { applicationId: app });
    await streams.start();
    await until(async () => (await readAll(broker, output)).length === count, 'all joins', 30_000);
    const values = (await readAll(broker, output)).map(({ value }) => String(value));
    expect(values).toEqual(Array.from({ length: count }, (_, i) => `${i}:${i}`));
  });

  it('moves tasks between two instances without losing a record', async () => {
    const { app, input, output } = await topics(4);
    const first = start(counting(input, output, 'memory'), { applicationId: app });
    await first.start();
    for (const partition of [0, 1, 2, 3]) await produceText(broker, input, partition, [[`p${partition}`, 'x', 1]]);
    await until(async () => (await counts(output)).size === 4, 'first records', 20_000);
    const second = start(counting(input, output, 'memory'), { applicationId: app });
    await second.start();
    await until(() => first.tasks.length === 2 && second.tasks.length === 2, 'two tasks each', 20_000);
    for (const partition of [0, 1, 2, 3]) await produceText(broker, input, partition, [[`p${partition}`, 'x', 2]]);
    await until(async () => [...(await counts(output)).values()].every((count) => count === 2), 'second', 20_000);
    await first.close();
    await until(() => second.tasks.length === 4 && second.state === 'RUNNING', 'all four tasks', 20_000);
    for (const partition of [0, 1, 2, 3]) await produceText(broker, input, partition, [[`p${partition}`, 'x', 3]]);
    await until(async () => [...(await counts(output)).values()].every((count) => count === 3), 'third', 20_000);
    expect(await readAll(broker, output)).toHaveLength(12);
  }, 120_000);

  it('loses nothing when its process is killed again and again', async () => {
    const { app, input, output } = await topics(1);
    const stateDir = stateDirectory();
    const rounds = 6;
    const startChild = async (): Promise<ChildProcess> => {
      const child = fork(childPath, [stack.bootstrapServers, app, input, output, stateDir]);
      children.push(child);
      const [message] = await once(child, 'message');
      expect(message).toBe('running');
      return child;
    };
    for (let round = 0; round < rounds; round += 1) {
      const child = await startChild();
      await produceText(broker, input, 0, records(50, 20));
      await new Promise((resolve) => setTimeout(resolve, 40 + round * 35));
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await startChild();
    const total = 20 * rounds;
    await until(
      async () => {
        const lowest = Math.min(...(await counts(output)).values());
        return lowest >= total;
      },
      `every key counted ${total} times`,
      60_000,
    );
    const final = await counts(output);
    expect(final.size).toBe(50);
    // At least once: what was in flight at a kill may be counted again, no more than that.
    for (const count of final.values()) expect(count).toBeLessThanOrEqual(total + rounds * 20);
  }, 180_000);
});
