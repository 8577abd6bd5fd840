package millrace.oracle;

import java.lang.reflect.Field;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.internals.InternalTopicConfig;
import org.apache.kafka.streams.processor.internals.InternalTopologyBuilder;
import org.apache.kafka.streams.processor.internals.TopologyMetadata;

/** The internal topics of each sub-topology with the configuration that Kafka Streams would create them with. */
final class InternalTopics {
  private static final long ADDITIONAL_RETENTION_MS = 86_400_000L;

  private InternalTopics() {}

  static String text(final Topology topology, final Params params) throws ReflectiveOperationException {
    final Field field = Topology.class.getDeclaredField("internalTopologyBuilder");
    field.setAccessible(true);
    final InternalTopologyBuilder builder = (InternalTopologyBuilder) field.get(topology);
    final Properties settings = Settings.of(params);
    builder.rewriteTopology(new StreamsConfig(settings));
    final StringBuilder text = new StringBuilder();
    final var parts = new TreeMap<Integer, InternalTopologyBuilder.TopicsInfo>();
    final Field id = TopologyMetadata.Subtopology.class.getDeclaredField("nodeGroupId");
    id.setAccessible(true);
    for (final var part : builder.subtopologyToTopicsInfo().entrySet()) parts.put(id.getInt(part.getKey()), part.getValue());
    parts.forEach((part, topics) -> {
      text.append("subtopology ").append(part).append("\n");
      text.append("  sources ").append(new TreeSet<>(topics.sourceTopics)).append("\n");
      text.append("  sinks ").append(new TreeSet<>(topics.sinkTopics)).append("\n");
      list(text, "repartition", topics.repartitionSourceTopics);
      list(text, "changelog", topics.stateChangelogTopics);
    });
    return text.toString();
  }

  private static void list(final StringBuilder text, final String kind, final Map<String, InternalTopicConfig> topics) {
    new TreeMap<>(topics).forEach((topic, config) -> text.append("  ").append(kind).append(" ").append(topic).append(" ")
        .append(new TreeMap<>(config.properties(Map.of(), ADDITIONAL_RETENTION_MS))).append("\n"));
  }
}
