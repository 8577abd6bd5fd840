package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.streams.kstream.GlobalKTable;
import org.apache.kafka.streams.kstream.KStream;

/** Joins of streams with tables and global tables: the twin of `topologies/stream-table-joins.ts`. */
final class StreamTableJoins {
  private StreamTableJoins() {}

  static void addTo(final Topologies all) {
    all.add("stream-table-inner-join", (builder, params) -> {
      final KStream<String, String> left = builder.stream("left", in());
      left.join(builder.table("right", in(), kept("rt")), Dsl::joined).to("out", out());
    });

    all.add("stream-table-left-join", (builder, params) -> {
      final KStream<String, String> left = builder.stream("left", in());
      left.leftJoin(builder.table("right", in(), kept("rt")), Dsl::joined).to("out", out());
    });

    all.add("stream-globaltable-left-join", (builder, params) -> {
      final GlobalKTable<String, String> right = builder.globalTable("right", in(), kept("gt"));
      builder.stream("left", in()).leftJoin(right, (k, v) -> foreignKey(v), Dsl::joined).to("out", out());
    });
  }
}
