import { topics } from '@chip-quality/schemas';
import { Stores, Topology } from 'millrace';
import { defineFlow } from '../flow.ts';
import type { StatefulFlowPorts } from '../ports.ts';
import { CATALOG_STORE, CatalogProcessor, catalogSinks } from './processor.ts';

/** `catalog.commands` → `catalog.events` and answers on `api.replies`. Store `catalog`, key part id or lot id. */
function buildCatalogTopology({ serdes, store = 'persistent' }: StatefulFlowPorts): Topology {
  const { key } = serdes;
  return new Topology()
    .addSource('commands', topics.catalogCommands, { key, value: serdes.Command })
    .addProcessor('catalog', () => new CatalogProcessor(), 'commands')
    .addStateStore(
      Stores.keyValueStoreBuilder({
        name: CATALOG_STORE,
        key,
        value: serdes.CatalogState,
        store,
      }),
      'catalog',
    )
    .addSink(catalogSinks.events, topics.catalogEvents, 'catalog', { key, value: serdes.CatalogEvent })
    .addSink(catalogSinks.replies, topics.apiReplies, 'catalog', { key, value: serdes.ApiReply });
}

/** Parts with their golden images, and lots. */
export const catalogFlow = defineFlow({
  id: 'platform-catalog',
  role: 'api',
  inputs: [topics.catalogCommands],
  deadLetters: { topic: topics.deadLetters },
  stores: [CATALOG_STORE],
  build: buildCatalogTopology,
});
