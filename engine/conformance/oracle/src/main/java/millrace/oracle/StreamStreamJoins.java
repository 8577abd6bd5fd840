package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.StreamJoined;

/** Stream–stream joins: the twin of `topologies/stream-stream-joins.ts`. */
final class StreamStreamJoins {
  private StreamStreamJoins() {}

  static void addTo(final Topologies all) {
    for (final String kind : new String[] {"inner", "left", "outer"}) {
      all.add("stream-stream-" + kind + "-join", (builder, params) -> {
        final KStream<String, String> left = builder.stream("left", in());
        final KStream<String, String> right = builder.stream("right", in());
        final JoinWindows windows = JoinWindows.ofTimeDifferenceAndGrace(params.ms("after"), params.ms("grace")).before(params.ms("before"));
        final StreamJoined<String, String, String> serdes = StreamJoined.with(STRING, STRING, STRING);
        (switch (kind) {
          case "inner" -> left.join(right, Dsl::joined, windows, serdes);
          case "left" -> left.leftJoin(right, Dsl::joined, windows, serdes);
          default -> left.outerJoin(right, Dsl::joined, windows, serdes);
        }).to("out", out());
      });
    }
  }
}
