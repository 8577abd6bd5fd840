import {
  type CatalogState,
  type InspectionFilter,
  type InspectionList,
  type InspectionState,
  type InspectionView,
  type LotView,
  PARTITIONS,
  type PartView,
  type Queries,
  UnavailableError,
} from '@chip-quality/schemas';
import {
  CATALOG_STORE,
  INSPECTIONS_BY_TIME_STORE,
  INSPECTIONS_STORE,
  inspectionView,
  listInspections,
  lotOf,
  mergeNewest,
  partOf,
} from '@chip-quality/topologies';
import { type AsyncReadOnlyKeyValueStore, type KafkaStreams, StreamsError } from 'millrace';

/** A store that moves is back within a rebalance. */
const RETRY_AFTER_SECONDS = 1;

/**
 * The API's point reads and live lists, answered from the keyed stores of this process. It must own all partitions of the
 * inspection and catalog applications: routing to other instances is not there yet.
 */
export class PlatformQueries implements Queries {
  readonly #inspection: KafkaStreams;
  readonly #catalog: KafkaStreams;

  constructor(inspection: KafkaStreams, catalog: KafkaStreams) {
    this.#inspection = inspection;
    this.#catalog = catalog;
  }

  inspection(tenantId: string, id: string): Promise<InspectionView | undefined> {
    return readState(async () => {
      const state = await owned<InspectionState>(this.#inspection, INSPECTIONS_STORE).get(id);
      // Another tenant's inspection is answered as one that does not exist.
      return state === undefined || state.tenant_id !== tenantId ? undefined : inspectionView(state);
    });
  }

  inspections(tenantId: string, filter: InspectionFilter): Promise<InspectionList> {
    return readState(async () => {
      const byTime = ownedPartitions<string>(this.#inspection, INSPECTIONS_BY_TIME_STORE);
      // One processor writes both stores: what a partition of the one names lies in the same partition of the other.
      const states = ownedPartitions<InspectionState>(this.#inspection, INSPECTIONS_STORE);
      const lists = byTime.map((keys, partition) =>
        listInspections(keys, states[partition] as (typeof states)[number], tenantId, filter),
      );
      return mergeNewest(await Promise.all(lists), filter.limit);
    });
  }

  part(tenantId: string, id: string): Promise<PartView | undefined> {
    return readState(async () => partOf(await this.#entry(id), tenantId));
  }

  lot(tenantId: string, id: string): Promise<LotView | undefined> {
    return readState(async () => lotOf(await this.#entry(id), tenantId));
  }

  #entry(id: string): Promise<CatalogState | undefined> {
    return owned<CatalogState>(this.#catalog, CATALOG_STORE).get(id);
  }
}

/** A store with all of its partitions here. Throws as {@link ownedPartitions}. */
export function owned<V>(streams: KafkaStreams, store: string): AsyncReadOnlyKeyValueStore<string, V> {
  ownedPartitions(streams, store);
  return streams.keyValueStore(store);
}

/**
 * All partitions of a store. Throws when one is elsewhere (after a long pause of the process its partitions are taken from it, and
 * come back a little later): what is not found then may well exist, and a station that is told 404 gives its board up.
 */
export function ownedPartitions<V>(
  streams: KafkaStreams,
  store: string,
): readonly AsyncReadOnlyKeyValueStore<string, V>[] {
  const partitions = streams.keyValueStorePartitions<string, V>(store);
  if (partitions.length === PARTITIONS) return partitions;
  throw new UnavailableError(
    `${partitions.length} of ${PARTITIONS} partitions of the state are here`,
    RETRY_AFTER_SECONDS,
  );
}

/** Runs reads of stores; a store on the move is worth waiting for. */
export async function readState<T>(query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if (error instanceof StreamsError && error.recovery === 'retry') {
      throw new UnavailableError('the state is being moved', RETRY_AFTER_SECONDS, error);
    }
    throw error;
  }
}
