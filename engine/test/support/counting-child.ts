// A counting application in a process of its own, to be killed by tests. Arguments: bootstrap servers, application id, input, output, state directory.
import { KafkaStreams } from '../../src/kafka-streams.ts';
import { StreamsBuilder } from '../../src/kstream/streams-builder.ts';
import { long, string } from '../../src/serde/primitives.ts';

const [bootstrap = '', applicationId = '', input = '', output = '', stateDir = ''] = process.argv.slice(2);
const builder = new StreamsBuilder();
builder
  .stream(input, { key: string(), value: string() })
  .groupByKey({ key: string(), value: string() })
  .count({ materialized: { name: 'counts', store: 'persistent' } })
  .toStream()
  .to(output, { key: string(), value: long() });
const streams = new KafkaStreams(builder.build(), {
  applicationId,
  bootstrapServers: [bootstrap],
  stateDir,
  commitIntervalMs: 50,
  statestoreCacheMaxBytes: 0,
  sessionTimeoutMs: 6_000,
  heartbeatIntervalMs: 500,
  // The same member again after a kill: its tasks come back without waiting for the session to end.
  groupInstanceId: `${applicationId}-1`,
});
await streams.start();
process.send?.('running');
