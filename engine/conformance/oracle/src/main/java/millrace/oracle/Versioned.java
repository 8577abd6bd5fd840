package millrace.oracle;

import static millrace.oracle.Dsl.*;

import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
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
      final KTable<String, String> right = builder.table("right", in(), versioned("rt", params));
      left.leftJoin(right, Dsl::joined, Joined.<String, String, String>as("vj").withGracePeriod(params.ms("grace"))
          .withKeySerde(STRING).withValueSerde(STRING)).to("out", out());
    });
  }

  static Materialized<String, String, KeyValueStore<Bytes, byte[]>> versioned(final String name, final Params params) {
    return Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore(name, params.ms("history")))
        .withKeySerde(STRING).withValueSerde(STRING);
  }
}
