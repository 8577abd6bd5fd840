// The interrupted program in a process of its own, to be killed by a test. Arguments: bootstrap servers, application id, topic prefix, state directory.
import { KafkaStreams } from '../../src/kafka-streams.ts';
import { interruptedOptions, interruptedProgram } from './interrupted-program.ts';

const [bootstrap = '', applicationId = '', prefix = '', stateDir = ''] = process.argv.slice(2);
const streams = new KafkaStreams(interruptedProgram(prefix), {
  ...interruptedOptions,
  applicationId,
  bootstrapServers: [bootstrap],
  stateDir,
  // Killed before it commits a second time: what it wrote meanwhile is repeated.
  commitIntervalMs: 1_500,
  groupInstanceId: `${applicationId}-1`,
});
await streams.start();
process.send?.('running');
