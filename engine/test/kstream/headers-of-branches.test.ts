import { describe, expect, it } from 'vitest';
import { JoinWindows, type KStream, type Processor, type Record, StreamsBuilder, string } from '../../src/index.ts';
import { TopologyTestDriver } from '../../src/testing/index.ts';

type Texts = KStream<string, string>;

/** Changes the headers of every record and hands it on. */
const changesHeaders = (): Processor<string, string, string, string> => {
  let forward: (record: Record<string, string>) => void = () => {};
  return {
    init: (context) => {
      forward = (record) => context.forward(record);
    },
    process: (record) => {
      record.headers.add('changed', 'yes');
      forward(record);
    },
  };
};

const passes = (): Processor<string, string, string, string> => {
  let forward: (record: Record<string, string>) => void = () => {};
  return {
    init: (context) => {
      forward = (record) => context.forward(record);
    },
    process: (record) => forward(record),
  };
};

/** Headers of the second branch, after the first one, below `above`, changed its own. */
async function seenBeside(above: (stream: Texts) => Texts): Promise<readonly string[]> {
  const builder = new StreamsBuilder();
  const stream = builder.stream('in', { key: string(), value: string() });
  above(stream).process(changesHeaders).to('o1', { key: string(), value: string() });
  stream.to('o2');
  const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app', statestoreCacheMaxBytes: 0 });
  driver.createInputTopic('in', string(), string()).pipeInput('k', 'v', 0, [{ key: 'own', value: Buffer.from('0') }]);
  const changed = driver.readRaw('o1').map(({ headers }) => headers.map(({ key }) => key).join());
  expect(changed.length).toBeGreaterThan(0);
  for (const keys of changed) expect(keys).toMatch(/^own,changed/);
  const seen = driver.readRaw('o2')[0]?.headers.map(({ key }) => key) ?? [];
  await driver.close();
  return seen;
}

describe('E7: headers that one branch changes', () => {
  // What Kafka Streams 4.3.1's own driver shows.
  it.each<[string, (stream: Texts) => Texts]>([
    ['mapValues', (s) => s.mapValues((v) => v)],
    ['map', (s) => s.map((k, v) => [k, v])],
    ['selectKey', (s) => s.selectKey((k) => k)],
    ['flatMap', (s) => s.flatMap((k, v) => [[k, v]])],
    ['flatMapValues', (s) => s.flatMapValues((v) => [v])],
    ['filter', (s) => s.filter(() => true)],
    ['filterNot', (s) => s.filterNot(() => false)],
    ['peek', (s) => s.peek(() => {})],
    ['processValues', (s) => s.processValues(passes)],
    [
      'count',
      (s) =>
        s
          .groupByKey()
          .count()
          .toStream()
          .mapValues((n) => `${n}`),
    ],
    ['toTable', (s) => s.toTable().toStream()],
    [
      'a join of streams',
      (s) => s.join(s, (l, r) => l + r, JoinWindows.ofTimeDifferenceWithNoGrace(1), { key: string(), value: string() }),
    ],
  ])('below %s are its own', async (_name, above) => {
    expect(await seenBeside(above)).toEqual(['own']);
  });

  it.each<[string, (stream: Texts) => Texts]>([
    ['the source itself', (s) => s],
    ['merge', (s) => s.merge(s.filter(() => false))],
    ['process', (s) => s.process(passes)],
  ])('below %s are shared', async (_name, above) => {
    expect(await seenBeside(above)).toEqual(['own', 'changed']);
  });

  it('are shared by the children of one operation, in their order', async () => {
    const builder = new StreamsBuilder();
    const mapped = builder.stream('in', { key: string(), value: string() }).mapValues((value) => value);
    const produced = { key: string(), value: string() };
    mapped.process(changesHeaders).to('o1', produced);
    mapped.to('o2', produced);
    mapped
      .filter(() => true)
      .process(changesHeaders)
      .to('o3', produced);
    mapped.to('o4', produced);
    const driver = new TopologyTestDriver(builder.build(), { applicationId: 'app' });
    driver.createInputTopic('in', string(), string()).pipeInput('k', 'v', 0);
    const counts = ['o1', 'o2', 'o3', 'o4'].map((topic) => driver.readRaw(topic)[0]?.headers.length);
    expect(counts).toEqual([1, 1, 2, 1]);
    await driver.close();
  });
});
