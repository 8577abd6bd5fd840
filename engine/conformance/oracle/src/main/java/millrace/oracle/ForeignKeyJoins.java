package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TableJoined;
import org.apache.kafka.streams.state.KeyValueStore;

/** Foreign-key joins: the twin of `topologies/foreign-key-joins.ts`. */
final class ForeignKeyJoins {
  private static final Function<String, String> KEY = Dsl::foreignKey;

  private ForeignKeyJoins() {}

  static void addTo(final Topologies all) {
    for (final boolean left : new boolean[] {false, true}) {
      addTo(all, left, left ? "fk-left-join" : "fk-inner-join");
    }
  }

  private static void addTo(final Topologies all, final boolean left, final String prefix) {
    all.add(prefix, (builder, params) -> {
      final KTable<String, String> one = builder.table("left", in(), kept("lt"));
      final KTable<String, String> other = builder.table("right", in(), kept("rt"));
      final TableJoined<String, String> name = TableJoined.as("fkj");
      (left ? one.leftJoin(other, KEY, Dsl::joined, name, kept("res")) : one.join(other, KEY, Dsl::joined, name, kept("res")))
          .toStream().to("out", out());
    });

    ofTables(all, prefix + "-unnamed", table -> join(left, table.apply("left"), table.apply("right")));

    final BiFunction<String, String, String> ofKey = (k, v) -> "x".equals(v) ? null : "f" + k.charAt(0) % 3;
    ofTables(all, prefix + "-keyed", table -> {
      final KTable<String, String> one = table.apply("left");
      final KTable<String, String> other = table.apply("right");
      return left ? one.leftJoin(other, ofKey, Dsl::joined, strings()) : one.join(other, ofKey, Dsl::joined, strings());
    });

    ofTables(all, prefix + "-of-joins", table -> {
      final KTable<String, String> one = table.apply("left").outerJoin(table.apply("left2"), Dsl::joined, strings());
      final KTable<String, String> other = table.apply("right").leftJoin(table.apply("right2"), Dsl::joined, strings());
      return join(left, one, other);
    });

    ofTables(all, prefix + "-of-views", table -> {
      final KTable<String, String> one = table.apply("left").mapValues(v -> v + "!", strings());
      final KTable<String, String> other = table.apply("right").filter((k, v) -> !v.startsWith("x"));
      return join(left, one, other);
    });

    ofTables(all, prefix + "-chain", table -> {
      final KTable<String, String> first = joinKept(left, table.apply("left"), table.apply("right"));
      return join(left, first, table.apply("third"));
    });

    ofTables(all, prefix + "-then-join", table ->
        joinKept(left, table.apply("left"), table.apply("right")).outerJoin(table.apply("left2"), Dsl::joined));

    ofTables(all, prefix + "-regrouped", table -> {
      final KTable<String, String> one = table.apply("left");
      final KTable<String, String> other = table.apply("right");
      final TableJoined<String, String> name = TableJoined.as("fkj");
      return (left ? one.leftJoin(other, KEY, Dsl::joined, name, strings()) : one.join(other, KEY, Dsl::joined, name, strings()))
          .groupBy((k, v) -> new KeyValue<>(v.substring(v.length() - 1), k + v), Grouped.with("g", STRING, STRING))
          .aggregate(() -> "0", (k, v, a) -> a + "+" + v, (k, v, a) -> a + "-" + v, kept("agg"));
    });

    all.add(prefix + "-fanned", (builder, params) -> {
      final KTable<String, String> one = TableTableJoins.fanned(builder, "left").toTable(kept("lt"));
      final KTable<String, String> other = TableTableJoins.fanned(builder, "right").toTable(kept("rt"));
      (left ? one.leftJoin(other, KEY, Dsl::joined, kept("res")) : one.join(other, KEY, Dsl::joined, kept("res")))
          .toStream().to("out", out());
    });

    final Function<String, String> pointing = v -> v.startsWith("x") ? null : "f" + v.length() % 3;
    ofTables(all, prefix + "-of-itself", table -> {
      final KTable<String, String> one = table.apply("right");
      return left ? one.leftJoin(one, pointing, Dsl::joined) : one.join(one, pointing, Dsl::joined);
    });

    all.add(prefix + "-of-aggregates", (builder, params) -> {
      final KTable<String, String> one = builder.stream("left", in()).groupByKey().reduce((a, v) -> v, kept("lt"));
      final KTable<String, String> other = builder.stream("right", in()).toTable();
      join(left, one, other).toStream().to("out", out());
    });
  }

  private static void ofTables(final Topologies all, final String name,
      final Function<Function<String, KTable<String, String>>, KTable<String, String>> result) {
    all.add(name, (builder, params) ->
        result.apply(topic -> builder.table(topic, in())).toStream().to("out", out()));
  }

  private static KTable<String, String> join(final boolean left, final KTable<String, String> one, final KTable<String, String> other) {
    return left ? one.leftJoin(other, KEY, Dsl::joined) : one.join(other, KEY, Dsl::joined);
  }

  private static KTable<String, String> joinKept(final boolean left, final KTable<String, String> one, final KTable<String, String> other) {
    return left ? one.leftJoin(other, KEY, Dsl::joined, strings()) : one.join(other, KEY, Dsl::joined, strings());
  }

  private static Materialized<String, String, KeyValueStore<Bytes, byte[]>> strings() {
    return Materialized.with(STRING, STRING);
  }
}
