import { string, type Topology } from '../src/index.ts';
import type { KeyValueStore } from '../src/state/key-value-store.ts';
import { PlainKeyValueStore, TimestampedStore } from '../src/state/metered-key-value-store.ts';
import type { StateStore } from '../src/state/state-store.ts';
import { TopologyTestDriver } from '../src/testing/index.ts';
import { internalTopicsText } from './internal-topics-text.ts';
import type { Observation, WrittenRecord } from './observation.ts';
import type { Medium, NamedTopology, Params } from './topologies/family.ts';
import type { Step, StoreEntry } from './vectors.ts';

/** A run as far as the engine needs it. */
export interface RunInput {
  readonly params: Params;
  readonly steps: readonly Step[];
}

/**
 * Runs the steps through our engine and notes all that can be seen. `storeNames`: the key-value stores to look into at the end.
 * An error while building or running is part of what is seen.
 */
export async function observe(
  named: Pick<NamedTopology, 'build'>,
  run: RunInput,
  medium: Medium,
  storeNames: readonly string[],
): Promise<Observation> {
  let topology: Topology;
  try {
    topology = named.build(run.params, medium);
  } catch (error) {
    return { error: messageOf(error) };
  }
  const seen = { describe: String(topology.describe()), internalTopics: internalTopicsText(topology.resolve('app')) };
  const driver = new TopologyTestDriver(topology, { applicationId: 'app', ...settings(run.params) });
  try {
    return { ...seen, records: play(driver, run.steps), stores: storesOf(driver, storeNames) };
  } catch (error) {
    return { ...seen, error: messageOf(error) };
  } finally {
    await driver.close();
  }
}

/** The configuration under which topologies are compared: no cache, no throttles, unless a parameter says so. */
export function settings(params: Params): {
  statestoreCacheMaxBytes: number;
  windowEmitIntervalMs: number;
  outerJoinEmitIntervalMs: number;
} {
  return {
    statestoreCacheMaxBytes: params['cacheBytes'] ?? 0,
    windowEmitIntervalMs: params['windowEmitIntervalMs'] ?? 0,
    outerJoinEmitIntervalMs: params['outerJoinEmitIntervalMs'] ?? 0,
  };
}

function play(driver: TopologyTestDriver, steps: readonly Step[]): WrittenRecord[] {
  const records: WrittenRecord[] = [];
  const changelogsRead = new Map<string, number>();
  for (const [step, input] of steps.entries()) {
    try {
      if ('advanceWallClockMs' in input) driver.advanceWallClockTimeMs(input.advanceWallClockMs);
      else {
        driver.createInputTopic(input.topic, string(), string()).pipeInput(input.key, input.value, input.timestamp);
      }
    } catch (error) {
      throw new Error(`step ${step}: ${messageOf(error)}`, { cause: error });
    }
    for (const topic of [...driver.producedTopicNames].sort()) {
      const changes = driver.readChangelog(topic);
      const from = changelogsRead.get(topic) ?? 0;
      changelogsRead.set(topic, changes.length);
      for (const record of changes.slice(from)) records.push(inHex(step, topic, record));
      for (const record of driver.readRaw(topic)) records.push(inHex(step, topic, record));
    }
  }
  return records;
}

interface Captured {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestampMs: number | null;
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[];
}

function inHex(step: number, topic: string, { key, value, timestampMs, headers }: Captured): WrittenRecord {
  return {
    step,
    topic,
    keyHex: key?.toString('hex') ?? null,
    valueHex: value?.toString('hex') ?? null,
    timestamp: timestampMs,
    ...(headers.length === 0
      ? {}
      : { headers: headers.map((each) => ({ key: each.key, valueHex: each.value?.toString('hex') ?? null })) }),
  };
}

function storesOf(driver: TopologyTestDriver, names: readonly string[]): NonNullable<Observation['stores']> {
  const stores: { [name: string]: StoreEntry[] } = {};
  for (const name of names) {
    const store = findStore(driver, name);
    // The waiting records of outer joins are a key-value store in Kafka Streams; their changelog is compared.
    if (!(store instanceof PlainKeyValueStore) && !(store instanceof TimestampedStore)) continue;
    stores[name] = [...(store as KeyValueStore<string, unknown>).all()].map(({ key, value }) => {
      if (typeof value === 'string' || typeof value === 'number') return { key, value };
      const { value: inner, timestampMs } = value as { value: string | number; timestampMs: number };
      return { key, value: inner, timestamp: timestampMs };
    });
  }
  return stores;
}

/** Undefined where our topology has no such store: its description tells. */
function findStore(driver: TopologyTestDriver, name: string): StateStore | undefined {
  try {
    return driver.getStateStore(name);
  } catch {
    return undefined;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
