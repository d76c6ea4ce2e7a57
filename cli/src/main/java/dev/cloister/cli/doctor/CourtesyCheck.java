package dev.cloister.cli.doctor;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.agent.courtesy.MachineSurroundings;
import dev.cloister.agent.courtesy.Observation;
import dev.cloister.agent.courtesy.Policy;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.OptionalDouble;

/** What can be told of a machine by those parts of a policy that look at it. */
final class CourtesyCheck {
  private static final long SAMPLE_MILLIS = 1_000;
  private static final String UNKNOWN = "cannot be told here";

  /** One that looks at everything. */
  private static final Policy ALL =
      new Policy(
          true,
          OptionalDouble.of(1),
          OptionalDouble.of(1),
          Policy.WhileUserPresent.PAUSE,
          List.of());

  private CourtesyCheck() {}

  /** Looks twice: load is what happened in between. */
  static Observation observe() throws InterruptedException {
    MachineSurroundings machine = new MachineSurroundings(Clock.systemUTC());
    machine.observe(ALL);
    Thread.sleep(SAMPLE_MILLIS);
    return machine.observe(ALL);
  }

  static List<List<String>> rows(Observation seen) {
    return List.of(
        List.of("battery", seen.onBattery() ? "in use" : "not in use", "--pause-on-battery"),
        List.of("CPU used by others", percent(seen.foreignCpu()), "--pause-above-cpu"),
        List.of("GPU used by others", percent(seen.foreignGpu()), "--pause-above-gpu"),
        List.of(
            "touched by somebody",
            seen.userIdle()
                .map(idle -> idle.toMinutes() + " min ago")
                .orElse("nobody is at it, or that " + UNKNOWN),
            "--while-user-present"));
  }

  private static String percent(OptionalDouble share) {
    return share.isPresent() ? Math.round(100 * share.getAsDouble()) + " %" : UNKNOWN;
  }

  static void write(JsonGenerator json, Observation seen) throws IOException {
    json.writeStartObject();
    json.writeBooleanField("on_battery", seen.onBattery());
    write(json, "foreign_cpu", seen.foreignCpu());
    write(json, "foreign_gpu", seen.foreignGpu());
    json.writeFieldName("user_idle_seconds");
    if (seen.userIdle().isPresent()) {
      json.writeNumber(seen.userIdle().get().toSeconds());
    } else {
      json.writeNull();
    }
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, String name, OptionalDouble share)
      throws IOException {
    json.writeFieldName(name);
    if (share.isPresent()) {
      json.writeNumber(share.getAsDouble());
    } else {
      json.writeNull();
    }
  }
}
