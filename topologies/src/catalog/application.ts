import { topics } from '@chip-quality/schemas';
import { Stores, Topology } from 'millrace';
import type { StateOptions } from '../actor/state-options.ts';
import type { PlatformSerdes } from '../platform-serdes.ts';
import { CATALOG_STORE, CatalogProcessor, catalogSinks } from './processor.ts';

/** Application id of {@link buildCatalogTopology}. */
export const CATALOG_APPLICATION = 'platform-catalog';

/** `catalog.commands` → `catalog.events` and answers on `api.replies`. Store `catalog`, key part id or lot id. */
export function buildCatalogTopology(serdes: PlatformSerdes, options: StateOptions = {}): Topology {
  const { key } = serdes;
  return new Topology()
    .addSource('commands', topics.catalogCommands, { key, value: serdes.Command })
    .addProcessor('catalog', () => new CatalogProcessor(), 'commands')
    .addStateStore(
      Stores.keyValueStoreBuilder({
        name: CATALOG_STORE,
        key,
        value: serdes.CatalogState,
        store: options.store ?? 'persistent',
      }),
      'catalog',
    )
    .addSink(catalogSinks.events, topics.catalogEvents, 'catalog', { key, value: serdes.CatalogEvent })
    .addSink(catalogSinks.replies, topics.apiReplies, 'catalog', { key, value: serdes.ApiReply });
}
