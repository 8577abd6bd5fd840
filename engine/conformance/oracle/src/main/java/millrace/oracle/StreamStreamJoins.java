package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowBytesStoreSupplier;

/** Stream–stream joins: the twin of `topologies/stream-stream-joins.ts`. */
final class StreamStreamJoins {
  private static final Duration SHIFT = Duration.ofMillis(3);
  private static final String[] KINDS = {"inner", "left", "outer"};

  private StreamStreamJoins() {}

  private static JoinWindows windows(final Params params) {
    final Duration before = params.ms("before");
    final Duration after = params.ms("after");
    return JoinWindows.ofTimeDifferenceAndGrace(before.compareTo(after) > 0 ? before : after, params.ms("grace")).before(before).after(after);
  }

  private static StreamJoined<String, String, String> serdes() {
    return StreamJoined.with(STRING, STRING, STRING);
  }

  private static KStream<String, String> join(final String kind, final KStream<String, String> left, final KStream<String, String> right,
      final JoinWindows windows, final StreamJoined<String, String, String> options) {
    return switch (kind) {
      case "inner" -> left.join(right, Dsl::joined, windows, options);
      case "left" -> left.leftJoin(right, Dsl::joined, windows, options);
      default -> left.outerJoin(right, Dsl::joined, windows, options);
    };
  }

  private static KStream<String, String> byFirst(final KStream<String, String> stream) {
    return stream.selectKey((key, value) -> value == null ? key : first(value));
  }

  private static WindowBytesStoreSupplier store(final String name, final JoinWindows windows, final Params params) {
    final Duration size = Duration.ofMillis(windows.size());
    final Duration retention = size.plusMillis(windows.gracePeriodMs());
    return params.is("rocksdb") ? Stores.persistentWindowStore(name, retention, size, true) : Stores.inMemoryWindowStore(name, retention, size, true);
  }

  static void addTo(final Topologies all) {
    for (final String kind : KINDS) {
      for (final String name : new String[] {"stream-stream-", "throttled-"}) {
        all.add(name + kind + "-join", (builder, params) ->
            join(kind, builder.stream("left", in()), builder.stream("right", in()), windows(params), serdes()).to("out", out()));
      }
      all.add("later-" + kind + "-join", (builder, params) ->
          shifted(kind, builder, JoinWindows.ofTimeDifferenceAndGrace(params.ms("after").plus(SHIFT), params.ms("grace")).before(SHIFT.negated())));
      all.add("earlier-" + kind + "-join", (builder, params) ->
          shifted(kind, builder, JoinWindows.ofTimeDifferenceAndGrace(params.ms("before").plus(SHIFT), params.ms("grace")).after(SHIFT.negated())));
      all.add("self-" + kind + "-join", (builder, params) -> {
        final KStream<String, String> stream = builder.stream("left", in());
        join(kind, stream, stream, windows(params), serdes()).to("out", out());
      });
      all.add("rekeyed-stream-" + kind + "-join", (builder, params) ->
          join(kind, byFirst(builder.stream("left", in())), byFirst(builder.stream("right", in())), windows(params), serdes()).to("out", out()));
      all.add("named-stream-" + kind + "-join", (builder, params) ->
          join(kind, byFirst(builder.stream("left", in())), builder.stream("right", in()), windows(params),
              serdes().withName("pairs").withStoreName("kept")).to("out", out()));
      all.add("given-stores-" + kind + "-join", (builder, params) -> {
        final JoinWindows windows = windows(params);
        join(kind, builder.stream("left", in()), builder.stream("right", in()), windows, serdes().withStoreName("kept")
            .withThisStoreSupplier(store("mine", windows, params)).withOtherStoreSupplier(store("yours", windows, params))).to("out", out());
      });
      all.add("unlogged-stream-" + kind + "-join", (builder, params) ->
          join(kind, builder.stream("left", in()), builder.stream("right", in()), windows(params), serdes().withLoggingDisabled()).to("out", out()));
    }
    all.add("self-join-of-two-reads", (builder, params) ->
        join("inner", builder.stream("left", in()), builder.stream("left", in()), windows(params), serdes().withName("self").withStoreName("kept"))
            .to("out", out()));
    all.add("self-join-rekeyed", (builder, params) -> selfRekeyed(builder, params, serdes()));
    all.add("self-join-rekeyed-named", (builder, params) -> selfRekeyed(builder, params, serdes().withName("self")));
    all.add("self-join-of-two-streams", (builder, params) -> {
      final KStream<String, String> stream = builder.stream("left", in());
      join("inner", stream, stream.mapValues(value -> value), windows(params), serdes()).to("out", out());
    });
    all.add("configured-stream-join", (builder, params) ->
        join("outer", builder.stream("left", in()), builder.stream("right", in()), windows(params),
            serdes().withLoggingEnabled(Map.of("cleanup.policy", "compact", "min.insync.replicas", "2"))).to("out", out()));
    all.add("rekeyed-stream-joins", (builder, params) -> {
      final KStream<String, String> left = builder.stream("left", in());
      final KStream<String, String> right = builder.stream("right", in());
      final KStream<String, String> third = builder.stream("third", in());
      final JoinWindows windows = windows(params);
      final KStream<String, String> named = byFirst(left);
      join("inner", named, right, windows, serdes().withName("pairs")).to("out", out());
      join("inner", named, third, windows, serdes()).to("out-third", out());
      final KStream<String, String> unnamed = byFirst(right);
      join("left", unnamed, third, windows, serdes()).to("out-left", out());
      join("inner", unnamed, third, windows, serdes().withName("others")).to("out-others", out());
      join("outer", unnamed, third, windows, serdes()).to("out-outer", out());
    });
    all.add("joins-of-joins", (builder, params) -> {
      final KStream<String, String> left = builder.stream("left", in());
      final KStream<String, String> right = builder.stream("right", in());
      final KStream<String, String> third = builder.stream("third", in());
      final JoinWindows windows = windows(params);
      final KStream<String, String> pairs = join("inner", left, right, windows, serdes());
      join("left", pairs, third, windows, serdes()).to("out", out());
      join("left", join("outer", right, third, windows, serdes()), pairs, windows, serdes()).to("out-outer", out());
      join("outer", left, right, windows, serdes().withName("again")).to("out-again", out());
    });
  }

  private static void shifted(final String kind, final StreamsBuilder builder, final JoinWindows windows) {
    final KStream<String, String> left = builder.stream("left", in());
    final KStream<String, String> right = builder.stream("right", in());
    join(kind, left, right, windows, serdes()).to("out", out());
    join(kind, left, left, windows, serdes()).to("out-self", out());
  }

  private static void selfRekeyed(final StreamsBuilder builder, final Params params, final StreamJoined<String, String, String> options) {
    final KStream<String, String> stream = byFirst(builder.stream("left", in()));
    join("inner", stream, stream, windows(params), options).to("out", out());
  }
}
