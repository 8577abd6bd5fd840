import { describe, expect, test } from 'vitest';
import { type Processor, Stores, string, Topology, TopologyError } from '../../src/index.ts';

const strings = { key: string(), value: string() };
const pass = (): Processor => ({ process() {} });
const store = (name: string) => Stores.keyValueStoreBuilder({ name, ...strings, store: 'memory' });
const chain = () => new Topology().addSource('src', 'in', strings).addProcessor('proc', pass, 'src');

describe('a topology refuses', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['two nodes of one name', () => chain().addProcessor('proc', pass, 'src'), /Node proc exists already/],
    [
      'a topic with two sources',
      () => chain().addSource('other', 'in', strings),
      /Topic in of source other is read by source src/,
    ],
    [
      'a topic that a pattern covers',
      () => new Topology().addSource('all', /^in/, strings).addSource('one', 'in', strings),
      /matches the pattern of source all/,
    ],
    ['a source without topics', () => new Topology().addSource('src', [], strings), /reads no topic/],
    ['a node without parents', () => chain().addProcessor('p', pass, []), /has no parent/],
    ['an unknown parent', () => chain().addSink('sink', 'out', 'prok', strings), /Parent prok of node sink is unknown/],
    [
      'a sink as parent',
      () => chain().addSink('sink', 'out', 'proc', strings).addProcessor('p', pass, 'sink'),
      /Sink sink can't be the parent of p/,
    ],
    ['a node as its own parent', () => chain().addProcessor('p', pass, 'p'), /can't be its own parent/],
    ['an unknown store', () => chain().connectProcessorAndStateStores('proc', 'st'), /Store st is unknown/],
    [
      'a store on a source',
      () => chain().addStateStore(store('st'), 'src'),
      /Node src is a source: only processors have stores/,
    ],
    [
      'two stores of one name',
      () => chain().addStateStore(store('st'), 'proc').addStateStore(store('st'), 'proc'),
      /Store st was added already/,
    ],
    [
      'a store that nobody uses',
      () => chain().addStateStore(store('st')).resolve('app'),
      /Store st is connected to no processor/,
    ],
    ['an illegal name', () => chain().addProcessor('a b', pass, 'src'), /Node name "a b" is not legal/],
    [
      'a global store that logs',
      () =>
        new Topology().addGlobalStore({
          store: store('g'),
          sourceName: 's',
          topic: 't',
          ...strings,
          processorName: 'p',
          supplier: pass as never,
        }),
      /must not log/,
    ],
  ])('%s', (_what, build, message) => {
    expect(build).toThrow(TopologyError);
    expect(build).toThrow(message);
  });
});

describe('resolve', () => {
  test('joins sub-topologies that share a store', () => {
    const shared = store('shared');
    const topology = new Topology()
      .addSource('a', 'in-a', strings)
      .addSource('b', 'in-b', strings)
      .addProcessor('pa', pass, 'a')
      .addProcessor('pb', pass, 'b')
      .addStateStore(shared, 'pa', 'pb');
    const { subTopologies } = topology.resolve('app');
    expect(subTopologies).toHaveLength(1);
    expect(subTopologies[0]?.sourceTopics).toEqual(['in-a', 'in-b']);
    expect(subTopologies[0]?.stores.map((entry) => entry.changelogTopic)).toEqual(['app-shared-changelog']);
  });

  test('numbers sub-topologies in the order of their first nodes', () => {
    const topology = new Topology()
      .addSource('z', 'in-z', strings)
      .addSource('a', 'in-a', strings)
      .addProcessor('p2', pass, 'a')
      .addProcessor('p1', pass, 'z');
    expect(topology.resolve('app').subTopologies.map((part) => [part.id, ...part.sourceTopics])).toEqual([
      [0, 'in-z'],
      [1, 'in-a'],
    ]);
  });

  test('puts parents before children', () => {
    const topology = chain().addProcessor('next', pass, 'proc').addSink('sink', 'out', ['next', 'proc'], strings);
    const names = topology.resolve('app').subTopologies[0]?.nodes.map((node) => node.name);
    expect(names).toEqual(['src', 'proc', 'next', 'sink']);
  });

  test('gives changelogs the configuration of their stores', () => {
    const windows = Stores.windowStoreBuilder({
      name: 'w',
      ...strings,
      windowSizeMs: 10,
      retentionMs: 100,
      store: 'memory',
      loggingConfig: { 'segment.bytes': '1000' },
    });
    const joinWindows = Stores.windowStoreBuilder({
      name: 'j',
      ...strings,
      windowSizeMs: 10,
      retentionMs: 100,
      retainDuplicates: true,
    });
    const unlogged = Stores.keyValueStoreBuilder({ name: 'u', ...strings, loggingEnabled: false });
    const topology = chain()
      .addStateStore(windows, 'proc')
      .addStateStore(joinWindows, 'proc')
      .addStateStore(unlogged, 'proc');
    const part = topology.resolve('app').subTopologies[0];
    expect(
      part?.internalTopics.map(({ topic, configs }) => [topic, configs['cleanup.policy'], configs['retention.ms']]),
    ).toEqual([
      ['app-w-changelog', 'compact,delete', '86400100'],
      ['app-j-changelog', 'delete', '86400100'],
    ]);
    expect(part?.internalTopics[0]?.configs['segment.bytes']).toBe('1000');
    expect(part?.stores.find((entry) => entry.builder === unlogged)?.changelogTopic).toBeUndefined();
  });

  test('keeps global stores out of the sub-topologies', () => {
    const global = Stores.keyValueStoreBuilder({ name: 'g', ...strings, loggingEnabled: false });
    const topology = chain().addGlobalStore({
      store: global,
      sourceName: 'gs',
      topic: 'gt',
      ...strings,
      processorName: 'gp',
      supplier: pass as never,
    });
    const resolved = topology.resolve('app');
    expect(resolved.globalStores.map((spec) => spec.topic)).toEqual(['gt']);
    expect(resolved.subTopologies.flatMap((part) => part.sourceTopics)).toEqual(['in']);
  });
});

test('describes sources with several topics, patterns, stores and chosen topics', () => {
  const topology = new Topology()
    .addSource('src', ['b', 'a'], strings)
    .addSource('rest', /^x-.*/, strings)
    .addProcessor('proc', pass, ['src', 'rest'])
    .addStateStore(store('s2'), 'proc')
    .addStateStore(store('s1'), 'proc')
    .addSink(
      'sink',
      function chooseTopic() {
        return 'out';
      },
      'proc',
      strings,
    );
  const text = String(topology.describe());
  expect(text).toContain('Source: src (topics: [a, b])');
  expect(text).toContain('Source: rest (topics: ^x-.*)');
  expect(text).toContain('Processor: proc (stores: [s1, s2])');
  expect(text).toContain('Sink: sink (extractor class: chooseTopic)');
});
