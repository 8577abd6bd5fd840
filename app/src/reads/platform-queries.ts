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
import { type KafkaStreams, type ReadOnlyKeyValueStore, StreamsError } from 'millrace';

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
    return readState(() => {
      const state = this.#inspections().get(id);
      // A stranger's inspection does not exist.
      return state === undefined || state.tenant_id !== tenantId ? undefined : inspectionView(state);
    });
  }

  inspections(tenantId: string, filter: InspectionFilter): Promise<InspectionList> {
    return readState(() => {
      const inspections = this.#inspections();
      const lists = ownedPartitions<string>(this.#inspection, INSPECTIONS_BY_TIME_STORE).map((byTime) =>
        listInspections(byTime, inspections, tenantId, filter),
      );
      return mergeNewest(lists, filter.limit);
    });
  }

  part(tenantId: string, id: string): Promise<PartView | undefined> {
    return readState(() => partOf(this.#entries().get(id), tenantId));
  }

  lot(tenantId: string, id: string): Promise<LotView | undefined> {
    return readState(() => lotOf(this.#entries().get(id), tenantId));
  }

  #inspections(): ReadOnlyKeyValueStore<string, InspectionState> {
    ownedPartitions(this.#inspection, INSPECTIONS_STORE);
    return this.#inspection.keyValueStore(INSPECTIONS_STORE);
  }

  #entries(): ReadOnlyKeyValueStore<string, CatalogState> {
    ownedPartitions(this.#catalog, CATALOG_STORE);
    return this.#catalog.keyValueStore(CATALOG_STORE);
  }
}

/**
 * All partitions of a store. Throws when one is elsewhere (after a long pause of the process its partitions are taken from it, and
 * come back a little later): what is not found then may well exist, and a station that is told 404 gives its board up.
 */
export function ownedPartitions<V>(streams: KafkaStreams, store: string): readonly ReadOnlyKeyValueStore<string, V>[] {
  const partitions = streams.keyValueStorePartitions<string, V>(store);
  if (partitions.length === PARTITIONS) return partitions;
  throw new UnavailableError(
    `${partitions.length} of ${PARTITIONS} partitions of the state are here`,
    RETRY_AFTER_SECONDS,
  );
}

/** Stores answer synchronously, between records; a store on the move is worth waiting for. */
export async function readState<T>(query: () => T): Promise<T> {
  try {
    return query();
  } catch (error) {
    if (error instanceof StreamsError && error.recovery === 'retry') {
      throw new UnavailableError('the state is being moved', RETRY_AFTER_SECONDS, error);
    }
    throw error;
  }
}
