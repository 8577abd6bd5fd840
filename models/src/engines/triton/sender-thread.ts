/**
 * The thread that speaks to Triton: making and serialising the FP32 tensors of 16 boards takes a tenth of a second,
 * which the thread that answers HTTP cannot afford.
 */
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { InferenceError } from '../../errors.ts';
import type { FromSender, SenderSettings, ToSender } from './messages.ts';
import { Sender } from './sender.ts';

const port = parentPort;
if (port === null) throw new Error('sender-thread.ts runs only as a worker thread');
const say = (message: FromSender, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
const sender = new Sender(workerData as SenderSettings, threadId);

async function close(): Promise<void> {
  await sender.close();
  say({ kind: 'closed' });
  port?.close();
}

port.on('message', (message: ToSender) => {
  if (message.kind === 'cancel') sender.cancel(message.id);
  else if (message.kind === 'close') void close();
  else {
    void sender.send(message).then((reply) => {
      say(reply, [reply.packed.buffer, ...(reply.rows === undefined ? [] : [reply.rows.buffer])]);
    });
  }
});

try {
  await sender.start();
  say({ kind: 'ready' });
} catch (error) {
  const reason = error instanceof InferenceError ? error.reason : 'unavailable';
  say({ kind: 'failed', reason, message: error instanceof Error ? error.message : String(error) });
}
