import { topics } from '@chip-quality/schemas';
import { Stores, Topology } from 'millrace';
import { defineFlow } from '../flow.ts';
import type { StatefulFlowPorts } from '../ports.ts';
import { IDEMPOTENCY_STORE, IdempotencyProcessor, idempotencySinks } from './processor.ts';

/** `api.requests` + `api.replies` → commands and `api.responses`. Store `idempotency`, key `tenant|idempotencyKey`. */
function buildIdempotencyTopology({ serdes, store = 'persistent' }: StatefulFlowPorts): Topology {
  const { key } = serdes;
  return new Topology()
    .addSource('requests', topics.apiRequests, { key, value: serdes.ApiRequest })
    .addSource('replies', topics.apiReplies, { key, value: serdes.ApiReply })
    .addProcessor('idempotency', () => new IdempotencyProcessor(), ['requests', 'replies'])
    .addStateStore(
      Stores.keyValueStoreBuilder({
        name: IDEMPOTENCY_STORE,
        key,
        value: serdes.IdempotencyEntry,
        store,
      }),
      'idempotency',
    )
    .addSink(idempotencySinks.inspectionCommands, topics.inspectionCommands, 'idempotency', {
      key,
      value: serdes.Command,
    })
    .addSink(idempotencySinks.catalogCommands, topics.catalogCommands, 'idempotency', { key, value: serdes.Command })
    .addSink(idempotencySinks.modelCommands, topics.modelCommands, 'idempotency', { key, value: serdes.Command })
    .addSink(idempotencySinks.responses, topics.apiResponses, 'idempotency', { key, value: serdes.ApiResponse });
}

/** One command, one answer for each Idempotency-Key. */
export const idempotencyFlow = defineFlow({
  id: 'platform-idempotency',
  role: 'api',
  inputs: [topics.apiRequests, topics.apiReplies],
  deadLetters: { topic: topics.deadLetters },
  stores: [],
  build: buildIdempotencyTopology,
});
