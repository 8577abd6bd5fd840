import { TopologyError } from '../base/errors.ts';
import type { StateStore, StoreBuilder } from '../state/state-store.ts';
import { NodeGroups } from './node-groups.ts';
import type { GlobalStoreSpec, ProcessorNode, SourceNode, TopologyNode } from './nodes.ts';
import type { TopologyContents } from './resolve-topology.ts';

/** Kafka's rule for topic names, which node and store names share since topics are named after them. */
const LEGAL_NAME = /^[a-zA-Z0-9._-]{1,249}$/;

/**
 * What a {@link Topology} has gathered so far: it keeps the rules between its elements, each broken one a `TopologyError` that says
 * what to do.
 *
 * Owns: nodes, stores and which processors use them, topics, co-partitioned groups. Called by: `Topology`.
 * Invariants: I1 node names are unique; I2 parents are added before children, so insertion order is a topological order;
 * I3 a topic has one source; I4 nothing hangs below a sink or a global store.
 */
export class InternalTopologyBuilder {
  readonly #nodes = new Map<string, TopologyNode>();
  readonly #stores = new Map<string, StoreBuilder<StateStore>>();
  readonly #storeUsers = new Map<string, Set<string>>();
  readonly #globalStores: GlobalStoreSpec[] = [];
  readonly #sourceOfTopic = new Map<string, string>();
  readonly #repartitionTopics = new Map<string, number | undefined>();
  readonly #copartitionedSources: (readonly string[])[] = [];
  readonly #groups = new NodeGroups();
  readonly #sourceChangelogs = new Map<string, string>();

  /**
   * Adds a source. Throws where a topic of it has one already, matches the pattern of another, or has a name that Kafka
   * refuses.
   */
  addSource(node: SourceNode): void {
    const { name, pattern, topics } = node;
    if (pattern !== undefined) this.#checkNewPattern(pattern, name);
    for (const topic of topics) {
      checkLegal('Topic', topic);
      this.#checkNewTopic(topic, name);
      this.#sourceOfTopic.set(topic, name);
    }
    this.addNode(node);
  }

  /** Adds a node whose name and parents were checked. */
  addNode(node: TopologyNode): void {
    this.#nodes.set(node.name, node);
    this.#groups.add(node.name);
    if (node.type !== 'source') this.#groups.unite(node.name, node.parents);
  }

  /** Adds a store. Adding the same builder again changes nothing. */
  addStore(store: StoreBuilder<StateStore>): void {
    const known = this.#stores.get(store.name);
    if (known !== undefined && known !== store) {
      throw new TopologyError(
        `Store ${store.name} was added already by another builder: give the stores different names, or share one builder.`,
      );
    }
    this.#checkNotGlobalStore(store.name);
    checkLegal('Store', store.name);
    this.#stores.set(store.name, store);
  }

