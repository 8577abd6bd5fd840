package millrace.oracle;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;

/** Parameters of a run: numbers by name, and the program of a composition. */
public record Params(JsonNode numbers, JsonNode program) {
  public long get(final String name) {
    if (!numbers.has(name)) throw new IllegalArgumentException("the run has no parameter '" + name + "'");
    return numbers.get(name).asLong();
  }

  public long get(final String name, final long missing) {
    return numbers.has(name) ? numbers.get(name).asLong() : missing;
  }

  public boolean is(final String name) {
    return get(name, 0) != 0;
  }

  public Duration ms(final String name) {
    return Duration.ofMillis(get(name));
  }
}
