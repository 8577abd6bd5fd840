import { long, StreamsBuilder, string, type Topology } from 'millrace';

/** Counts the words of lines, in a store on disk. */
export function wordCount(lines: string, counts: string): Topology {
  const builder = new StreamsBuilder();
  builder
    .stream(lines, { key: string(), value: string() })
    .flatMapValues((line) => line.toLowerCase().split(' '))
    .groupBy((_key, word) => word, { key: string(), value: string(), name: 'by-word' })
    .count({ materialized: { name: 'counts', store: 'persistent' } })
    .toStream()
    .to(counts, { key: string(), value: long() });
  return builder.build();
}
