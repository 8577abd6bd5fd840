import { JoinWindows, type KStream, type StreamJoinedOptions, StreamsBuilder } from '../../src/index.ts';
import { joined, type Medium, type NamedTopology, type Params, strings, type TopologyFamily } from './family.ts';

type Strings = KStream<string, string>;
type Options = StreamJoinedOptions<string, string, string>;

function windowsOf({ before, after, grace }: Params): JoinWindows {
  return JoinWindows.ofTimeDifferenceAndGrace(after as number, grace as number).before(before as number);
}

function program(
  join: (left: Strings, right: () => Strings, windows: JoinWindows, options: Options) => KStream<string, string>,
): NamedTopology {
  return {
    build: (params, store: Medium) => {
      const builder = new StreamsBuilder();
      const left = builder.stream('left', strings);
      join(left, () => builder.stream('right', strings), windowsOf(params), { store }).to('out', strings);
      return params['optimise'] === 1 ? builder.build({ topologyOptimization: 'all' }) : builder.build();
    },
  };
}

/** Stream–stream joins. */
export const streamStreamJoins: TopologyFamily = {
  'stream-stream-inner-join': program((left, right, windows, options) => left.join(right(), joined, windows, options)),

  'stream-stream-left-join': program((left, right, windows, options) =>
    left.leftJoin(right(), joined, windows, options),
  ),

  'stream-stream-outer-join': program((left, right, windows, options) =>
    left.outerJoin(right(), joined, windows, options),
  ),
};
