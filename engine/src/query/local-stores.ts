import { StreamsError } from '../base/errors.ts';
import type { StreamsState } from '../runtime/client/streams-state.ts';
import type { StreamTask } from '../runtime/task/stream-task.ts';
import type { StateStore } from '../state/state-store.ts';
import type { ResolvedTopology, SubTopology } from '../topology/nodes.ts';

/** What the stores of an instance depend on, as it is when they are asked. */
export interface StoreHolder {
  readonly state: () => StreamsState;
  readonly globalStores: () => ReadonlyMap<string, StateStore> | undefined;
  readonly tasks: () => readonly StreamTask[];
}

/**
 * Finds the stores of this instance by name, for interactive queries.
 *
 * Called by: KafkaStreams. Invariants: I1 names and kinds are checked at once, what is here now at each read.
 */
export class LocalStores {
  readonly #resolved: ResolvedTopology;
  readonly #holder: StoreHolder;

  constructor(resolved: ResolvedTopology, holder: StoreHolder) {
    this.#resolved = resolved;
    this.#holder = holder;
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
   * Answers the store of each partition that is here, or the global one. Throws UNKNOWN_STATE_STORE, or INVALID_STATE_STORE for a
   * store of another kind; what it answers throws INVALID_STATE_STORE (recovery `retry`) while a partition is not ready.
   */
  local(name: string, kind: string): () => readonly StateStore[] {
    const found = this.kindOf(name);
    if (found === undefined) throw this.#unknown(name);
    if (found !== kind) {
      throw new StreamsError(`State store '${name}' is a ${found} store, not a ${kind} store`, {
        code: 'INVALID_STATE_STORE',
        recovery: 'fail',
      });
    }
    return () => this.#ready(name);
  }

  #ready(name: string): readonly StateStore[] {
    const { globalStores, state, tasks } = this.#holder;
    const global = globalStores()?.get(name);
    if (global !== undefined) return [global];
    if (state() !== 'RUNNING' && state() !== 'REBALANCING') throw notRunning(state());
    const stores: StateStore[] = [];
    for (const task of tasks()) {
      const store = task.stores.get(name);
      if (store === undefined) continue;
      if (!task.isStarted) {
        throw new StreamsError(`State store '${name}' of task ${task.taskId} is being restored`, {
          code: 'INVALID_STATE_STORE',
          recovery: 'retry',
        });
      }
      stores.push(store);
    }
    return stores;
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

/** Stores are asked of an instance that does not run. */
export function notRunning(state: StreamsState): StreamsError {
  return new StreamsError(`Stores can be read while the instance runs; it is ${state}`, {
    code: 'INVALID_STATE_STORE',
    recovery: 'retry',
  });
}
