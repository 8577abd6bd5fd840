package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.kstream.SessionWindows;

/** Session windows: the twin of `topologies/sessions.ts`. */
final class Sessions {
  private Sessions() {}

  static void addTo(final Topologies all) {
    all.add("session-aggregate", (builder, params) -> builder.stream("in", in()).groupByKey()
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(params.ms("gap"), params.ms("grace")))
        .aggregate(() -> "", (k, v, a) -> a + v, (k, a, b) -> "(" + a + "&" + b + ")", sessions("ses", STRING, params))
        .toStream().to("out"));
  }
}
