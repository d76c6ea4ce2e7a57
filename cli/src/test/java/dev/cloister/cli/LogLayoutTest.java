package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import java.time.Instant;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LogLayoutTest {
  private final LogLayout layout = new LogLayout(ZoneOffset.ofHours(2));

  private String line(
      Level level, String logger, String message, @Nullable Throwable thrown, Object... arguments) {
    LoggingEvent event =
        new LoggingEvent(
            "", new LoggerContext().getLogger(logger), level, message, thrown, arguments);
    event.setInstant(Instant.parse("2026-03-01T05:07:09.012345Z"));
    return layout.doLayout(event);
  }

  @Test
  void aLineHasTimeLevelSimpleNameAndMessage() {
    assertThat(line(Level.INFO, "dev.cloister.Agent", "node {} is {}", null, "desk", "online"))
        .isEqualTo("07:07:09.012 INFO  Agent: node desk is online" + System.lineSeparator());
    assertThat(line(Level.ERROR, "ROOT", "no dots", null))
        .isEqualTo("07:07:09.012 ERROR ROOT: no dots" + System.lineSeparator());
  }

  @Test
  void aStackTraceFollowsBelow() {
    assertThat(
            line(
                    Level.WARN,
                    "a.B",
                    "broken",
                    new IllegalStateException("why", new RuntimeException("deeper")))
                .lines())
        .startsWith("07:07:09.012 WARN  B: broken", "java.lang.IllegalStateException: why")
        .anyMatch(line -> line.startsWith("Caused by: java.lang.RuntimeException: deeper"));
  }
}