  /** Lets a processor use stores that were added before. */
  connect(processorName: string, storeNames: readonly string[]): void {
    const node = this.#nodes.get(processorName);
    if (node === undefined) {
      throw new TopologyError(`Processor ${processorName} is unknown: add it before its stores are connected.`);
    }
    if (node.type !== 'processor') {
      throw new TopologyError(`Node ${processorName} is a ${node.type}: only processors have stores.`);
    }
    for (const storeName of storeNames) {
      if (this.#globalStores.some((spec) => spec.store.name === storeName)) {
        throw new TopologyError(
          `Store ${storeName} is global: every processor may use it, so don't connect it to ${processorName}.`,
        );
      }
      if (!this.#stores.has(storeName)) {
        throw new TopologyError(
          `Store ${storeName} is unknown: add it with addStateStore before connecting ${processorName}.`,
        );
      }
      const users = this.#storeUsers.get(storeName) ?? new Set<string>();
      this.#storeUsers.set(storeName, users.add(processorName));
      this.#groups.unite(processorName, users);
    }
    const stores = new Set([...(this.#nodes.get(processorName) as ProcessorNode).stores, ...storeNames]);
    this.#nodes.set(processorName, { ...node, stores: [...stores] });
  }

  /** Throws where a store of this name was added already, be it for tasks or for all instances. */
  checkNewStore(name: string): void {
    this.#checkNotGlobalStore(name);
    if (this.#stores.has(name)) throw new TopologyError(`Store ${name} was added already: rename one.`);
  }

  /** Adds a global store whose source and processor were added before. */
  addGlobalStore({ store, topic, sourceName, processorName }: NewGlobalStore): void {
    const processor = { ...(this.#nodes.get(processorName) as ProcessorNode), stores: [store.name] };
    this.#nodes.set(processorName, processor);
    this.#globalStores.push({ store, topic, source: this.#nodes.get(sourceName) as SourceNode, processor });
  }

  /**
   * Adds an internal topic. `name` is without the application id; `partitions` undefined: the number follows from its
   * neighbours.
   */
  addRepartitionTopic(name: string, partitions: number | undefined): void {
    checkLegal('Topic', name);
    if (partitions !== undefined && !(Number.isSafeInteger(partitions) && partitions >= 1)) {
      throw new TopologyError(
        `Repartition topic ${name} can't have partitions: ${partitions}; give 1 or more, or none.`,
      );
    }
    if (this.#repartitionTopics.has(name)) {
      throw new TopologyError(`Repartition topic ${name} exists already: give the second repartition another name.`);
    }
    this.#repartitionTopics.set(name, partitions);
  }

  /** Says that the sources' topics must have equal partition counts. */
  copartitionSources(sourceNames: readonly string[]): void {
    this.#copartitionedSources.push([...sourceNames]);
  }

  /** Lets a source topic serve as the store's changelog, so that none of its own is made. */
  connectSourceStoreAndTopic(storeName: string, topic: string): void {
    if (this.#sourceChangelogs.has(storeName)) {
      throw new TopologyError(
        `Store ${storeName} has topic ${this.#sourceChangelogs.get(storeName)} as changelog already.`,
      );
    }
    this.#sourceChangelogs.set(storeName, topic);
  }

  /** Throws where joined repartition topics were given different partition counts. */
  checkCopartitioning(): void {
    for (const sources of this.#copartitionedSources) {
      const topics = sources.flatMap((name) => {
        const node = this.#nodes.get(name);
        return node?.type === 'source' ? node.topics : [];
      });
      const given = topics.map((topic) => ({ topic, partitions: this.#repartitionTopics.get(topic) }));
      if (given.some(({ partitions }) => partitions === undefined)) continue;
      if (new Set(given.map(({ partitions }) => partitions)).size <= 1) continue;
      const list = given.map(({ topic, partitions }) => `${topic} (${partitions})`).join(', ');
      throw new TopologyError(
        `Joined topics must have equal partition counts: ${list}. Give repartition() the same number.`,
      );
    }
  }

  /** Everything that was added. */
  contents(): TopologyContents {
    return {
      nodes: this.#nodes,
      stores: this.#stores,
      sourceChangelogs: this.#sourceChangelogs,
      globalStores: this.#globalStores,
      repartitionTopics: this.#repartitionTopics,
      copartitionedSources: this.#copartitionedSources,
      groups: this.#groups.groups(this.#nodes.keys()),
    };
  }

  /** Throws for a store that no processor uses; called when nothing more will be added. */
  checkStoresUsed(): void {
    for (const store of this.#stores.keys()) {
      if (!this.#storeUsers.has(store)) {
        throw new TopologyError(
          `Store ${store} is connected to no processor: name it in the processor's stores, or leave it out.`,
        );
      }
    }
  }

  /** Throws where a node of this name was added already, or the name is not legal. */
  checkNewName(name: string): void {
    checkLegal('Node', name);
    if (this.#nodes.has(name)) throw new TopologyError(`Node ${name} exists already: choose another name.`);
  }

  /** Answers them as a list. */
  checkParents(name: string, parents: string | readonly string[]): readonly string[] {
    const list = typeof parents === 'string' ? [parents] : [...parents];
    if (list.length === 0) throw new TopologyError(`Node ${name} has no parent: name at least one.`);
    const globalNodes = new Set(this.#globalStores.flatMap((spec) => [spec.source.name, spec.processor.name]));
    for (const parent of list) {
      if (parent === name) throw new TopologyError(`Node ${name} can't be its own parent.`);
      const node = this.#nodes.get(parent);
      if (node === undefined) {
        throw new TopologyError(`Parent ${parent} of node ${name} is unknown: add it before ${name}.`);
      }
      if (node.type === 'sink' || node.type === 'external-sink') {
        throw new TopologyError(`Sink ${parent} can't be the parent of ${name}: hang ${name} below the sink's parent.`);
      }
      if (globalNodes.has(parent)) {
        throw new TopologyError(`Node ${parent} fills a global store: ${name} can't hang below it.`);
      }
    }
    return list;
  }

  #checkNewTopic(topic: string, name: string): void {
    const other = this.#sourceOfTopic.get(topic);
    if (other !== undefined) {
      throw new TopologyError(
        `Topic ${topic} of source ${name} is read by source ${other} already: share that source.`,
      );
    }
    for (const node of this.#nodes.values()) {
      if (node.type === 'source' && node.pattern?.test(topic)) {
        throw new TopologyError(`Topic ${topic} of source ${name} matches the pattern of source ${node.name} already.`);
      }
    }
  }

  #checkNewPattern(pattern: RegExp, name: string): void {
    for (const [topic, source] of this.#sourceOfTopic) {
      if (!pattern.test(topic)) continue;
      throw new TopologyError(
        `The pattern of source ${name} matches topic ${topic}, which source ${source} reads already: narrow the pattern.`,
      );
    }
  }

  #checkNotGlobalStore(name: string): void {
    if (this.#globalStores.some((spec) => spec.store.name === name)) {
      throw new TopologyError(`Global store ${name} exists already: choose another name.`);
    }
  }
}

/** A store that every instance fills from all partitions of a topic. */
interface NewGlobalStore {
  /** Its builder. */
  readonly store: StoreBuilder<StateStore>;
  /** The topic that it is filled from, which serves as its changelog. */
  readonly topic: string;
  /** Node that reads the topic. */
  readonly sourceName: string;
  /** Node that puts its records into the store. */
  readonly processorName: string;
}

/** Throws for a name that Kafka would refuse in a topic's name: topics are named after nodes and stores. */
export function checkLegal(what: string, name: string): void {
  if (!LEGAL_NAME.test(name) || name === '.' || name === '..') {
    throw new TopologyError(
      `${what} name ${JSON.stringify(name)} is not legal: use letters, digits, '.', '_' and '-'.`,
    );
  }
}
