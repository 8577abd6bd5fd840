import { TopologyError } from '../../base/errors.ts';
import type { ProcessorSupplier } from '../../processor/processor.ts';
import type { Serde } from '../../serde/serde.ts';
import { outerJoinStoreBuilder } from '../../state/outer-join-store.ts';
import type { StateStore, StoreBuilder } from '../../state/state-store.ts';
import { type StoreMedium, Stores } from '../../state/stores.ts';
import type { NameProvider } from '../graph/name-provider.ts';
import { JoinWindowNode, StreamJoinNode } from '../graph/stream-join-node.ts';
import type { KStream } from '../k-stream.ts';
import { type NamedOptions, readingBack, type WritingSerde } from '../options.ts';
import { JoinWindowProcessor } from '../processors/join/join-window-processor.ts';
import { StreamJoinProcessor } from '../processors/join/stream-join-processor.ts';
import type { JoinWindowStore, StreamJoiner, StreamJoinSpec } from '../processors/join/stream-join-spec.ts';
import { StreamSelfJoinProcessor } from '../processors/join/stream-self-join-processor.ts';
import { PassThroughProcessor } from '../processors/stream/stateless-processors.ts';
import type { JoinWindows } from '../windows/join-windows.ts';
import { required, type StreamDefinition } from './definitions.ts';

const STORE_SUFFIX = '-store';
/** Records of duplicates must not be compacted away: this policy is not the user's to choose. */
const DELETE_ONLY = { 'cleanup.policy': 'delete' } as const;
/** What Kafka Streams gives the changelogs of stores that the user made; every record there has a key of its own. */
const COMPACT_AND_DELETE = { 'cleanup.policy': 'compact,delete' } as const;

/** A window store of a join with a name of its own. Retention and size are the join window's. */
export interface JoinStoreOptions {
  /** The changelog is `<applicationId>-<name>-changelog`. */
  readonly name: string;
  /** Default: that of the join, else `persistent`. */
  readonly store?: StoreMedium | undefined;
  /** Default: true, whatever the join's `loggingEnabled` says, as in Kafka Streams. */
  readonly loggingEnabled?: boolean | undefined;
  /** Overrides of the changelog topic's configuration. */
  readonly loggingConfig?: Readonly<Record<string, string>> | undefined;
}

/**
 * Options of joins of two streams (Java's `StreamJoined`). `name` is that of the nodes and of repartition topics, `storeName`
 * that of stores and changelogs.
 */
export interface StreamJoinedOptions<K, V, VOther> extends NamedOptions {
  /** Serde of both streams' keys, for repartition topics and stores. Default: the streams', where they are known. */
  readonly key?: WritingSerde<K> | undefined;
  /**
   * Serde of this stream's values, for its repartition topic and store. Default: the stream's, where it is known; else
   * required.
   */
  readonly value?: Serde<V> | undefined;
  /**
   * Serde of the other stream's values, for its repartition topic and store. Default: the other stream's, where it is
   * known; else required.
   */
  readonly otherValue?: Serde<VOther> | undefined;
  /** Beginning of the names of the join's stores, and so of their changelogs. Default: generated names. */
  readonly storeName?: string | undefined;
  /** Where the join's stores keep their records, `persistent` or `memory`. Default: `persistent`. */
  readonly store?: StoreMedium | undefined;
  /** The store of this stream's records, where it shall have a name of its own. */
  readonly thisStore?: JoinStoreOptions | undefined;
  /** The store of the other stream's records, where it shall have a name of its own. */
  readonly otherStore?: JoinStoreOptions | undefined;
  /** Default: true. Without changelogs the state is lost when a task moves. */
  readonly loggingEnabled?: boolean | undefined;
  /** Overrides of the changelog topics' configuration. */
  readonly loggingConfig?: Readonly<Record<string, string>> | undefined;
}

/** What of the options concerns stores. */
type StoresOptions = Omit<StreamJoinedOptions<unknown, unknown, unknown>, 'key' | 'value' | 'otherValue'>;

/**
 * Which records of a join of two streams have a result of their own when they find no partner: none (`inner`), those of
 * the left stream (`left`), those of both (`outer`).
 */
export type StreamJoinKind = 'inner' | 'left' | 'outer';

