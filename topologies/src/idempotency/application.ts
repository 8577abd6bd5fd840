import { topics } from '@chip-quality/schemas';
import { Stores, Topology } from 'millrace';
import type { StateOptions } from '../actor/state-options.ts';
import type { PlatformSerdes } from '../platform-serdes.ts';
import { IDEMPOTENCY_STORE, IdempotencyProcessor, idempotencySinks } from './processor.ts';

/** Application id of {@link buildIdempotencyTopology}. */
export const IDEMPOTENCY_APPLICATION = 'platform-idempotency';

/** `api.requests` + `api.replies` → commands and `api.responses`. Store `idempotency`, key `tenant|idempotencyKey`. */
export function buildIdempotencyTopology(serdes: PlatformSerdes, options: StateOptions = {}): Topology {
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
        store: options.store ?? 'persistent',
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
