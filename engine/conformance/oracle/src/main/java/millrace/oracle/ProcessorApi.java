package millrace.oracle;

import static millrace.oracle.Dsl.*;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Topologies made by hand: the twin of `topologies/processor-api.ts`. */
final class ProcessorApi {
  private ProcessorApi() {}

  static void addTo(final Topologies all) {
    StoreReads.addTo(all);
    ProcessorRouting.addTo(all);
    all.addTopology("papi-punctuate", params -> new Topology()
        .addSource("src", STRING.deserializer(), STRING.deserializer(), "in")
        .addProcessor("proc", () -> new Punctuated(params), "src")
        .addStateStore(Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("buf"), STRING, STRING), "proc")
        .addSink("sink", "out", STRING.serializer(), STRING.serializer(), "proc"));
  }

  /** Gathers values of each key and forwards them from both kinds of punctuator. */
  private static final class Punctuated extends ContextualProcessor<String, String, String, String> {
    private final Params params;
    private KeyValueStore<String, String> store;

    Punctuated(final Params params) {
      this.params = params;
    }

    @Override
    public void init(final ProcessorContext<String, String> context) {
      super.init(context);
      store = context.getStateStore("buf");
      context.schedule(params.ms("streamEvery"), PunctuationType.STREAM_TIME, at -> fire("st", at));
      context.schedule(params.ms("wallEvery"), PunctuationType.WALL_CLOCK_TIME, at -> fire("wc", at));
    }

    @Override
    public void process(final org.apache.kafka.streams.processor.api.Record<String, String> record) {
      if (record.key() == null) return;
      final String before = store.get(record.key());
      store.put(record.key(), (before == null ? "" : before) + record.value());
    }

    private void fire(final String kind, final long at) {
      final List<KeyValue<String, String>> entries = new ArrayList<>();
      try (KeyValueIterator<String, String> all = store.all()) {
        all.forEachRemaining(entries::add);
      }
      for (final KeyValue<String, String> entry : entries) {
        context().forward(new org.apache.kafka.streams.processor.api.Record<>(entry.key, kind + "@" + at + "=" + entry.value, at));
        store.delete(entry.key);
      }
      if (entries.isEmpty()) {
        final String text = kind + "@" + at + " empty stream=" + context().currentStreamTimeMs();
        context().forward(new org.apache.kafka.streams.processor.api.Record<>("-", text, at));
      }
    }
  }
}