/** A join of two streams whose records of one key are in partitions of one number already. */
export function joinStreams<K, V1, V2, VOut>(
  left: StreamDefinition<K, V1>,
  right: StreamDefinition<K, V2>,
  joiner: StreamJoiner<K, V1, V2, VOut>,
  windows: JoinWindows,
  options: StreamJoinedOptions<K, V1, V2>,
  kind: StreamJoinKind,
): KStream<K, VOut> {
  const { dsl } = left;
  const names = namesOf(dsl.graph.names, options.name, kind);
  const where = `${kind === 'inner' ? 'join' : `${kind}Join`} ${names.merge}`;
  if (right.dsl !== dsl) throw new TopologyError(`The streams of ${where} come from two builders: read both from one.`);
  if (windows === undefined) {
    throw new TopologyError(`${where} needs a window: how far apart matching records may be, as JoinWindows.`);
  }
  const stores = new JoinStores(windows, options, names);
  const unmatched = kind === 'inner' ? undefined : stores.unmatched();
  const spec: StreamJoinSpec<K, V1, V2, VOut> = {
    windows,
    joiner,
    ...windowStoresOf(left, right, stores, options, where),
    unmatchedStoreName: unmatched?.name,
    leftOuter: kind !== 'inner',
    rightOuter: kind === 'outer',
  };
  const leftWindow = windowNode(names.thisWindow, left, spec.left, stores.side('this', spec.left));
  const rightWindow = windowNode(names.otherWindow, right, spec.right, stores.side('other', spec.right));
  if (options.storeName === undefined) {
    for (const store of [leftWindow.store, rightWindow.store, ...(unmatched === undefined ? [] : [unmatched])]) {
      const changelog = store.loggingEnabled ? { changelog: `${store.name}-changelog` } : {};
      dsl.graph.names.implicit.add({ store: store.name, ...changelog });
    }
  }
  const sources = [...new Set([...left.sources, ...right.sources])];
  const node = new StreamJoinNode(
    names.merge,
    [left.node, right.node],
    { left: leftWindow, right: rightWindow },
    {
      thisName: names.thisSide,
      thisSide: supplier(() => new StreamJoinProcessor<K, V1, V1, V2, VOut>(spec, 'left')),
      otherName: names.otherSide,
      otherSide: supplier(() => new StreamJoinProcessor<K, V2, V1, V2, VOut>(spec, 'right')),
      merger: supplier(() => new PassThroughProcessor()),
      selfJoin: supplier(() => new StreamSelfJoinProcessor(spec as never)),
    },
    unmatched,
    sources,
  );
  dsl.graph.add(leftWindow);
  dsl.graph.add(rightWindow);
  dsl.graph.add(node);
  const { keySerde } = spec.left;
  return dsl.stream({ dsl, node, keySerde, valueSerde: undefined, sources, repartitionRequired: false });
}

/** Names of a join's nodes, and what the names of its stores are made from. */
interface StreamJoinNames {
  readonly thisWindow: string;
  readonly otherWindow: string;
  readonly thisSide: string;
  readonly otherSide: string;
  readonly merge: string;
  /** Generated names of the sides, which stores have where nobody named them. */
  readonly thisGenerated: string;
  readonly otherGenerated: string;
  /** Ends of the names of stores where somebody named them. */
  readonly thisSuffix: string;
  readonly otherSuffix: string;
  readonly unmatchedSuffix: string;
}

/** In Kafka Streams' order, since each generated name uses up a number. */
function namesOf(names: NameProvider, name: string | undefined, kind: StreamJoinKind): StreamJoinNames {
  const leftOuter = kind !== 'inner';
  const rightOuter = kind === 'outer';
  const thisSuffix = rightOuter ? '-outer-this-join' : '-this-join';
  const otherSuffix = leftOuter ? '-outer-other-join' : '-other-join';
  const thisWindow = names.suffixed(name, '-this-windowed', 'KSTREAM-WINDOWED-');
  const otherWindow = names.suffixed(name, '-other-windowed', 'KSTREAM-WINDOWED-');
  const thisGenerated = names.processorName(rightOuter ? 'KSTREAM-OUTERTHIS-' : 'KSTREAM-JOINTHIS-');
  const otherGenerated = names.processorName(leftOuter ? 'KSTREAM-OUTEROTHER-' : 'KSTREAM-JOINOTHER-');
  const merge = names.suffixed(name, '-merge', 'KSTREAM-MERGE-');
  return {
    thisWindow,
    otherWindow,
    thisSide: name === undefined ? thisGenerated : name + thisSuffix,
    otherSide: name === undefined ? otherGenerated : name + otherSuffix,
    merge,
    thisGenerated,
    otherGenerated,
    thisSuffix,
    otherSuffix,
    unmatchedSuffix: rightOuter ? '-outer-shared-join' : '-left-shared-join',
  };
}

