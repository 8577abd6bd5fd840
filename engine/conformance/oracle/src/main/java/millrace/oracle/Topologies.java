package millrace.oracle;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;

/** Every topology of the comparison by its name; families add theirs. */
public final class Topologies {
  private final Map<String, Function<Params, Topology>> factories = new TreeMap<>();

  public static Topologies all() {
    final Topologies all = new Topologies();
    Aggregations.addTo(all);
    Cached.addTo(all);
    Cogroup.addTo(all);
    Emit.addTo(all);
    ForeignKeyJoins.addTo(all);
    Optimised.addTo(all);
    ProcessorApi.addTo(all);
    Programs.addTo(all);
    Sessions.addTo(all);
    Sliding.addTo(all);
    StreamStreamJoins.addTo(all);
    StreamTableJoins.addTo(all);
    Structure.addTo(all);
    Suppress.addTo(all);
    TableTableJoins.addTo(all);
    Versioned.addTo(all);
    Windows.addTo(all);
    return all;
  }

  /** A topology made with the DSL. */
  public void add(final String name, final DslTopology program) {
    addTopology(name, params -> {
      final StreamsBuilder builder = new StreamsBuilder();
      program.define(builder, params);
      return builder.build(Settings.of(params));
    });
  }

  /** A program of the DSL without parameters. */
  public void addProgram(final String name, final Consumer<StreamsBuilder> program) {
    add(name, (builder, params) -> program.accept(builder));
  }

  /** A topology made by hand, or by a builder with special settings. */
  public void addTopology(final String name, final Function<Params, Topology> factory) {
    if (factories.put(name, factory) != null) throw new IllegalStateException("two topologies are called " + name);
  }

  public Topology build(final String name, final Params params) {
    final Function<Params, Topology> factory = factories.get(name);
    if (factory == null) throw new UnknownTopology(name);
    return factory.apply(params);
  }

  public Iterable<String> names() {
    return factories.keySet();
  }

  public interface DslTopology {
    void define(StreamsBuilder builder, Params params);
  }

  public static final class UnknownTopology extends RuntimeException {
    UnknownTopology(final String name) {
      super("the oracle has no topology '" + name + "'");
    }
  }
}
