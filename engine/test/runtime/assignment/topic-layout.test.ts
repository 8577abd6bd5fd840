import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import type { Record } from '../../../src/processor/record.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { KeyValueStore } from '../../../src/state/key-value-store.ts';
import { Stores } from '../../../src/state/stores.ts';
import { Topology } from '../../../src/topology/topology.ts';
import { collect } from '../../support/collect.ts';
import { brokerOf, produceText, until } from '../../support/memory-cluster-harness.ts';
import { clusterWith, newDirectory, processing, streamsOn, wantingStore } from '../../support/streams-harness.ts';

describe('a rebalance', () => {
  const collecting = (source: string | RegExp, seen: Set<string>): Topology =>
    new Topology().addSource('source', source, { key: string(), value: string() }).addProcessor(
      'processor',
      () => ({
        process({ value }: Record<string, string>) {
          seen.add(value);
        },
      }),
      'source',
    );

  it('hands out topics that match a pattern since the others started', async () => {
    const cluster = await clusterWith({ 'in-a': 1 });
    const seen = new Set<string>();
    const first = streamsOn(brokerOf(cluster), collecting(/^in-/g, seen));
    await first.start();
    cluster.createTopic('in-b', 2);
    cluster.createTopic('__in-c', 1);
    const second = streamsOn(brokerOf(cluster), collecting(/^in-/g, seen));
    await second.start();
    await produceText(brokerOf(cluster), 'in-a', 0, [['k', 'a0']]);
    await produceText(brokerOf(cluster), 'in-b', 0, [['k', 'b0']]);
    await produceText(brokerOf(cluster), 'in-b', 1, [['k', 'b1']]);
    await until(() => seen.size === 3, 'a record of each partition');
  });

  it('finds topics that match a pattern while it runs, every metadataMaxAgeMs', async () => {
    const cluster = await clusterWith({ 'in-a': 1 });
    const seen = new Set<string>();
    const streams = streamsOn(brokerOf(cluster), collecting(/^in-/, seen), { metadataMaxAgeMs: 50 });
    await streams.start();
    cluster.createTopic('in-b', 1);
    await produceText(brokerOf(cluster), 'in-b', 0, [['k', 'b0']]);
    await until(() => seen.size === 1, 'the record of the new topic');
  });

  it('hands out partitions that a topic got since its readers started', async () => {
    const cluster = await clusterWith({ in: 1 });
    const seen = new Set<string>();
    const first = streamsOn(brokerOf(cluster), collecting('in', seen));
    await first.start();
    cluster.deleteTopic('in');
    cluster.createTopic('in', 4);
    await streamsOn(brokerOf(cluster), collecting('in', seen)).start();
    for (let partition = 0; partition < 4; partition += 1) {
      await produceText(brokerOf(cluster), 'in', partition, [['k', `${partition}`]]);
    }
    await until(() => seen.size === 4, 'a record of each partition');
  });

  it('stops an instance with state when a topic got more partitions than its changelog has', async () => {
    const cluster = await clusterWith({ in: 1 });
    const counting = (): Topology => {
      const builder = new StreamsBuilder();
      builder
        .stream('in', { key: string(), value: string() })
        .groupByKey()
        .count({ materialized: { name: 'counts', store: 'memory' } });
      return builder.build();
    };
    const first = streamsOn(brokerOf(cluster), counting());
    await first.start();
    cluster.deleteTopic('in');
    cluster.createTopic('in', 4);
    const rebalancing = streamsOn(brokerOf(cluster), collecting('in', new Set()));
    await rebalancing.start();
    await until(() => first.state === 'ERROR', 'the error state');
    expect(first.failure?.message).toMatch(/app-counts-changelog has 1 partitions where the topology needs 4/);
  });
});

describe('a global store', () => {
  it('keeps no more in memory than it wants to', async () => {
    const cluster = await clusterWith({ in: 1, names: 1 });
    const store = wantingStore('names');
    const topology = processing(() => {}).addGlobalStore({
      store: store.builder,
      sourceName: 'names-source',
      topic: 'names',
      key: string(),
      value: string(),
      processorName: 'names-processor',
      supplier: () => ({
        process() {
          store.writes += 1;
        },
      }),
    });
    await produceText(brokerOf(cluster), 'names', 0, [
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'x'],
    ]);
    await streamsOn(brokerOf(cluster), topology).start();
    expect(store.commits).toBe(1);
  });

  it('is filled from its topic alone, whatever an earlier run left on disk', async () => {
    const cluster = await clusterWith({ in: 1, names: 1 });
    const stateDir = newDirectory();
    const builder = new StreamsBuilder();
    builder.globalTable('names', {
      key: string(),
      value: string(),
      materialized: { name: 'names', store: 'persistent' },
    });
    builder.stream('in', { key: string(), value: string() }).foreach(() => {});
    const topology = builder.build();
    mkdirSync(join(stateDir, 'app', 'global', 'names'), { recursive: true });
    writeFileSync(join(stateDir, 'app', 'global', 'names', 'data.mdb'), 'not lmdb');
    await produceText(brokerOf(cluster), 'names', 0, [['a', 'Ada']]);
    const streams = streamsOn(brokerOf(cluster), topology, { stateDir });
    await streams.start();
    expect(await collect(streams.keyValueStore('names').all())).toHaveLength(1);
  });

  it('passes no record over when its thread is replaced after an error', async () => {
    const cluster = await clusterWith({ in: 1, names: 1 });
    let failures = 1;
    const store = Stores.keyValueStoreBuilder({
      name: 'names',
      key: string(),
      value: string(),
      store: 'memory',
      loggingEnabled: false,
    });
    const topology = processing(() => {}).addGlobalStore({
      store,
      sourceName: 'names-source',
      topic: 'names',
      key: string(),
      value: string(),
      processorName: 'names-processor',
      supplier: () => {
        let names: KeyValueStore<string, string>;
        return {
          init(context) {
            names = context.getStateStore('names');
          },
          process({ key, value }) {
            if (key === 'b' && failures > 0) {
              failures -= 1;
              throw new Error('once');
            }
            names.put(key, value);
          },
        };
      },
    });
    const streams = streamsOn(brokerOf(cluster), topology);
    streams.setUncaughtExceptionHandler(() => 'replace-thread');
    await streams.start();
    await produceText(brokerOf(cluster), 'names', 0, [
      ['a', 'Ada'],
      ['b', 'Bob'],
    ]);
    const names = streams.keyValueStore<string, string>('names');
    const both = async () => (await names.get('a')) === 'Ada' && (await names.get('b')) === 'Bob';
    await until(both, 'both names', 5_000);
  });
});
