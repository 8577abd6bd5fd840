import { JoinWindows, type KStream, type StreamJoinedOptions, StreamsBuilder, type Topology } from '../../src/index.ts';
import { joined, type Medium, type NamedTopology, type Params, strings, type TopologyFamily } from './family.ts';

type Strings = KStream<string, string>;
type Options = StreamJoinedOptions<string, string, string>;
type Kind = 'inner' | 'left' | 'outer';

/** What a program has at hand. */
interface Place {
  readonly read: (topic: string) => Strings;
  readonly windows: JoinWindows;
  readonly store: Medium;
  readonly params: Params;
}

const SHIFT_MS = 3;
const windowParams = ['before', 'after', 'grace'];
/** Parameter `optimise`: 1 lets the optimiser rewrite the program. */
const optimisedParams = [...windowParams, 'optimise'];

function windowsOf(params: Params): JoinWindows {
  const [before, after, grace] = [params['before'] as number, params['after'] as number, params['grace'] as number];
  return JoinWindows.ofTimeDifferenceAndGrace(Math.max(before, after), grace).before(before).after(after);
}

function program(params: readonly string[], define: (place: Place) => void): NamedTopology {
  return {
    build: (given, store): Topology => {
      const builder = new StreamsBuilder();
      define({ read: (topic) => builder.stream(topic, strings), windows: windowsOf(given), store, params: given });
      return builder.build({ topologyOptimization: given['optimise'] ? 'all' : 'none' });
    },
    params,
  };
}

function joinOf(kind: Kind, left: Strings, right: Strings, windows: JoinWindows, options: Options): Strings {
  if (kind === 'inner') return left.join(right, joined, windows, options);
  if (kind === 'left') return left.leftJoin(right, joined, windows, options);
  return left.outerJoin(right, joined, windows, options);
}

/** Under a key that is null where key and value are. */
const byFirst = (stream: Strings): Strings =>
  stream.selectKey((key, value: string | null) => (value === null ? key : value.slice(0, 1)));

function forKinds(name: (kind: Kind) => string, make: (kind: Kind) => NamedTopology): TopologyFamily {
  return Object.fromEntries((['inner', 'left', 'outer'] as const).map((kind) => [name(kind), make(kind)]));
}

