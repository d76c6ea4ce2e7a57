package dev.cloister.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import java.time.LocalTime;
import java.time.ZoneId;
import org.jspecify.annotations.Nullable;

/**
 * A line for each event: the time of day, the level, the logger's simple name, the message; a stack
 * trace below. Logback's own pattern layout sets up dozens of converters at each start, of which
 * four would be used. Thread-safe.
 */
final class LogLayout extends LayoutBase<ILoggingEvent> {
  private static final int LEVEL_WIDTH = 5;

  private final ZoneId zone;

  /**
   * @param zone of the times
   */
  LogLayout(ZoneId zone) {
    this.zone = zone;
  }

  @Override
  public String doLayout(ILoggingEvent event) {
    StringBuilder line = new StringBuilder(128);
    LocalTime time = LocalTime.ofInstant(event.getInstant(), zone);
    number(line, time.getHour(), 2).append(':');
    number(line, time.getMinute(), 2).append(':');
    number(line, time.getSecond(), 2).append('.');
    number(line, time.getNano() / 1_000_000, 3).append(' ');
    String level = event.getLevel().toString();
    line.append(level).repeat(' ', LEVEL_WIDTH - level.length() + 1);
    String logger = event.getLoggerName();
    line.append(logger, logger.lastIndexOf('.') + 1, logger.length());
    line.append(": ").append(event.getFormattedMessage()).append(System.lineSeparator());
    @Nullable IThrowableProxy thrown = event.getThrowableProxy();
    if (thrown != null) {
      line.append(ThrowableProxyUtil.asString(thrown));
    }
    return line.toString();
  }

  private static StringBuilder number(StringBuilder line, int value, int digits) {
    String shown = Integer.toString(value);
    return line.repeat('0', digits - shown.length()).append(shown);
  }
}
