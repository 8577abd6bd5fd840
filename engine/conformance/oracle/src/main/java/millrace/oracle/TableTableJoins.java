package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.ValueTransformerWithKey;
import org.apache.kafka.streams.kstream.ValueTransformerWithKeySupplier;
import org.apache.kafka.streams.processor.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Table–table joins: the twin of `topologies/table-table-joins.ts`. */
final class TableTableJoins {
  private static final String[] KINDS = {"inner", "left", "outer"};

  private TableTableJoins() {}

  private interface OfThree {
    KTable<String, String> join(KTable<String, String> left, KTable<String, String> right, KTable<String, String> third);
  }

  static void addTo(final Topologies all) {
    for (final String kind : KINDS) {
      ofTwo(all, "table-table-" + kind + "-join", (left, right) -> join(kind, left, right));
      ofTwo(all, "table-table-" + kind + "-join-kept", (left, right) ->
          join(kind, left, right, Named.as("j"), kept("kept")).filter((k, v) -> !v.startsWith("x")));
      ofThree(all, "table-table-" + kind + "-join-unnamed", (left, right, third) -> join(kind,
          joinUnnamed(kind, left.filter((k, v) -> !v.startsWith("x")), right.mapValues(v -> v + "!"), Materialized.with(STRING, STRING)),
          third.filterNot((k, v) -> v.startsWith("a"))));
      for (final String second : KINDS) {
        ofThree(all, "table-table-" + kind + "-" + second + "-chain", (left, right, third) -> join(second, join(kind, left, right), third));
      }
      ofThree(all, "table-table-" + kind + "-join-on-the-right", (left, right, third) ->
          join("outer", third, join(kind, left.mapValues(v -> v + "!"), right)));
      ofTwo(all, "table-table-" + kind + "-join-regrouped", (left, right) -> join(kind, left, right)
          .groupBy((k, v) -> new KeyValue<>(first(v), k + v), Grouped.with("g", STRING, STRING))
          .aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, kept("agg")));
      all.add("table-table-" + kind + "-join-fanned", (builder, params) -> {
        final KTable<String, String> left = fanned(builder, "left").toTable(kept("lt"));
        final KTable<String, String> right = fanned(builder, "right").toTable(kept("rt"));
        joinUnnamed(kind, left, right, kept("kept")).toStream().to("out", out());
      });
      ofTwo(all, "table-table-" + kind + "-join-of-itself", (left, right) ->
          join(kind, join(kind, left, left.filter((k, v) -> !v.startsWith("x")).mapValues(v -> v + "!")), right));
    }

    all.add("table-transform-values", (builder, params) -> {
      builder.addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("numbers"), STRING, STRING));
      final KTable<String, String> source = builder.table("left", in());
      final KTable<String, String> table = params.is("kept")
          ? source.transformValues(Numbering::new, kept("tv"), "numbers")
          : source.transformValues(Numbering::new, "numbers");
      if (params.is("old")) {
        table.groupBy((k, v) -> new KeyValue<>(v, k), grouped()).count().toStream().mapValues(String::valueOf).to("counts", out());
      }
      table.toStream().to("out", out());
    });

    final ValueTransformerWithKeySupplier<String, String, String> repeatable = Repeatable::new;
    ofTwo(all, "table-transform-values-join", (left, right) ->
        left.transformValues(repeatable).join(right.transformValues(repeatable), Dsl::joined));

    all.add("table-to-rekeyed-stream", (builder, params) -> builder.table("left", in())
        .toStream((k, v) -> v == null ? k : first(v))
        .groupByKey(grouped()).reduce((a, v) -> a + "+" + v).toStream().to("out", out()));
  }

  private static void ofTwo(final Topologies all, final String name,
      final BiFunction<KTable<String, String>, KTable<String, String>, KTable<String, String>> result) {
    all.add(name, (builder, params) -> {
      final KTable<String, String> left = builder.table("left", in(), kept("lt"));
      final KTable<String, String> right = builder.table("right", in(), kept("rt"));
      result.apply(left, right).toStream().to("out", out());
    });
  }

  private static void ofThree(final Topologies all, final String name, final OfThree result) {
    all.add(name, (builder, params) -> {
      final KTable<String, String> left = builder.table("left", in());
      final KTable<String, String> right = builder.table("right", in());
      final KTable<String, String> third = builder.table("third", in());
      result.join(left, right, third).toStream().to("out", out());
    });
  }

  /** Makes three records of each. */
  static KStream<String, String> fanned(final StreamsBuilder builder, final String topic) {
    return builder.stream(topic, in()).flatMapValues(v -> v == null ? Collections.singletonList(null) : List.of(v, v + "'", v + "\""));
  }

  static KTable<String, String> join(final String kind, final KTable<String, String> left, final KTable<String, String> right) {
    return switch (kind) {
      case "inner" -> left.join(right, Dsl::joined);
      case "left" -> left.leftJoin(right, Dsl::joined);
      default -> left.outerJoin(right, Dsl::joined);
    };
  }

  private static KTable<String, String> join(final String kind, final KTable<String, String> left, final KTable<String, String> right,
      final Named name, final Materialized<String, String, KeyValueStore<Bytes, byte[]>> kept) {
    return switch (kind) {
      case "inner" -> left.join(right, Dsl::joined, name, kept);
      case "left" -> left.leftJoin(right, Dsl::joined, name, kept);
      default -> left.outerJoin(right, Dsl::joined, name, kept);
    };
  }

  private static KTable<String, String> joinUnnamed(final String kind, final KTable<String, String> left,
      final KTable<String, String> right, final Materialized<String, String, KeyValueStore<Bytes, byte[]>> kept) {
    return switch (kind) {
      case "inner" -> left.join(right, Dsl::joined, kept);
      case "left" -> left.leftJoin(right, Dsl::joined, kept);
      default -> left.outerJoin(right, Dsl::joined, kept);
    };
  }

  /** Numbers the changes of each key in a store of its own. */
  private static final class Numbering implements ValueTransformerWithKey<String, String, String> {
    private KeyValueStore<String, String> store;

    @Override
    public void init(final ProcessorContext context) {
      store = context.getStateStore("numbers");
    }

    @Override
    public String transform(final String key, final String value) {
      final String before = store.get(key);
      final String number = (before == null ? "" : before) + (value == null ? "-" : "+");
      store.put(key, number);
      return value != null && value.startsWith("x") ? null : value + number;
    }

    @Override
    public void close() {}
  }

  private static final class Repeatable implements ValueTransformerWithKey<String, String, String> {
    @Override
    public void init(final ProcessorContext context) {}

    @Override
    public String transform(final String key, final String value) {
      return "x".equals(value) ? null : key + value;
    }

    @Override
    public void close() {}
  }
}
