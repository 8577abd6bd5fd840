package millrace.oracle;

import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;

/** The configuration under which topologies are compared. */
public final class Settings {
  private Settings() {}

  /** No cache and no optimisation unless the parameters `cacheBytes` and `optimise` say so; no throttles. */
  public static Properties of(final Params params) {
    final Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, "app");
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "unused:1");
    config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, params.get("cacheBytes", 0));
    config.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, params.is("optimise") ? StreamsConfig.OPTIMIZE : StreamsConfig.NO_OPTIMIZATION);
    config.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", params.get("outerJoinEmitIntervalMs", 0));
    config.put("__emit.interval.ms.kstreams.windowed.aggregation__", params.get("windowEmitIntervalMs", 0));
    // `rocksdb` asks for Kafka Streams' default stores; versioned ones always are.
    if (!params.is("rocksdb")) {
      config.put(StreamsConfig.DSL_STORE_SUPPLIERS_CLASS_CONFIG, BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers.class);
    }
    return config;
  }
}
