import { long, type Serde, sessionWindowed, string, type Windowed, windowed } from '../src/index.ts';
import { type CapturedChange, type CapturedRecord, TopologyTestDriver } from '../src/testing/index.ts';
import type { Medium, NamedTopology } from './topologies/family.ts';
import type { ExpectedOutput, Run, StoreEntry } from './vectors.ts';

export interface Outcome {
  readonly outputs: readonly ExpectedOutput[];
  readonly stores: { readonly [name: string]: readonly StoreEntry[] };
  /** Everything written to internal topics, in order of topic and time. */
  readonly internal: readonly {
    readonly step: number;
    readonly topic: string;
    readonly keyHex: string | null;
    readonly valueHex: string | null;
    /** Null: the producer's wall clock. */
    readonly timestamp: number | null;
    readonly headers?: readonly { readonly key: string; readonly valueHex: string | null }[];
  }[];
}

/** Runs the steps of a vector through our engine and gathers what the vector says about Kafka Streams. */
export async function runVector(named: NamedTopology, run: Run, store: Medium): Promise<Outcome> {
  const topology = named.build(run.params, store);
  const driver = new TopologyTestDriver(topology, {
    applicationId: 'app',
    windowEmitIntervalMs: 0,
    outerJoinEmitIntervalMs: 0,
  });
  const outputs: ExpectedOutput[] = [];
  const internal: Outcome['internal'][number][] = [];
  const changelogsRead = new Map<string, number>();
  const decode = decoder(named, run);
  try {
    for (const [step, input] of run.steps.entries()) {
      if ('advanceWallClockMs' in input) driver.advanceWallClockTimeMs(input.advanceWallClockMs);
      else {
        driver.createInputTopic(input.topic, string(), string()).pipeInput(input.key, input.value, input.timestamp);
      }
      for (const topic of [...driver.producedTopicNames].sort()) {
        if (topic.endsWith('-changelog')) {
          for (const record of newChanges(driver, topic, changelogsRead)) internal.push(inHex(step, record));
          continue;
        }
        for (const record of driver.readRaw(topic)) {
          if (topic.startsWith('app-')) internal.push(inHex(step, record));
          else outputs.push({ step, topic, ...decode(record) });
        }
      }
    }
    return { outputs, internal, stores: storesOf(named, run, driver) };
  } finally {
    await driver.close();
  }
}

function inHex(step: number, record: CapturedChange): Outcome['internal'][number] {
  const { topic, key, value, timestampMs, headers } = record;
  const bytes = {
    step,
    topic,
    keyHex: key?.toString('hex') ?? null,
    valueHex: value?.toString('hex') ?? null,
    timestamp: timestampMs,
  };
  if (headers.length === 0) return bytes;
  return {
    ...bytes,
    headers: headers.map((each) => ({ key: each.key, valueHex: each.value?.toString('hex') ?? null })),
  };
}

function newChanges(driver: TopologyTestDriver, topic: string, read: Map<string, number>): readonly CapturedChange[] {
  const all = driver.readChangelog(topic);
  const from = read.get(topic) ?? 0;
  read.set(topic, all.length);
  return all.slice(from);
}

function decoder(
  { output }: NamedTopology,
  run: Run,
): (record: CapturedRecord) => Omit<ExpectedOutput, 'step' | 'topic'> {
  const value: Serde<string | number> =
    output?.value === 'long' ? (long() as Serde<string | number>) : (string() as Serde<string | number>);
  const format = output?.key;
  const windowedKey =
    format?.kind === 'time'
      ? windowed(string(), run.params[format.sizeParam] as number)
      : format?.kind === 'session'
        ? sessionWindowed(string())
        : undefined;
  return (record) => {
    const decoded = record.value === null ? null : read(value, record.value);
    const timestamp = record.timestampMs;
    if (windowedKey === undefined || record.key === null) {
      return { key: record.key === null ? null : read(string(), record.key), value: decoded, timestamp };
    }
    const { key, window }: Windowed<string> = read(windowedKey, record.key);
    return { key, windowStart: window.startMs, windowEnd: window.endMs, value: decoded, timestamp };
  };
}

function read<T>(serde: Serde<T>, bytes: Buffer): T {
  return serde.deserialize(bytes, 0, bytes.length, 'out');
}

function storesOf(named: NamedTopology, run: Run, driver: TopologyTestDriver): Outcome['stores'] {
  const stores: { [name: string]: StoreEntry[] } = {};
  for (const [name, expected] of Object.entries(run.stores)) {
    const withTime = !named.plainStores?.includes(name);
    const entries = [...driver.getKeyValueStore<string, unknown>(name).all()];
    stores[name] = entries.map(({ key, value }) => {
      if (!withTime) return { key, value: value as string };
      const { value: inner, timestampMs } = value as { value: string | number; timestampMs: number };
      return { key, value: inner, timestamp: timestampMs };
    });
    if (expected.length === 0 && entries.length === 0) stores[name] = [];
  }
  return stores;
}
