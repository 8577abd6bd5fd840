package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.SessionWindowedKStream;
import org.apache.kafka.streams.kstream.TimeWindowedKStream;

/** Emission on window close: the twin of `topologies/emit.ts`. */
final class Emit {
  private Emit() {}

  private static void aggregated(final TimeWindowedKStream<String, String> windowed, final Params params) {
    windowed.emitStrategy(EmitStrategy.onWindowClose())
        .aggregate(() -> "", (k, v, a) -> a + v, windows("win", STRING, params)).toStream().to("out");
  }

  private static void aggregated(final SessionWindowedKStream<String, String> windowed, final Params params) {
    windowed.emitStrategy(EmitStrategy.onWindowClose())
        .aggregate(() -> "", (k, v, a) -> a + v, (k, a, b) -> "(" + a + "&" + b + ")", sessions("ses", STRING, params))
        .toStream().to("out");
  }

  static void addTo(final Topologies all) {
    for (final String how : new String[] {"on-close", "throttled"}) {
      all.add("tumbling-emit-" + how, (builder, params) -> aggregated(Windows.windowed(builder, params), params));
      all.add("hopping-emit-" + how, (builder, params) -> aggregated(Windows.windowed(builder, params), params));
      all.add("sliding-emit-" + how, (builder, params) -> aggregated(Sliding.windowed(builder, params), params));
      all.add("session-emit-" + how, (builder, params) -> aggregated(Sessions.windowed(builder, params), params));
    }
  }
}
