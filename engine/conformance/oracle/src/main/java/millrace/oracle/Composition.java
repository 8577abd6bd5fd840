package millrace.oracle;

import static millrace.oracle.Dsl.*;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.kstream.Suppressed.BufferConfig;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.SessionStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/** Builds a program that is given as data: the twin of `compositions/interpret.ts`, which says what the operators are. */
final class Composition {
  private static final int LENGTH_MAX = 24;
  private final StreamsBuilder builder = new StreamsBuilder();
  private final Map<Integer, Object> results = new HashMap<>();
  private final Map<Integer, KStream<String, String>> defaults = new HashMap<>();

  private Composition() {}

  static Topology build(final Params params) {
    final Composition composition = new Composition();
    for (final JsonNode statement : params.program().get("statements")) {
      composition.results.put(statement.get("id").asInt(), composition.result(statement));
    }
    return composition.builder.build(Settings.of(params));
  }

  private Object result(final JsonNode s) {
    final String name = text(s, "name");
    final Named named = name == null ? null : Named.as(name);
    final Predicate<String, String> predicate = predicate(s.path("predicate").asText("any"));
    final ValueMapperWithKey<String, String, String> mapping = mapping(s.path("mapping").asText("mark"));
    final KeyValueMapper<String, String, String> choice = choice(s.path("by").asText("same"));
    final String topic = text(s, "topic");
    final boolean kept = s.has("store") || s.path("typed").asBoolean();
    final Consumed<String, String> consumed = name == null ? in() : in().withName(name);
    switch (s.get("op").asText()) {
      case "stream": return builder.stream(topic, consumed);
      case "table": return builder.table(topic, consumed, kept(s));
      // With a Materialized that has no name Kafka Streams forgets the store of a global table.
      case "globalTable": return s.has("store") ? builder.globalTable(topic, consumed, kept(s)) : builder.globalTable(topic, consumed);
      case "filter": return named == null ? stream(s).filter(predicate) : stream(s).filter(predicate, named);
      case "filterNot": return named == null ? stream(s).filterNot(predicate) : stream(s).filterNot(predicate, named);
      case "map": {
        final KeyValueMapper<String, String, KeyValue<String, String>> both = (k, v) -> new KeyValue<>(choice.apply(k, v), mapping.apply(k, v));
        return named == null ? stream(s).map(both) : stream(s).map(both, named);
      }
      case "mapValues": return named == null ? stream(s).mapValues(mapping) : stream(s).mapValues(mapping, named);
      case "flatMapValues": {
        final ValueMapper<String, Iterable<String>> twice = v -> v == null ? List.of() : List.of(v, v + "2");
        return named == null ? stream(s).flatMapValues(twice) : stream(s).flatMapValues(twice, named);
      }
      case "selectKey": return named == null ? stream(s).selectKey(choice) : stream(s).selectKey(choice, named);
      case "peek": return named == null ? stream(s).peek((k, v) -> {}) : stream(s).peek((k, v) -> {}, named);
      case "processValues":
        return named == null ? stream(s).processValues(Marker::new) : stream(s).processValues(Marker::new, named);
      case "merge": return named == null ? stream(s).merge(otherStream(s)) : stream(s).merge(otherStream(s), named);
      case "split": {
        final BranchedKStream<String, String> split = named == null ? stream(s).split() : stream(s).split(named);
        final Map<String, KStream<String, String>> branches = split.branch(predicate).defaultBranch();
        for (final var branch : branches.entrySet()) {
          if (branch.getKey().endsWith("0")) defaults.put(s.get("id").asInt(), branch.getValue());
        }
        for (final var branch : branches.entrySet()) {
          if (branch.getKey().endsWith("1")) return branch.getValue();
        }
        throw new IllegalStateException("no branch");
      }
      case "default": return defaults.get(s.get("of").asInt());
      case "repartition": {
        final Repartitioned<String, String> how = Repartitioned.with(STRING, STRING);
        return stream(s).repartition(name == null ? how : how.withName(name));
      }
      case "toTable": return named == null ? stream(s).toTable(kept(s)) : stream(s).toTable(named, kept(s));
      case "group": return folded(groupedStream(s, "of", text(s, "groupName")), s, named);
      case "window": return windowed(groupedStream(s, "of", text(s, "groupName")), s, named);
      case "cogroup": {
        final CogroupedKStream<String, String> both = groupedStream(s, "of", text(s, "groupName"))
            .<String>cogroup((k, v, a) -> append(a, "+", v))
            .cogroup(groupedStream(s, "other", null), (k, v, a) -> append(a, "/", v));
        return named == null ? both.aggregate(() -> "", kept(s)) : both.aggregate(() -> "", named, kept(s));
      }
      case "joinTable": {
        final Joined<String, String, String> serdes = Joined.with(STRING, STRING, STRING, name);
        return kind(s).equals("left") ? stream(s).leftJoin(otherTable(s), Composition::join, serdes) : stream(s).join(otherTable(s), Composition::join, serdes);
      }
      case "joinGlobal": {
        @SuppressWarnings("unchecked")
        final GlobalKTable<String, String> global = (GlobalKTable<String, String>) other(s);
        if (kind(s).equals("left")) return named == null ? stream(s).leftJoin(global, choice, Composition::join) : stream(s).leftJoin(global, choice, Composition::join, named);
        return named == null ? stream(s).join(global, choice, Composition::join) : stream(s).join(global, choice, Composition::join, named);
      }
      case "joinStream": {
        final JoinWindows windows = JoinWindows.ofTimeDifferenceAndGrace(ms(s, "after"), ms(s, "grace")).before(ms(s, "before"));
        final StreamJoined<String, String, String> plain = StreamJoined.with(STRING, STRING, STRING);
        final StreamJoined<String, String, String> serdes = name == null ? plain : plain.withName(name);
        return switch (kind(s)) {
          case "outer" -> stream(s).outerJoin(otherStream(s), Composition::join, windows, serdes);
          case "left" -> stream(s).leftJoin(otherStream(s), Composition::join, windows, serdes);
          default -> stream(s).join(otherStream(s), Composition::join, windows, serdes);
        };
      }
      case "tableFilter": {
        if (!kept) return named == null ? table(s).filter(predicate) : table(s).filter(predicate, named);
        return named == null ? table(s).filter(predicate, kept(s)) : table(s).filter(predicate, named, kept(s));
      }
      case "tableMapValues": {
        if (!kept) return named == null ? table(s).mapValues(mapping) : table(s).mapValues(mapping, named);
        return named == null ? table(s).mapValues(mapping, kept(s)) : table(s).mapValues(mapping, named, kept(s));
      }
      case "tableGroup":
        return tableFolded(table(s).groupBy((k, v) -> new KeyValue<>(choice.apply(k, v), mapping.apply(k, v)), group(text(s, "groupName"))), s, named);
      case "tableJoin": {
        final KTable<String, String> left = table(s);
        final KTable<String, String> right = otherTable(s);
        final boolean stored = kept;
        return switch (kind(s)) {
          case "outer" -> named == null
              ? (stored ? left.outerJoin(right, Composition::join, kept(s)) : left.outerJoin(right, Composition::join))
              : (stored ? left.outerJoin(right, Composition::join, named, kept(s)) : left.outerJoin(right, Composition::join, named));
          case "left" -> named == null
              ? (stored ? left.leftJoin(right, Composition::join, kept(s)) : left.leftJoin(right, Composition::join))
              : (stored ? left.leftJoin(right, Composition::join, named, kept(s)) : left.leftJoin(right, Composition::join, named));
          default -> named == null
              ? (stored ? left.join(right, Composition::join, kept(s)) : left.join(right, Composition::join))
              : (stored ? left.join(right, Composition::join, named, kept(s)) : left.join(right, Composition::join, named));
        };
      }
      case "foreignKeyJoin": {
        final KTable<String, String> left = table(s);
        final Function<String, String> key = v -> head(v).toUpperCase();
        final TableJoined<String, String> joined = name == null ? null : TableJoined.as(name);
        if (kind(s).equals("left")) {
          return joined == null ? left.leftJoin(otherTable(s), key, Composition::join, kept(s)) : left.leftJoin(otherTable(s), key, Composition::join, joined, kept(s));
        }
        return joined == null ? left.join(otherTable(s), key, Composition::join, kept(s)) : left.join(otherTable(s), key, Composition::join, joined, kept(s));
      }
      case "timeLimit": {
        final Suppressed<String> limit = Suppressed.untilTimeLimit(ms(s, "limit"), BufferConfig.maxRecords(s.path("maxRecords").asLong(2)).emitEarlyWhenFull());
        return table(s).suppress(name == null ? limit : limit.withName(name));
      }
      case "toStream": return named == null ? table(s).toStream() : table(s).toStream(named);
      case "windowClose": {
        final Suppressed<Windowed<?>> close = Suppressed.untilWindowCloses(BufferConfig.unbounded());
        return windowedTable(s).suppress(name == null ? close : close.withName(name));
      }
      case "windowFilter": {
        final Predicate<Windowed<String>, String> wanted = (k, v) -> predicate.test(null, v);
        return named == null ? windowedTable(s).filter(wanted) : windowedTable(s).filter(wanted, named);
      }
      case "windowGroup":
        return tableFolded(windowedTable(s).groupBy((w, v) -> new KeyValue<>(w.key(), v), group(text(s, "groupName"))), s, named);
      case "windowStream": {
        final KStream<Windowed<String>, String> changes = named == null ? windowedTable(s).toStream() : windowedTable(s).toStream(named);
        return changes.selectKey((w, v) -> w.key() + "@" + w.window().start() + "-" + w.window().end());
      }
      case "to":
        stream(s).to(topic, name == null ? out() : out().withName(name));
        return null;
      default: throw new IllegalArgumentException("there is no operator " + s.get("op"));
    }
  }

