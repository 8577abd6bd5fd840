import { StreamsError } from '../base/errors.ts';
import type { StreamsState } from '../runtime/client/streams-state.ts';
import type { ResolvedTopology, SubTopology } from '../topology/nodes.ts';
import type { StoreDoor, StoreHolder } from './store-door.ts';

/** A task or the global state: the names of its stores, and who takes queries about them. */
export interface QueriedStores {
  /** Takes queries about its stores. */
  readonly queries: StoreHolder;
  /** Whether the store is here, and can be asked. */
  readonly holdsStore: (name: string) => boolean;
}

/** What the stores of an instance depend on, as it is when they are asked. */
export interface LocalStoresOptions {
  /** Part of the changelogs' names, which serdes are told. */
  readonly applicationId: string;
  /** Stores are read in `RUNNING` and `REBALANCING`. */
  readonly state: () => StreamsState;
  /** Who holds the global stores; undefined before they are filled. */
  readonly global: () => QueriedStores | undefined;
  /** In the order of their partitions. */
  readonly tasks: () => readonly QueriedStores[];
}

/**
 * Finds the stores of this instance by name, for interactive queries.
 *
 * Called by: KafkaStreams. Invariants: I1 names and kinds are checked at once, what is here now at each read.
 */
export class LocalStores {
  readonly #resolved: ResolvedTopology;
  readonly #options: LocalStoresOptions;

  constructor(resolved: ResolvedTopology, options: LocalStoresOptions) {
    this.#resolved = resolved;
    this.#options = options;
  }

  /** `key-value`, `window`, `session` or `versioned`; undefined where there is no such store. */
  kindOf(name: string): string | undefined {
    const spec = this.#resolved.subTopologies
      .flatMap(({ stores }) => stores)
      .find(({ builder }) => builder.name === name);
    return spec?.builder.kind ?? this.#resolved.globalStores.find(({ store }) => store.name === name)?.store.kind;
  }

  /** Throws UNKNOWN_STATE_STORE. */
  subTopologyOf(name: string): SubTopology {
    const found = this.#resolved.subTopologies.find(({ stores }) =>
      stores.some(({ builder }) => builder.name === name),
    );
    if (found === undefined) throw this.#unknown(name);
    return found;
  }

  /**
   * The door of a store. Throws UNKNOWN_STATE_STORE, or INVALID_STATE_STORE for a store of another kind; its `holders`
   * throw INVALID_STATE_STORE (recovery `retry`) while the instance does not run or holds no partition of it.
   */
  door(name: string, kind: string): StoreDoor {
    const found = this.kindOf(name);
    if (found === undefined) throw this.#unknown(name);
    if (found !== kind) {
      throw new StreamsError(`State store '${name}' is a ${found} store, not a ${kind} store`, {
        code: 'INVALID_STATE_STORE',
        recovery: 'fail',
      });
    }
    const topic = `${this.#options.applicationId}-${name}-changelog`;
    return { store: name, topic, holders: () => this.#holders(name) };
  }

  #holders(name: string): readonly StoreHolder[] {
    const { global, state, tasks } = this.#options;
    if (state() !== 'RUNNING' && state() !== 'REBALANCING') throw notRunning(state());
    const owners = [global(), ...tasks()].filter((owner) => owner?.holdsStore(name));
    if (owners.length > 0) return owners.map((owner) => (owner as QueriedStores).queries);
    throw new StreamsError(`No partition of state store '${name}' is here`, {
      code: 'INVALID_STATE_STORE',
      recovery: 'retry',
    });
  }

  #unknown(name: string): StreamsError {
    const { globalStores, subTopologies } = this.#resolved;
    const known = [
      ...subTopologies.flatMap(({ stores }) => stores.map(({ builder }) => builder.name)),
      ...globalStores.map(({ store }) => store.name),
    ];
    return new StreamsError(`There is no state store '${name}'. There are: ${known.join(', ') || 'none'}.`, {
      code: 'UNKNOWN_STATE_STORE',
      recovery: 'fail',
    });
  }
}

/** The error of whoever asks for stores of an instance that does not run. */
export function notRunning(state: StreamsState): StreamsError {
  return new StreamsError(`Stores can be read while the instance runs; it is ${state}`, {
    code: 'INVALID_STATE_STORE',
    recovery: 'retry',
  });
}
