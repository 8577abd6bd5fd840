import { afterEach, expect, it } from 'vitest';
import { DeserializationError } from '../../../src/base/errors.ts';
import { KafkaStreams } from '../../../src/kafka-streams.ts';
import { StreamsBuilder } from '../../../src/kstream/streams-builder.ts';
import { string } from '../../../src/serde/primitives.ts';
import type { Serde } from '../../../src/serde/serde.ts';
import { brokerOf, newCluster, produceText, readAll, until } from '../../support/memory-cluster-harness.ts';

let streams: KafkaStreams | undefined;

afterEach(async () => {
  await streams?.close();
});

it('pauses a partition while schemas are out of reach, keeps its order, and lets the others go on', async () => {
  const cluster = newCluster();
  const broker = brokerOf(cluster);
  const spec = (topic: string) => ({ topic, partitions: 2, replicationFactor: 1, configs: {} });
  await broker.admin().createTopics([spec('in'), spec('out')]);
  let registryIsUp = false;
  let known = false;
  let attempts = 0;
  const text = string();
  // Values that begin with '?' need a schema that has to be fetched first.
  const serde: Serde<string> = {
    format: 'prepared',
    serialize: (value, topic) => text.serialize(value, topic),
    deserialize(buffer, start, end, topic) {
      const value = text.deserialize(buffer, start, end, topic);
      if (value.startsWith('?') && !known) throw new DeserializationError('decoded before its schema was there');
      return value;
    },
    prepare(batch, side) {
      if (side === 'key' || known || batch.partition !== 1) return undefined;
      attempts += 1;
      return registryIsUp
        ? Promise.resolve().then(() => {
            known = true;
          })
        : Promise.reject(new Error('registry is down'));
    },
  };
  const builder = new StreamsBuilder();
  builder
    .stream('in', { key: string(), value: serde })
    .mapValues((value) => `${value}!`)
    .to('out', { key: string(), value: string() });
  streams = new KafkaStreams(builder.build(), {
    applicationId: 'app',
    broker: brokerOf(cluster),
    commitIntervalMs: 10,
    pollMs: 10,
  });
  await streams.start();
  await produceText(broker, 'in', 1, [['a', '?1']]);
  await until(() => attempts >= 2, 'two attempts');
  await produceText(broker, 'in', 1, [['a', '?2']]);
  await produceText(broker, 'in', 0, [['b', 'plain']]);
  await until(async () => (await readAll(broker, 'out')).length === 1, 'the other partition');
  const committed = await broker.admin().committedOffsets('app', [{ topic: 'in', partition: 1 }]);
  expect(committed.get('in-1')?.offset ?? 0).toBe(0);
  expect(streams.state).toBe('RUNNING');
  registryIsUp = true;
  await until(async () => (await readAll(broker, 'out')).length === 3, 'everything');
  const values = (await readAll(broker, 'out'))
    .filter(({ key }) => String(key) === 'a')
    .map(({ value }) => String(value));
  expect(values).toEqual(['?1!', '?2!']);
});
