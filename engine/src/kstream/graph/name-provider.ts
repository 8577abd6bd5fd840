import { ImplicitNames } from './explicit-names.ts';

const INDEX_DIGITS = 10;

/**
 * Hands out the names of nodes and stores: prefix and a ten-digit number, one counter for a builder.
 *
 * Owns: the counter.
 * Called by: the DSL, once a node, in Kafka Streams' order.
 * Invariants: I1 a name given by the user still uses up a number wherever Kafka Streams does that, so later names stay the same.
 */
export class NameProvider {
  #nextIndex = 0;
  /** Names of stores and internal topics that the user did not give. */
  readonly implicit = new ImplicitNames();

  /** The next generated name of a node: `prefix` and the number. */
  processorName(prefix: string): string {
    return prefix + this.#takeIndex();
  }

  /** The next generated name of a store: prefix, `STATE-STORE-` and the number. */
  storeName(prefix: string): string {
    return `${prefix}STATE-STORE-${this.#takeIndex()}`;
  }

  /** The user's name if there is one; uses up a number in any case. */
  named(name: string | undefined, prefix: string): string {
    const generated = this.processorName(prefix);
    return name ?? generated;
  }

  /** The user's name with a suffix, or a generated one; uses up a number in any case. */
  suffixed(name: string | undefined, suffix: string, prefix: string): string {
    const generated = this.processorName(prefix);
    return name === undefined ? generated : name + suffix;
  }

  /**
   * The name of a table's store: the user's, without using up a number, or a generated one, which is remembered for
   * `ensureExplicitInternalResourceNaming`.
   */
  store(name: string | undefined, prefix: string, loggingEnabled: boolean | undefined = true): string {
    if (name !== undefined) return name;
    const store = this.storeName(prefix);
    this.implicit.add(loggingEnabled ? { store, changelog: `${store}-changelog` } : { store });
    return store;
  }

  /** What sets the counter back to where it is now. */
  keep(): () => void {
    const index = this.#nextIndex;
    return () => {
      this.#nextIndex = index;
    };
  }

  #takeIndex(): string {
    const index = this.#nextIndex;
    this.#nextIndex += 1;
    return String(index).padStart(INDEX_DIGITS, '0');
  }
}
