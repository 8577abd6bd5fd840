package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.time.Duration;
import java.util.function.Function;

import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Predicate;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Versioned tables: the twin of `topologies/versioned.ts`. */
final class Versioned {
  private Versioned() {}

  static void addTo(final Topologies all) {
    for (final String kind : new String[] {"inner", "left", "outer"}) {
      all.add("versioned-table-table-" + kind + "-join", (builder, params) -> {
        final KTable<String, String> left = builder.table("left", in(), versioned("lt", params));
        final KTable<String, String> right = builder.table("right", in(), versioned("rt", params));
        TableTableJoins.join(kind, left, right).toStream().to("out", out());
      });
    }

    all.add("stream-versioned-table-grace-join", (builder, params) -> {
      final KStream<String, String> left = builder.stream("left", in());
      left.leftJoin(table(builder, "right", "rt", params), Dsl::joined, waiting(params)).to("out", out());
    });

    all.add("stream-versioned-table-grace-inner-join", (builder, params) -> {
      final KStream<String, String> left = builder.stream("left", in());
      left.join(table(builder, "right", "rt", params), Dsl::joined, waiting(params)).to("out", out());
    });

    for (final boolean left : new boolean[] {false, true}) {
      all.add("versioned-fk-" + (left ? "left" : "inner") + "-join", (builder, params) -> {
        final KTable<String, String> one = table(builder, "left", "lt", params);
        final KTable<String, String> other = table(builder, "right", "rt", params);
        final TableJoined<String, String> name = TableJoined.as("fkj");
        final Function<String, String> key = Dsl::foreignKey;
        (left ? one.leftJoin(other, key, Dsl::joined, name, versioned("res", params)) : one.join(other, key, Dsl::joined, name, versioned("res", params)))
            .filter((k, v) -> !v.endsWith("|null")).toStream().to("out", out());
      });
    }

    all.add("versioned-filter-unnamed-join", (builder, params) -> {
      final KTable<String, String> left = table(builder, "left", "lt", params)
          .filter((k, v) -> !v.equals("x"), Materialized.with(STRING, STRING));
      final KTable<String, String> right = table(builder, "right", "rt", params)
          .filter((k, v) -> !v.equals("x"), Materialized.with(STRING, STRING));
      left.outerJoin(right, Dsl::joined).toStream().to("out", out());
      final Function<String, String> key = Dsl::foreignKey;
      left.leftJoin(right, key, Dsl::joined, TableJoined.<String, String>as("fkj"), Materialized.with(STRING, STRING)).toStream().to("out-fk", out());
      builder.stream("in", in()).leftJoin(right, Dsl::joined).to("out-stream", out());
    });

    all.add("stream-versioned-table-grace-unnamed", (builder, params) -> {
      final KTable<String, String> right = table(builder, "right", "rt", params);
      builder.stream("left", in()).selectKey((k, v) -> v == null ? k : first(v))
          .join(right, Dsl::joined, Joined.<String, String, String>with(STRING, STRING, STRING).withGracePeriod(grace(params))).to("out", out());
    });

    all.add("stream-versioned-table-left-join", (builder, params) -> {
      final KStream<String, String> left = builder.stream("left", in());
      left.leftJoin(table(builder, "right", "rt", params), Dsl::joined).to("out", out());
    });

    all.add("versioned-table-filter-mapvalues", (builder, params) -> {
      final KTable<String, String> table = table(builder, "in", "src", params);
      final Predicate<String, String> wanted = (k, v) -> !v.startsWith("x");
      (params.is("materializeFilter") ? table.filter(wanted, kept("filtered")) : table.filter(wanted))
          .mapValues(v -> v + "!").toStream().to("out", out());
    });

    all.add("versioned-table-groupby-aggregate", (builder, params) -> table(builder, "in", "src", params)
        .groupBy((k, v) -> new KeyValue<>(first(v), k + v), grouped().withName("byfirst"))
        .aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, versioned("agg", params))
        .toStream().to("out"));

    all.add("versioned-reduce-filter-grace-join", (builder, params) -> {
      final KTable<String, String> right = builder.stream("right", in()).groupByKey()
          .reduce((a, v) -> v.startsWith("x") ? null : a + "+" + v, versioned("red", params))
          .filter((k, v) -> v.length() < 12)
          .mapValues(v -> v + "!");
      builder.stream("left", in()).join(right, Dsl::joined, waiting(params)).to("out", out());
    });

    all.add("versioned-totable-join-count", (builder, params) -> {
      final KTable<String, String> left = builder.stream("left", in()).toTable(versioned("lt", params));
      left.join(table(builder, "right", "rt", params), Dsl::joined, versioned("res", params))
          .groupBy((k, v) -> new KeyValue<>(first(v), v), grouped().withName("byfirst"))
          .count(counted("counts")).toStream().to("out");
    });
  }

  static KTable<String, String> table(final StreamsBuilder builder, final String topic, final String store, final Params params) {
    return builder.table(topic, in(), versioned(store, params));
  }

  /** A grace of the history at most, of which fresh inputs know nothing. */
  static Duration grace(final Params params) {
    final Duration grace = params.ms("grace");
    final Duration history = params.ms("history");
    return grace.compareTo(history) > 0 ? history : grace;
  }

  static Joined<String, String, String> waiting(final Params params) {
    return Joined.<String, String, String>as("vj").withGracePeriod(grace(params)).withKeySerde(STRING).withValueSerde(STRING);
  }

  static Materialized<String, String, KeyValueStore<Bytes, byte[]>> versioned(final String name, final Params params) {
    return Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore(name, params.ms("history")))
        .withKeySerde(STRING).withValueSerde(STRING);
  }
}
