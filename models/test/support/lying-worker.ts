/** Answers every request with seven numbers, of which one is none: no shape the contract allows. */
import { parentPort } from 'node:worker_threads';
import type { InferRequest } from '../../src/engines/onnx/onnx-messages.ts';

parentPort?.on('message', ({ id, count, planes }: InferRequest) => {
  // For one image too few numbers; for two, the right number of them but not real ones.
  const rows = count === 1 ? new Float32Array(7) : new Float32Array(12).fill(Number.NaN);
  parentPort?.postMessage({ kind: 'reply', id, planes, rows });
});
parentPort?.postMessage({ kind: 'ready' });
