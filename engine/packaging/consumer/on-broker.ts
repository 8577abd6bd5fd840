// A word count on a broker, until standard input ends: then the program prints what its store holds and closes.
// Arguments: bootstrap servers, application id, topic of lines, topic of counts, state directory, then the words to look up.
import { once } from 'node:events';
import { KafkaStreams } from 'millrace';
import { wordCount } from './word-count.ts';

const [bootstrap = '', applicationId = '', lines = '', counts = '', stateDir = '', ...words] = process.argv.slice(2);
const streams = new KafkaStreams(wordCount(lines, counts), {
  applicationId,
  bootstrapServers: [bootstrap],
  stateDir,
  commitIntervalMs: 100,
});
await streams.start();
await once(process.stdin.resume(), 'end');

const store = streams.keyValueStore<string, number>('counts');
const counted: Record<string, number | undefined> = {};
for (const word of words) counted[word] = await store.get(word);
const restored = streams
  .metrics()
  .filter(({ name }) => name === 'restore-total')
  .reduce((sum, { value }) => sum + value, 0);
await streams.close();
console.log(JSON.stringify({ node: process.version, counts: counted, restored }));
