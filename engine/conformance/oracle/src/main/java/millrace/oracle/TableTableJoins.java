package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.kstream.KTable;

/** Table–table joins: the twin of `topologies/table-table-joins.ts`. */
final class TableTableJoins {
  private TableTableJoins() {}

  static void addTo(final Topologies all) {
    for (final String kind : new String[] {"inner", "left", "outer"}) {
      all.add("table-table-" + kind + "-join", (builder, params) -> {
        final KTable<String, String> left = builder.table("left", in(), kept("lt"));
        final KTable<String, String> right = builder.table("right", in(), kept("rt"));
        join(kind, left, right).toStream().to("out", out());
      });
    }
  }

  static KTable<String, String> join(final String kind, final KTable<String, String> left, final KTable<String, String> right) {
    return switch (kind) {
      case "inner" -> left.join(right, Dsl::joined);
      case "left" -> left.leftJoin(right, Dsl::joined);
      default -> left.outerJoin(right, Dsl::joined);
    };
  }
}
