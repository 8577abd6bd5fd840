package millrace.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.streams.Topology;

/**
 * Answers runs, a JSON line each on standard input, with what Kafka Streams does, a JSON line each on standard output. See README.md.
 */
public final class Oracle {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Oracle() {}

  public static void main(final String[] args) throws Exception {
    final PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    System.setOut(System.err); // so that nothing else gets between the answers
    final Topologies topologies = Topologies.all();
    final BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (line.isBlank()) continue;
      answers.println(JSON.writeValueAsString(answer(topologies, JSON.readTree(line))));
      answers.flush();
    }
    System.exit(0);
  }

  private static ObjectNode answer(final Topologies topologies, final JsonNode run) {
    final ObjectNode answer = JSON.createObjectNode();
    answer.set("id", run.get("id"));
    if (run.path("list").asBoolean()) {
      final var names = answer.putArray("names");
      for (final String name : topologies.names()) names.add(name);
      return answer;
    }
    try {
      final Params params = new Params(run.path("params"), run.get("program"));
      final String name = run.get("topology").asText();
      final Topology topology = params.program() == null ? topologies.build(name, params) : Composition.build(params);
      answer.put("describe", topology.describe().toString());
      new DriverRun(topology, params, run).answer(answer);
      answer.put("internalTopics", InternalTopics.text(topology, params));
    } catch (final Throwable error) {
      answer.put("error", describe(error));
      answer.put("unknownTopology", error instanceof Topologies.UnknownTopology);
    }
    return answer;
  }

  /** The exception with the place in our code or in Kafka's, and its causes. */
  private static String describe(final Throwable error) {
    final StringBuilder text = new StringBuilder();
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      text.append(text.isEmpty() ? "" : " / ").append(cause);
      final StackTraceElement[] frames = cause.getStackTrace();
      if (frames.length > 0) text.append(" at ").append(frames[0]);
    }
    return text.toString();
  }
}
