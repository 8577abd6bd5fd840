import { readFileSync } from 'node:fs';
import { topicSpecs } from '@chip-quality/schemas';
import { expect, it } from 'vitest';

it('Strimzi creates the very topics that the applications expect', () => {
  const text = readFileSync(new URL('../../deploy/strimzi/topics.yaml', import.meta.url), 'utf8');
  const deployed = text.split(/^---$/m).map((document) => ({
    topic: /^ {2}topicName: (\S+)$/m.exec(document)?.[1],
    name: /^ {2}name: (\S+)$/m.exec(document)?.[1],
    partitions: Number(/^ {2}partitions: (\d+)$/m.exec(document)?.[1]),
    configs: Object.fromEntries(
      [...document.matchAll(/^ {4}([a-z.]+): (\S+)$/gm)].map(([, key, value]) => [key, value]),
    ),
  }));
  expect(deployed).toEqual(
    topicSpecs.map(({ topic, partitions, configs }) => ({
      topic,
      name: topic,
      partitions,
      configs: { ...configs, 'min.insync.replicas': '2' },
    })),
  );
});
