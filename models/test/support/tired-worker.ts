/** Loads like the inference worker, finds nothing on the first request, and dies at the second. */
import { parentPort } from 'node:worker_threads';
import type { InferRequest } from '../../src/engines/onnx/onnx-messages.ts';
import { DETECTION_COLUMNS } from '../../src/engines/read-detections.ts';

let answered = false;
parentPort?.on('message', ({ id, count, planes }: InferRequest) => {
  if (answered) throw new Error('out of memory, say');
  answered = true;
  parentPort?.postMessage({ kind: 'reply', id, planes, rows: new Float32Array(count * DETECTION_COLUMNS) });
});
parentPort?.postMessage({ kind: 'ready' });