  private static String text(final JsonNode s, final String field) {
    return s.has(field) ? s.get(field).asText() : null;
  }

  private static Duration ms(final JsonNode s, final String field) {
    return Duration.ofMillis(s.path(field).asLong(0));
  }

  private static String kind(final JsonNode s) {
    return s.path("kind").asText("inner");
  }

  private Object other(final JsonNode s) {
    return results.get(s.get("other").asInt());
  }

  @SuppressWarnings("unchecked")
  private KStream<String, String> stream(final JsonNode s) {
    return (KStream<String, String>) results.get(s.get("of").asInt());
  }

  @SuppressWarnings("unchecked")
  private KStream<String, String> otherStream(final JsonNode s) {
    return (KStream<String, String>) other(s);
  }

  @SuppressWarnings("unchecked")
  private KTable<String, String> table(final JsonNode s) {
    return (KTable<String, String>) results.get(s.get("of").asInt());
  }

  @SuppressWarnings("unchecked")
  private KTable<String, String> otherTable(final JsonNode s) {
    return (KTable<String, String>) other(s);
  }

  @SuppressWarnings("unchecked")
  private KTable<Windowed<String>, String> windowedTable(final JsonNode s) {
    return (KTable<Windowed<String>, String>) results.get(s.get("of").asInt());
  }