/** Stream–stream joins. */
export const streamStreamJoins: TopologyFamily = {
  ...forKinds(
    (kind) => `stream-stream-${kind}-join`,
    (kind) =>
      program(windowParams, ({ read, windows, store }) => {
        joinOf(kind, read('left'), read('right'), windows, { store }).to('out', strings);
      }),
  ),

  // Under Kafka Streams' throttle of the search for unmatched records.
  ...forKinds(
    (kind) => `throttled-${kind}-join`,
    (kind) =>
      program([...windowParams, 'outerJoinEmitIntervalMs'], ({ read, windows, store }) => {
        joinOf(kind, read('left'), read('right'), windows, { store }).to('out', strings);
      }),
  ),

  // Windows that lie wholly after or before the record at hand.
  ...forKinds(
    (kind) => `later-${kind}-join`,
    (kind) =>
      program(optimisedParams, ({ read, store, params }) => {
        const { after, grace } = params as { after: number; grace: number };
        const later = JoinWindows.ofTimeDifferenceAndGrace(after + SHIFT_MS, grace).before(-SHIFT_MS);
        const [left, right] = [read('left'), read('right')];
        joinOf(kind, left, right, later, { store }).to('out', strings);
        joinOf(kind, left, left, later, { store }).to('out-self', strings);
      }),
  ),
  ...forKinds(
    (kind) => `earlier-${kind}-join`,
    (kind) =>
      program(optimisedParams, ({ read, store, params }) => {
        const { before, grace } = params as { before: number; grace: number };
        const earlier = JoinWindows.ofTimeDifferenceAndGrace(before + SHIFT_MS, grace).after(-SHIFT_MS);
        const [left, right] = [read('left'), read('right')];
        joinOf(kind, left, right, earlier, { store }).to('out', strings);
        joinOf(kind, left, left, earlier, { store }).to('out-self', strings);
      }),
  ),

  // One stream on both sides.
  ...forKinds(
    (kind) => `self-${kind}-join`,
    (kind) =>
      program(optimisedParams, ({ read, windows, store }) => {
        const stream = read('left');
        joinOf(kind, stream, stream, windows, { store }).to('out', strings);
      }),
  ),

  // One topic on both sides, read twice: one source, too.
  'self-join-of-two-reads': program(optimisedParams, ({ read, windows, store }) => {
    joinOf('inner', read('left'), read('left'), windows, { store, name: 'self', storeName: 'kept' }).to('out', strings);
  }),

  'self-join-rekeyed': program(optimisedParams, ({ read, windows, store }) => {
    const stream = byFirst(read('left'));
    joinOf('inner', stream, stream, windows, { ...strings, otherValue: strings.value, store }).to('out', strings);
  }),

  'self-join-rekeyed-named': program(optimisedParams, ({ read, windows, store }) => {
    const stream = byFirst(read('left'));
    const options = { ...strings, otherValue: strings.value, store, name: 'self' };
    joinOf('inner', stream, stream, windows, options).to('out', strings);
  }),

  // A mapper on one side only: two streams, no self join.
  'self-join-of-two-streams': program(optimisedParams, ({ read, windows, store }) => {
    const stream = read('left');
    const mapped = stream.mapValues((value) => value);
    joinOf('inner', stream, mapped, windows, { otherValue: strings.value, store }).to('out', strings);
  }),

  // Repartition topics on both sides; those of left and outer joins carry records without a key.
  ...forKinds(
    (kind) => `rekeyed-stream-${kind}-join`,
    (kind) =>
      program(optimisedParams, ({ read, windows, store }) => {
        const options = { ...strings, otherValue: strings.value, store };
        joinOf(kind, byFirst(read('left')), byFirst(read('right')), windows, options).to('out', strings);
      }),
  ),

  ...forKinds(
    (kind) => `named-stream-${kind}-join`,
    (kind) =>
      program(windowParams, ({ read, windows, store }) => {
        const options = { ...strings, otherValue: strings.value, store, name: 'pairs', storeName: 'kept' };
        joinOf(kind, byFirst(read('left')), read('right'), windows, options).to('out', strings);
      }),
  ),

  ...forKinds(
    (kind) => `given-stores-${kind}-join`,
    (kind) =>
      program(windowParams, ({ read, windows, store }) => {
        const options = { thisStore: { name: 'mine', store }, otherStore: { name: 'yours', store } };
        joinOf(kind, read('left'), read('right'), windows, { ...options, storeName: 'kept', store }).to('out', strings);
      }),
  ),

  ...forKinds(
    (kind) => `unlogged-stream-${kind}-join`,
    (kind) =>
      program(windowParams, ({ read, windows, store }) => {
        joinOf(kind, read('left'), read('right'), windows, { store, loggingEnabled: false }).to('out', strings);
      }),
  ),

  // Overrides of topic configurations: the policy of window stores stays.
  'configured-stream-join': program(windowParams, ({ read, windows, store }) => {
    const loggingConfig = { 'cleanup.policy': 'compact', 'min.insync.replicas': '2' };
    joinOf('outer', read('left'), read('right'), windows, { store, loggingConfig }).to('out', strings);
  }),

  // Unnamed joins share the repartition topic that the join before them made, be it a named one.
  'rekeyed-stream-joins': program(optimisedParams, ({ read, windows, store }) => {
    const [left, right, third] = [read('left'), read('right'), read('third')];
    const options = { ...strings, otherValue: strings.value, store };
    const named = byFirst(left);
    named.join(right, joined, windows, { ...options, name: 'pairs' }).to('out', strings);
    named.join(third, joined, windows, options).to('out-third', strings);
    const unnamed = byFirst(right);
    unnamed.leftJoin(third, joined, windows, options).to('out-left', strings);
    unnamed.join(third, joined, windows, { ...options, name: 'others' }).to('out-others', strings);
    unnamed.outerJoin(third, joined, windows, options).to('out-outer', strings);
  }),

  // Results of joins as inputs of joins, and a stream in several of them.
  'joins-of-joins': program(windowParams, ({ read, windows, store }) => {
    const [left, right, third] = [read('left'), read('right'), read('third')];
    const options = { ...strings, otherValue: strings.value, store };
    const pairs = left.join(right, joined, windows, options);
    pairs.leftJoin(third, joined, windows, options).to('out', strings);
    right.outerJoin(third, joined, windows, options).leftJoin(pairs, joined, windows, options).to('out-outer', strings);
    left.outerJoin(right, joined, windows, { ...options, name: 'again' }).to('out-again', strings);
  }),
};