/** The window stores of both sides: their names and serdes. */
function windowStoresOf<K, V1, V2>(
  left: StreamDefinition<K, V1>,
  right: StreamDefinition<K, V2>,
  stores: JoinStores,
  options: StreamJoinedOptions<K, V1, V2>,
  where: string,
): { readonly left: JoinWindowStore<K, V1>; readonly right: JoinWindowStore<K, V2> } {
  const keySerde = joinKeySerde(left.keySerde, right.keySerde, options.key, where);
  const leftStore = {
    name: stores.sideName('this'),
    keySerde,
    valueSerde: required(options.value ?? left.valueSerde, 'value', where),
  };
  const rightStore = {
    name: stores.sideName('other'),
    keySerde,
    valueSerde: otherValueSerde(options.otherValue ?? right.valueSerde, where),
  };
  if (leftStore.name === rightStore.name) {
    throw new TopologyError(`Both stores of ${where} have the name ${leftStore.name}: give them different ones.`);
  }
  return { left: leftStore, right: rightStore };
}

/** Keeps the records of one side. */
function windowNode<K, V>(
  name: string,
  stream: StreamDefinition<K, V>,
  store: JoinWindowStore<K, V>,
  builder: StoreBuilder<StateStore>,
): JoinWindowNode {
  return new JoinWindowNode(
    name,
    stream.node,
    supplier(() => new JoinWindowProcessor(store)),
    builder,
  );
}

function otherValueSerde<V>(serde: Serde<V> | undefined, where: string): Serde<V> {
  if (serde !== undefined) return serde;
  throw new TopologyError(
    `${where} needs a serde for the other stream's value, which has changed since it was read: pass { otherValue: … } in its options.`,
  );
}

/** Stores compare keys by their bytes, so both sides must write them alike. */
function joinKeySerde<K>(
  left: Serde<K> | undefined,
  right: Serde<K> | undefined,
  given: WritingSerde<K> | undefined,
  where: string,
): Serde<K> {
  if (given === undefined && left !== undefined && right !== undefined && left.format !== right.format) {
    throw new TopologyError(
      `The sides of ${where} have keys of different formats, ${left.format} and ${right.format}: their partitions don't match. Repartition one by the serde of the other, or pass { key: … } if both read the same bytes.`,
    );
  }
  return required(readingBack(given) ?? left ?? right, 'key', where);
}

/** Names and builders of a join's stores. */
class JoinStores {
  readonly #windows: JoinWindows;
  readonly #options: StoresOptions;
  readonly #names: StreamJoinNames;

  constructor(windows: JoinWindows, options: StoresOptions, names: StreamJoinNames) {
    this.#windows = windows;
    this.#options = options;
    this.#names = names;
  }

  #given(side: 'this' | 'other'): JoinStoreOptions | undefined {
    return side === 'this' ? this.#options.thisStore : this.#options.otherStore;
  }

  sideName(side: 'this' | 'other'): string {
    const given = this.#given(side);
    if (given !== undefined) return given.name;
    const { storeName } = this.#options;
    const names = this.#names;
    if (storeName === undefined) return (side === 'this' ? names.thisGenerated : names.otherGenerated) + STORE_SUFFIX;
    return storeName + (side === 'this' ? names.thisSuffix : names.otherSuffix) + STORE_SUFFIX;
  }

  side<K, V>(side: 'this' | 'other', kept: JoinWindowStore<K, V>): StoreBuilder<StateStore> {
    const given = this.#given(side);
    const { loggingEnabled = true, loggingConfig = {} } = given ?? this.#options;
    return Stores.windowStoreBuilder({
      name: kept.name,
      key: kept.keySerde,
      value: kept.valueSerde,
      store: given?.store ?? this.#options.store ?? 'persistent',
      windowSizeMs: this.#windows.sizeMs,
      retentionMs: this.#windows.retentionMs,
      retainDuplicates: true,
      loggingEnabled,
      loggingConfig:
        given === undefined ? { ...loggingConfig, ...DELETE_ONLY } : { ...COMPACT_AND_DELETE, ...loggingConfig },
    });
  }

  /** The store of unmatched records, beside that of the left side. */
  unmatched(): StoreBuilder<StateStore> {
    const { thisGenerated, unmatchedSuffix } = this.#names;
    const { storeName, thisStore, store, loggingEnabled = true, loggingConfig = {} } = this.#options;
    const base = thisStore?.name ?? storeName;
    // The number of the left side, with a prefix of its own.
    const generated = `KSTREAM-OUTERSHARED-${thisGenerated.slice(thisGenerated.lastIndexOf('-') + 1)}`;
    const name = (base === undefined ? generated : base + unmatchedSuffix) + STORE_SUFFIX;
    const medium = thisStore?.store ?? store ?? 'persistent';
    return outerJoinStoreBuilder({ name, store: medium, loggingEnabled, loggingConfig });
  }
}

function supplier<K, V, VOut>(get: () => { process(record: never): void } & object): ProcessorSupplier<K, V, K, VOut> {
  return { get } as never;
}