  private static Grouped<String, String> group(final String name) {
    return name == null ? grouped() : grouped().withName(name);
  }

  @SuppressWarnings("unchecked")
  private KGroupedStream<String, String> groupedStream(final JsonNode s, final String of, final String name) {
    final KStream<String, String> input = (KStream<String, String>) results.get(s.get(of).asInt());
    return s.has("by") ? input.groupBy(choice(s.get("by").asText()), group(name)) : input.groupByKey(group(name));
  }

  private static Materialized<String, String, KeyValueStore<Bytes, byte[]>> kept(final JsonNode s) {
    if (s.has("history")) {
      return flags(s, Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore(text(s, "store"), ms(s, "history")))
          .withKeySerde(STRING).withValueSerde(STRING));
    }
    return flags(s, Composition.<String, KeyValueStore<Bytes, byte[]>>materialized(s, STRING));
  }

  private static Materialized<String, Long, KeyValueStore<Bytes, byte[]>> counted(final JsonNode s) {
    if (s.has("history")) {
      return flags(s, Materialized.<String, Long>as(Stores.persistentVersionedKeyValueStore(text(s, "store"), ms(s, "history")))
          .withKeySerde(STRING).withValueSerde(LONG));
    }
    return flags(s, Composition.<Long, KeyValueStore<Bytes, byte[]>>materialized(s, LONG));
  }

  private static <V, S extends StateStore> Materialized<String, V, S> materialized(final JsonNode s, final Serde<V> value) {
    final String store = text(s, "store");
    return store == null ? Materialized.with(STRING, value) : Materialized.<String, V, S>as(store).withKeySerde(STRING).withValueSerde(value);
  }

  private static <V, S extends StateStore> Materialized<String, V, S> flags(final JsonNode s, final Materialized<String, V, S> kept) {
    if (s.has("cached")) {
      if (s.get("cached").asBoolean()) kept.withCachingEnabled();
      else kept.withCachingDisabled();
    }
    if (s.has("logged") && !s.get("logged").asBoolean()) kept.withLoggingDisabled();
    return s.has("retention") ? kept.withRetention(ms(s, "retention")) : kept;
  }

  private static KTable<String, String> numbers(final KTable<String, Long> counts) {
    return counts.mapValues(n -> String.valueOf(n), Materialized.with(null, STRING));
  }

  private static KTable<Windowed<String>, String> windowNumbers(final KTable<Windowed<String>, Long> counts) {
    return counts.mapValues(n -> String.valueOf(n), Materialized.with(null, STRING));
  }

  private static KTable<String, String> folded(final KGroupedStream<String, String> grouped, final JsonNode s, final Named named) {
    final Reducer<String> add = (a, v) -> append(a, "+", v);
    return switch (s.path("fold").asText("count")) {
      case "reduce" -> named == null ? grouped.reduce(add, kept(s)) : grouped.reduce(add, named, kept(s));
      case "aggregate", "aggregate-or-null" -> named == null ? grouped.aggregate(() -> "", folding(s), kept(s)) : grouped.aggregate(() -> "", folding(s), named, kept(s));
      default -> numbers(named == null ? grouped.count(counted(s)) : grouped.count(named, counted(s)));
    };
  }

  private static Aggregator<String, String, String> folding(final JsonNode s) {
    final boolean orNull = s.path("fold").asText().equals("aggregate-or-null");
    return (k, v, a) -> orNull && v != null && v.startsWith("c") ? null : append(a, "+", v);
  }

  private static KTable<String, String> tableFolded(final KGroupedTable<String, String> grouped, final JsonNode s, final Named named) {
    final Reducer<String> add = (a, v) -> append(a, "+", v);
    final Reducer<String> subtract = (a, v) -> append(a, "-", v);
    switch (s.path("fold").asText("count")) {
      case "reduce": return named == null ? grouped.reduce(add, subtract, kept(s)) : grouped.reduce(add, subtract, named, kept(s));
      case "aggregate":
      case "aggregate-or-null": {
        final boolean orNull = s.get("fold").asText().equals("aggregate-or-null");
        final Aggregator<String, String, String> adder = (k, v, a) -> orNull && v.startsWith("c") ? null : append(a, "+", v);
        final Aggregator<String, String, String> subtractor = (k, v, a) -> orNull && v.startsWith("b") ? null : append(a, "-", v);
        return named == null ? grouped.aggregate(() -> "", adder, subtractor, kept(s)) : grouped.aggregate(() -> "", adder, subtractor, named, kept(s));
      }
      default: return numbers(named == null ? grouped.count(counted(s)) : grouped.count(named, counted(s)));
    }
  }

  private static KTable<Windowed<String>, String> windowed(final KGroupedStream<String, String> grouped, final JsonNode s, final Named named) {
    final JsonNode w = s.get("windows");
    final EmitStrategy strategy = s.path("emitOnClose").asBoolean() ? EmitStrategy.onWindowClose() : EmitStrategy.onWindowUpdate();
    final String fold = s.path("fold").asText("count");
    final Reducer<String> add = (a, v) -> append(a, "+", v);
    if (w.get("kind").asText().equals("session")) {
      final SessionWindowedKStream<String, String> sessions = grouped
          .windowedBy(SessionWindows.ofInactivityGapAndGrace(ms(w, "gap"), ms(w, "grace"))).emitStrategy(strategy);
      final Materialized<String, String, SessionStore<Bytes, byte[]>> kept = flags(s, materialized(s, STRING));
      final Materialized<String, Long, SessionStore<Bytes, byte[]>> counted = flags(s, materialized(s, LONG));
      final Merger<String, String> merger = (k, a, b) -> append(a, "&", b);
      return switch (fold) {
        case "reduce" -> named == null ? sessions.reduce(add, kept) : sessions.reduce(add, named, kept);
        case "count" -> windowNumbers(named == null ? sessions.count(counted) : sessions.count(named, counted));
        default -> named == null ? sessions.aggregate(() -> "", folding(s), merger, kept) : sessions.aggregate(() -> "", folding(s), merger, named, kept);
      };
    }
    final TimeWindowedKStream<String, String> windows = (w.get("kind").asText().equals("time")
        ? grouped.windowedBy(TimeWindows.ofSizeAndGrace(ms(w, "size"), ms(w, "grace")).advanceBy(ms(w, "advance")))
        : grouped.windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(ms(w, "diff"), ms(w, "grace")))).emitStrategy(strategy);
    final Materialized<String, String, WindowStore<Bytes, byte[]>> kept = flags(s, materialized(s, STRING));
    final Materialized<String, Long, WindowStore<Bytes, byte[]>> counted = flags(s, materialized(s, LONG));
    return switch (fold) {
      case "reduce" -> named == null ? windows.reduce(add, kept) : windows.reduce(add, named, kept);
      case "count" -> windowNumbers(named == null ? windows.count(counted) : windows.count(named, counted));
      default -> named == null ? windows.aggregate(() -> "", folding(s), kept) : windows.aggregate(() -> "", folding(s), named, kept);
    };
  }

  private static Predicate<String, String> predicate(final String name) {
    return switch (name) {
      case "a" -> (k, v) -> v != null && v.startsWith("a");
      case "not-b" -> (k, v) -> v == null || !v.startsWith("b");
      case "x" -> (k, v) -> v != null && v.startsWith("x");
      default -> (k, v) -> true;
    };
  }

  private static ValueMapperWithKey<String, String, String> mapping(final String name) {
    return switch (name) {
      case "null-c" -> (k, v) -> v == null || v.startsWith("c") ? null : v;
      case "key" -> (k, v) -> v == null ? null : v + k;
      default -> (k, v) -> v == null ? null : v + "!";
    };
  }

  private static KeyValueMapper<String, String, String> choice(final String name) {
    return switch (name) {
      case "first" -> (k, v) -> v == null ? k : head(v);
      case "value" -> (k, v) -> v;
      case "all" -> (k, v) -> "all";
      case "upper" -> (k, v) -> v == null ? null : head(v).toUpperCase();
      default -> (k, v) -> k;
    };
  }

  private static String append(final String aggregate, final String sign, final String value) {
    return (aggregate == null || aggregate.length() > LENGTH_MAX ? "" : aggregate) + sign + value;
  }

  private static String join(final Object left, final Object right) {
    return cut(String.valueOf(left)) + "|" + cut(String.valueOf(right));
  }

  /** Values may be empty: an aggregate begins so, and its old value goes down. */
  private static String head(final String text) {
    return text.isEmpty() ? "" : text.substring(0, 1);
  }

  private static String cut(final String text) {
    return text.length() > LENGTH_MAX ? text.substring(0, LENGTH_MAX) : text;
  }

  /** Marks values in a processor of our own. */
  private static final class Marker extends ContextualFixedKeyProcessor<String, String, String> {
    @Override
    public void process(final FixedKeyRecord<String, String> record) {
      context().forward(record.withValue(record.value() + "~"));
    }
  }
}
