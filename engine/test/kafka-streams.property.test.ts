import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KafkaStreams } from '../src/kafka-streams.ts';
import { StreamsBuilder } from '../src/kstream/streams-builder.ts';
import { long, string } from '../src/serde/primitives.ts';
import type { Topology } from '../src/topology/topology.ts';
import { brokerOf, newCluster, produceText, readAll, until } from './support/memory-cluster-harness.ts';

const PARTITIONS = 3;

/** Asynchronous calls in any order, a repartition, a count: everything that may lose a record in a crash. */
function topology(): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream('in', { key: string(), value: string() })
    .mapAsync(
      async ({ value }) => {
        await new Promise((resolve) => setTimeout(resolve, value.length % 3));
        return value;
      },
      { concurrency: 4, ordered: 'none' },
    )
    .groupBy((_key, value) => value, { key: string(), value: string(), name: 'by-value' })
    .count({ materialized: { name: 'counts', store: 'memory' } })
    .toStream()
    .to('out', { key: string(), value: long() });
  return builder.build();
}

type Step = 'produce' | 'start' | 'crash' | 'close' | 'wait';

it('loses no record and repeats none without a crash, whichever instances start, crash and leave', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Step>('produce', 'produce', 'start', 'start', 'crash', 'close', 'wait'), {
        minLength: 4,
        maxLength: 14,
      }),
      // Without caches, with caches that evict all the time, and with such that wait for the commit.
      fc.constantFrom(0, 300, 10_485_760),
      async (steps, statestoreCacheMaxBytes) => {
        const cluster = newCluster();
        const broker = brokerOf(cluster);
        const spec = (topic: string) => ({ topic, partitions: PARTITIONS, replicationFactor: 1, configs: {} });
        await broker.admin().createTopics([spec('in'), spec('out')]);
        const stateDir = mkdtempSync(join(tmpdir(), 'millrace-property-'));
        const instances: KafkaStreams[] = [];
        const failures: Error[] = [];
        let produced = 0;
        const start = async (): Promise<void> => {
          const streams = new KafkaStreams(topology(), {
            applicationId: 'app',
            broker: brokerOf(cluster),
            stateDir: join(stateDir, String(instances.length)),
            commitIntervalMs: 5,
            statestoreCacheMaxBytes,
            pollMs: 5,
            heartbeatIntervalMs: 10,
            sessionTimeoutMs: 10_000,
          });
          streams.onStateChange(() => {
            if (streams.failure !== undefined) failures.push(streams.failure);
          });
          instances.push(streams);
          await streams.start();
        };
        try {
          for (const step of steps) {
            if (step === 'produce') {
              for (let partition = 0; partition < PARTITIONS; partition += 1) {
                const records = Array.from({ length: 10 }, () => ['k', `value-${produced++}`] as const);
                await produceText(broker, 'in', partition, records);
              }
            } else if (step === 'start' && instances.length < 3) await start();
            else if (step === 'crash') await instances.shift()?.abandon();
            else if (step === 'close') await instances.shift()?.close();
            else await new Promise((resolve) => setTimeout(resolve, 7));
          }
          if (instances.length === 0) await start();
          const seen = async () => new Set((await readAll(broker, 'out')).map(({ key }) => String(key)));
          await until(async () => (await seen()).size === produced, `all ${produced} values counted`);
          expect(failures).toEqual([]);
          // Without a crash nothing is repeated either: what was in flight is finished and committed before a task moves.
          if (!steps.includes('crash')) expect(await readAll(broker, 'out')).toHaveLength(produced);
        } finally {
          await Promise.all(instances.map((streams) => streams.close()));
          rmSync(stateDir, { recursive: true, force: true });
        }
      },
    ),
    { numRuns: 20 },
  );
}, 120_000);
