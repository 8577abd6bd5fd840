package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.RecordContext;
import org.apache.kafka.streams.processor.TopicNameExtractor;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Where processors send records, and stores filled from topics: the twin of `topologies/processor-routing.ts`. */
final class ProcessorRouting {
  private static final Deserializer<String> IN = STRING.deserializer();
  private static final Serializer<String> OUT = STRING.serializer();

  private ProcessorRouting() {}

  static void addTo(final Topologies all) {
    all.addTopology("papi-routing", params -> new Topology()
        .addSource("src", IN, IN, "in")
        .addProcessor("router", Router::new, "src")
        .addProcessor("left", () -> new Marking("left"), "router")
        .addProcessor("right", () -> new Marking("right"), "router")
        .addProcessor("last", () -> new Marking("last"), "left", "right")
        .addSink("sink", "out", OUT, OUT, "left", "last")
        .addSink("chosen", new ChooseTopic(), OUT, OUT, "router"));

    all.addTopology("papi-filled-stores", params -> new Topology()
        .addGlobalStore(store("glo"), "global-source", IN, IN, "third", "global-filler", () -> new Filling("glo", "!"))
        .addReadOnlyStateStore(store("ro"), "ro-source", IN, IN, "right", "ro-filler", () -> new Filling("ro", "?"))
        .addSource("src", IN, IN, "left")
        .addProcessor("look", Looking::new, "src")
        .connectProcessorAndStateStores("look", "ro")
        .addSink("sink", "out", OUT, OUT, "look"));
  }

  /** Its name is in the text of describe(). */
  private static final class ChooseTopic implements TopicNameExtractor<String, String> {
    @Override
    public String extract(final String key, final String value, final RecordContext context) {
      return "A".equals(key) ? "out-a" : "out-rest";
    }

    @Override
    public String toString() {
      return "chooseTopic";
    }
  }

  private static StoreBuilder<KeyValueStore<String, String>> store(final String name) {
    return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), STRING, STRING).withLoggingDisabled();
  }

  private static byte[] bytes(final String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static final class Router extends ContextualProcessor<String, String, String, String> {
    @Override
    public void process(final Record<String, String> record) {
      record.headers().add("from", bytes(String.valueOf(context().recordMetadata().get().offset())));
      final String value = record.value();
      if (value == null) return;
      if (value.startsWith("a")) context().forward(record, "left");
      else if (value.startsWith("b")) context().forward(record.withValue(value + "+").withTimestamp(record.timestamp() + 1), "right");
      else context().forward(record);
    }
  }

  private static final class Marking extends ContextualProcessor<String, String, String, String> {
    private final String name;

    Marking(final String name) {
      this.name = name;
    }

    @Override
    public void process(final Record<String, String> record) {
      record.headers().add("seen", bytes(name));
      context().forward(record.withValue(record.value() + ":" + name + "@" + context().currentStreamTimeMs()));
    }
  }

  private static final class Filling implements Processor<String, String, Void, Void> {
    private final String name;
    private final String mark;
    private KeyValueStore<String, String> store;

    Filling(final String name, final String mark) {
      this.name = name;
      this.mark = mark;
    }

    @Override
    public void init(final ProcessorContext<Void, Void> context) {
      store = context.getStateStore(name);
    }

    @Override
    public void process(final Record<String, String> record) {
      if (record.key() == null) return;
      if (record.value() == null) store.delete(record.key());
      else store.put(record.key(), record.value() + mark);
    }
  }

  private static final class Looking extends ContextualProcessor<String, String, String, String> {
    private KeyValueStore<String, String> readOnly;
    private KeyValueStore<String, String> global;

    @Override
    public void init(final ProcessorContext<String, String> context) {
      super.init(context);
      readOnly = context.getStateStore("ro");
      global = context.getStateStore("glo");
    }

    @Override
    public void process(final Record<String, String> record) {
      if (record.key() == null) return;
      context().forward(record.withValue(readOnly.get(record.key()) + "|" + global.get(record.key())));
    }
  }
}
