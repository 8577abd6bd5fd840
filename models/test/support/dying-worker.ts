/** Loads like the inference worker and dies at the first request. */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', () => {
  throw new Error('out of memory, say');
});
parentPort?.postMessage({ kind: 'ready' });
