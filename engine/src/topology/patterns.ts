import { TopologyError } from '../base/errors.ts';
import type { SubTopology, TopologyNode } from './nodes.ts';

/** Throws TopologyError for a topic that several patterns match: nobody could say which source reads it. */
export function checkOnePattern(topic: string, sources: readonly Pick<TopologyNode, 'name'>[]): void {
  if (sources.length <= 1) return;
  const names = sources.map(({ name }) => name).join(' and ');
  throw new TopologyError(`Topic ${topic} matches the patterns of sources ${names}: narrow one of them.`);
}

/** Throws TopologyError for any topic that several patterns match; topics that a source names are not looked at. */
export function checkPatterns(subTopologies: readonly SubTopology[], topics: Iterable<string>): void {
  const named = new Set(subTopologies.flatMap((subTopology) => subTopology.sourceTopics));
  const patterns = subTopologies.flatMap((subTopology) =>
    subTopology.nodes.flatMap((node) => (node.type === 'source' && node.pattern !== undefined ? [node] : [])),
  );
  for (const topic of topics) {
    if (named.has(topic)) continue;
    checkOnePattern(
      topic,
      patterns.filter(({ pattern }) => pattern?.test(topic)),
    );
  }
}
