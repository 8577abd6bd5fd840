import { ProcessorGraphNode } from './graph/graph-node.ts';
import type { KStream } from './k-stream.ts';
import type { StreamDefinition } from './operations/definitions.ts';
import { type Branch, BranchProcessor, PassThroughProcessor } from './processors/stream/stateless-processors.ts';

/** Where a branch goes (Java's `Branched`): into the map that ends the split, or to a function. */
export interface BranchedOptions<K, V> {
  /**
   * Appended to the name of the split. Default: the branch's number, from 1 in the order of the calls, and 0 for the
   * default branch.
   */
  readonly name?: string | undefined;
  /** Continues the branch; its result is what the map of branches holds. */
  readonly chain?: ((branch: KStream<K, V>) => KStream<K, V>) | undefined;
  /** Takes the branch, which then is not in the map. */
  readonly consume?: ((branch: KStream<K, V>) => void) | undefined;
}

/**
 * A stream being split. Branches are asked in order, and the first whose predicate is true gets the record; without a
 * default branch what nobody takes is dropped.
 */
export class BranchedKStream<K, V> {
  readonly #definition: StreamDefinition<K, V>;
  readonly #name: string;
  readonly #splitter: ProcessorGraphNode;
  readonly #branches: Branch<K, V>[] = [];
  readonly #streams = new Map<string, KStream<K, V>>();

  /** @internal */
  constructor(definition: StreamDefinition<K, V>, name: string | undefined) {
    this.#definition = definition;
    const { graph } = definition.dsl;
    this.#name = graph.names.named(name, 'KSTREAM-BRANCH-');
    this.#splitter = graph.add(
      new ProcessorGraphNode(this.#name, [definition.node], {
        get: () => new BranchProcessor(this.#branches) as never,
      }),
    );
  }

  /**
   * Adds a branch behind those before it. Its name in the map is the split's name and `options.name`, or its number.
   */
  branch(predicate: (key: K, value: V) => boolean, options: BranchedOptions<K, V> = {}): this {
    this.#add(predicate, options, this.#branches.length + 1);
    return this;
  }

  /** Takes what no branch took. Ends the split; answers all branches by name. */
  defaultBranch(options: BranchedOptions<K, V> = {}): ReadonlyMap<string, KStream<K, V>> {
    this.#add(undefined, options, 0);
    return this.#streams;
  }

  /** Ends the split and drops what no branch took; answers all branches by name. */
  noDefaultBranch(): ReadonlyMap<string, KStream<K, V>> {
    return this.#streams;
  }

  #add(predicate: ((key: K, value: V) => boolean) | undefined, options: BranchedOptions<K, V>, number: number): void {
    const { dsl } = this.#definition;
    const childName = this.#name + (options.name ?? String(number));
    this.#branches.push({ predicate, childName });
    dsl.graph.names.processorName(childName);
    const node = dsl.graph.add(
      new ProcessorGraphNode(childName, [this.#splitter], { get: () => new PassThroughProcessor() }),
    );
    const branch = dsl.stream({ ...this.#definition, node });
    if (options.consume !== undefined) options.consume(branch);
    else this.#streams.set(childName, options.chain === undefined ? branch : options.chain(branch));
  }
}
