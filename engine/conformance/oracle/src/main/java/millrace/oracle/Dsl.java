package millrace.oracle;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.WindowStore;

/** What all families share: the twin of `topologies/family.ts`. */
public final class Dsl {
  public static final Serde<String> STRING = Serdes.String();
  public static final Serde<Long> LONG = Serdes.Long();

  private Dsl() {}

  public static Consumed<String, String> in() {
    return Consumed.with(STRING, STRING);
  }

  public static Produced<String, String> out() {
    return Produced.with(STRING, STRING);
  }

  public static Grouped<String, String> grouped() {
    return Grouped.with(STRING, STRING);
  }

  /** A store of strings of that name. */
  public static Materialized<String, String, KeyValueStore<Bytes, byte[]>> kept(final String name) {
    return Materialized.<String, String, KeyValueStore<Bytes, byte[]>>as(name).withKeySerde(STRING).withValueSerde(STRING);
  }

  public static Materialized<String, Long, KeyValueStore<Bytes, byte[]>> counted(final String name) {
    return Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as(name).withKeySerde(STRING).withValueSerde(LONG);
  }

  /** `ampleRetention` where a family lets no window expire. */
  private static String retention(final Params params) {
    return params.is("ampleRetention") ? "ampleRetention" : "retention";
  }

  /** A window store; the parameter `retention` as in the vectors: 0 is Kafka Streams' default. */
  public static <V> Materialized<String, V, WindowStore<Bytes, byte[]>> windows(final String name, final Serde<V> value, final Params params) {
    final Materialized<String, V, WindowStore<Bytes, byte[]>> kept = Materialized.<String, V, WindowStore<Bytes, byte[]>>as(name).withKeySerde(STRING).withValueSerde(value);
    return params.is(retention(params)) ? kept.withRetention(params.ms(retention(params))) : kept;
  }

  public static <V> Materialized<String, V, SessionStore<Bytes, byte[]>> sessions(final String name, final Serde<V> value, final Params params) {
    final Materialized<String, V, SessionStore<Bytes, byte[]>> kept = Materialized.<String, V, SessionStore<Bytes, byte[]>>as(name).withKeySerde(STRING).withValueSerde(value);
    return params.is(retention(params)) ? kept.withRetention(params.ms(retention(params))) : kept;
  }

  /** The joiner of all joins: `left|right`. */
  public static String joined(final Object left, final Object right) {
    return left + "|" + right;
  }

  public static String first(final String value) {
    return value.substring(0, 1);
  }

  /** The foreign key of "f1:x": "f1"; null without one. */
  public static String foreignKey(final String value) {
    final int colon = value == null ? -1 : value.indexOf(':');
    return colon <= 0 ? null : value.substring(0, colon);
  }
}
