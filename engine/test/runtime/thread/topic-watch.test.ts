import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { resolveConfig } from '../../../src/base/default-config.ts';
import type { BrokerAdmin } from '../../../src/broker/broker.ts';
import { TopicWatch } from '../../../src/runtime/thread/topic-watch.ts';
import { string } from '../../../src/serde/primitives.ts';
import { Topology } from '../../../src/topology/topology.ts';

it('looks for topics of a pattern one look at a time, however often it shall and long it takes', async () => {
  const config = resolveConfig({ applicationId: 'app', metadataMaxAgeMs: 0 });
  let looks = 0;
  const answers: (() => void)[] = [];
  const admin = {
    topics: () => {
      looks += 1;
      return new Promise((resolve) => answers.push(() => resolve(['in-a'])));
    },
    partitionCounts: async () => new Map([['in-a', 1]]),
  };
  const topology = new Topology().addSource('source', /^in-/, { key: string(), value: string() });
  const failures: Error[] = [];
  const watch = new TopicWatch({
    config,
    resolved: topology.resolve('app'),
    admin: () => admin as unknown as BrokerAdmin,
    layout: { partitionCounts: new Map(), sourceTopics: ['in-a'] },
    onLayout: () => undefined,
    onChange: () => undefined,
    onFailure: (error) => failures.push(error),
  });
  for (const expected of [1, 2, 3]) {
    for (let turns = 0; turns < 5; turns += 1) {
      watch.lookIfDue();
      await turn();
    }
    expect(looks).toBe(expected);
    answers.pop()?.();
    await turn();
  }
  expect(failures).toEqual([]);
});
