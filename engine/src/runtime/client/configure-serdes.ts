import type { Serde, SerdeUse } from '../../serde/serde.ts';
import type { ResolvedTopology } from '../../topology/nodes.ts';

/**
 * Lets every serde prepare itself for the topics it is used on (schemas are registered before the first record). Sinks that choose
 * their topic by record are left to the serde's first use. Rejects when a registry refuses.
 */
export async function configureSerdes(resolved: ResolvedTopology): Promise<void> {
  const work: Promise<void>[] = [];
  const configure = (keySerde: Serde<unknown>, valueSerde: Serde<unknown>, use: Omit<SerdeUse, 'side'>): void => {
    const key = keySerde.configure?.({ ...use, side: 'key' });
    const value = valueSerde.configure?.({ ...use, side: 'value' });
    if (key !== undefined) work.push(key);
    if (value !== undefined) work.push(value);
  };
  for (const { nodes, stores } of resolved.subTopologies) {
    for (const node of nodes) {
      if (node.type === 'source') {
        for (const topic of node.topics) {
          configure(node.keySerde, node.valueSerde, { topic, reads: true, writes: false });
        }
      } else if (node.type === 'sink' && typeof node.topic === 'string') {
        configure(node.keySerde, node.valueSerde, { topic: node.topic, reads: false, writes: true });
      }
    }
    for (const { builder, changelogTopic, changelogIsSource } of stores) {
      // A source topic is not ours to register schemas for; its source node prepares the reading.
      if (changelogTopic === undefined || changelogIsSource || !('keySerde' in builder) || !('valueSerde' in builder))
        continue;
      const { keySerde, valueSerde } = builder as { keySerde: Serde<unknown>; valueSerde: Serde<unknown> };
      configure(keySerde, valueSerde, { topic: changelogTopic, reads: true, writes: true });
    }
  }
  for (const { source } of resolved.globalStores) {
    for (const topic of source.topics) {
      configure(source.keySerde, source.valueSerde, { topic, reads: true, writes: false });
    }
  }
  await Promise.all(work);
}
