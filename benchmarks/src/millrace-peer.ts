import { bytes, JoinWindows, KafkaStreams, long, StreamsBuilder, string, TimeWindows, type Topology } from 'millrace';

/** The topologies, as `KafkaStreamsPeer.java` has them. */
export function benchmarkTopology(name: string, input: string, output: string): Topology {
  const builder = new StreamsBuilder();
  switch (name) {
    case 'pass-through':
      builder.stream(input, { key: bytes(), value: bytes() }).to(output);
      break;
    case 'count':
      builder
        .stream(input, { key: string(), value: bytes() })
        .groupByKey()
        .count({ materialized: { name: 'counts', store: 'memory' } })
        .toStream()
        .to(output, { key: string(), value: long() });
      break;
    case 'json-map':
      builder
        .stream(input, { key: string(), value: bytes() })
        .mapValues((value) => mapJson(value))
        .to(output, { key: string(), value: bytes() });
      break;
    case 'windowed-count':
      builder
        .stream(input, { key: string(), value: bytes() })
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(30_000, 10_000))
        .count({ materialized: { name: 'counts', store: 'memory' } })
        .toStream()
        .to(output, { value: long() });
      break;
    case 'stream-join': {
      const records = builder.stream(input, { key: string(), value: bytes() });
      // A key comes back after 16 ms at the earliest: a record's only partner is itself, so that there is one result a
      // record.
      records
        .join(
          records.mapValues((value) => value),
          (left) => left,
          JoinWindows.ofTimeDifferenceAndGrace(10, 5_000),
          {
            value: bytes(),
            otherValue: bytes(),
            thisStore: { name: 'left', store: 'memory' },
            otherStore: { name: 'right', store: 'memory' },
          },
        )
        .to(output, { key: string(), value: bytes() });
      break;
    }
    default:
      throw new Error(`unknown topology ${name}`);
  }
  return builder.build();
}

function mapJson(value: Buffer): Buffer {
  const node = JSON.parse(value.utf8Slice()) as { reading: number; checked?: boolean };
  node.reading *= 2;
  node.checked = true;
  return Buffer.from(JSON.stringify(node));
}

const [topology, bootstrapServers, applicationId, input, output, stateDir] = process.argv.slice(2);
if (stateDir !== undefined) {
  const streams = new KafkaStreams(benchmarkTopology(topology as string, input as string, output as string), {
    applicationId: applicationId as string,
    bootstrapServers: (bootstrapServers as string).split(','),
    stateDir,
    commitIntervalMs: 100,
    // As the Java peer: one output record per input record.
    statestoreCacheMaxBytes: 0,
    autoOffsetReset: 'earliest',
  });
  process.on('SIGTERM', () => {
    void streams.close().then(() => process.exit(0));
  });
  await streams.start();
}
