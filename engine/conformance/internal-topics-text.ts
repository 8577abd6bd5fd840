import type { ResolvedTopology, SubTopology } from '../src/index.ts';
import { ADDITIONAL_RETENTION_MS_DEFAULT, changelogTopicSpec } from '../src/topology/internal-topics.ts';

/** The internal topics of each sub-topology with their configuration, in the notation of the vectors. */
export function internalTopicsText(resolved: ResolvedTopology): string {
  const lines: string[] = [];
  for (const part of resolved.subTopologies) {
    lines.push(`subtopology ${part.id}`);
    lines.push(`  sources [${[...part.sourceTopics].sort().join(', ')}]`);
    lines.push(`  sinks [${[...part.sinkTopics].sort().join(', ')}]`);
    for (const kind of ['repartition', 'changelog'] as const) {
      const topics = part.internalTopics.filter((topic) => topic.kind === kind);
      if (kind === 'changelog') topics.push(...sourceChangelogs(part));
      for (const { topic, configs } of [...topics].sort((a, b) => (a.topic < b.topic ? -1 : 1))) {
        const text = Object.keys(configs)
          .sort()
          .map((key) => `${key}=${configs[key]}`)
          .join(', ');
        lines.push(`  ${kind} ${topic} {${text}}`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Source topics that the optimiser made changelogs: Kafka Streams lists them as if they were its own. */
function sourceChangelogs(part: SubTopology): SubTopology['internalTopics'][number][] {
  const own = part.stores.filter(({ changelogIsSource }) => changelogIsSource);
  return own.map(({ builder, changelogTopic }) => ({
    ...changelogTopicSpec({ ...builder, loggingConfig: {} }, ADDITIONAL_RETENTION_MS_DEFAULT),
    topic: changelogTopic as string,
  }));
}
