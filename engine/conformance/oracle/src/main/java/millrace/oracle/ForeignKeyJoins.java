package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.util.function.Function;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.TableJoined;

/** Foreign-key joins: the twin of `topologies/foreign-key-joins.ts`. */
final class ForeignKeyJoins {
  private ForeignKeyJoins() {}

  static void addTo(final Topologies all) {
    for (final boolean left : new boolean[] {false, true}) {
      all.add(left ? "fk-left-join" : "fk-inner-join", (builder, params) -> {
        final KTable<String, String> one = builder.table("left", in(), kept("lt"));
        final KTable<String, String> other = builder.table("right", in(), kept("rt"));
        final Function<String, String> key = Dsl::foreignKey;
        final TableJoined<String, String> name = TableJoined.as("fkj");
        (left ? one.leftJoin(other, key, Dsl::joined, name, kept("res")) : one.join(other, key, Dsl::joined, name, kept("res")))
            .toStream().to("out", out());
      });
    }
  }
}
