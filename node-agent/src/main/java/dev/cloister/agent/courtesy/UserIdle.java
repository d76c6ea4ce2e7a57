package dev.cloister.agent.courtesy;

import dev.cloister.agent.fingerprint.host.CommandRunner;
import dev.cloister.agent.fingerprint.host.CommandRunner.Outcome;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Since when nobody touched this machine: by logind (which knows of X, Wayland and consoles) or
 * {@code who} on Linux, by the input devices' driver on macOS, by {@code quser} on Windows. Who
 * comes over the network is not at the machine. Thread-safe.
 */
final class UserIdle {
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** {@code NAME LINE TIME IDLE PID (FROM)}; IDLE is {@code .}, {@code old} or hours:minutes. */
  private static final Pattern WHO =
      Pattern.compile(
          "\\S+\\s+[-+?]?\\s*\\S+\\s+\\S+ +\\S+(?: +\\d{1,2}:\\d{2})?"
              + "\\s+(\\.|old|\\d{1,2}:\\d{2})\\s+\\d+\\s*(?:\\((.*)\\))?\\s*");

  private static final Pattern HID_IDLE = Pattern.compile("\"HIDIdleTime\" = (\\d{1,18})");

  /** Behind the state: {@code none}, {@code .}, minutes, hours:minutes or days+hours:minutes. */
  private static final Pattern QUSER =
      Pattern.compile(
          ".*\\sconsole\\s+\\d+\\s+\\S+\\s+(none|\\.|(?:(\\d{1,4})\\+)?(?:(\\d{1,2}):)?(\\d{1,4}))\\s.*",
          Pattern.CASE_INSENSITIVE);

  private final CommandRunner runner;
  private final InstantSource clock;

  UserIdle(CommandRunner runner, InstantSource clock) {
    this.runner = runner;
    this.clock = clock;
  }

  /** Empty if nobody is logged in at the machine, or nobody can tell. */
  Optional<Duration> sample() throws InterruptedException {
    Optional<String> sessions = ask("loginctl", "list-sessions", "--no-legend");
    if (sessions.isPresent()) {
      return logind(sessions.get());
    }
    Optional<String> input = ask("ioreg", "-r", "-d", "1", "-k", "HIDIdleTime");
    if (input.isPresent()) {
      return ofMac(input.get());
    }
    Optional<String> windows = ask("quser");
    if (windows.isPresent()) {
      return ofWindows(windows.get());
    }
    return ask("who", "-u").flatMap(UserIdle::ofWho);
  }

  private Optional<Duration> logind(String sessions) throws InterruptedException {
    List<String> command = new ArrayList<>(List.of("loginctl", "show-session"));
    sessions
        .lines()
        .map(line -> line.strip().split("\\s+", 2)[0])
        .filter(id -> id.matches("[A-Za-z0-9]{1,20}"))
        .forEach(command::add);
    if (command.size() == 2) {
      return Optional.empty();
    }
    Stream.of("Class", "Remote", "IdleHint", "IdleSinceHint")
        .forEach(property -> command.addAll(List.of("-p", property)));
    return ask(command.toArray(String[]::new))
        .flatMap(properties -> ofLogind(properties, clock.instant()));
  }

  private Optional<String> ask(String... command) throws InterruptedException {
    return runner.run(List.of(command), PATIENCE)
                instanceof Outcome.Completed(int exit, String out, var _)
            && exit == 0
        ? Optional.of(out)
        : Optional.empty();
  }

  /** Blocks of {@code NAME=VALUE}, one a session; times are microseconds since 1970. */
  static Optional<Duration> ofLogind(String text, Instant now) {
    return Pattern.compile("\\n\\s*\\n")
        .splitAsStream(text.strip())
        .map(UserIdle::properties)
        .filter(session -> session.getOrDefault("Class", "").equals("user"))
        .filter(session -> !session.getOrDefault("Remote", "").equals("yes"))
        .map(session -> idle(session, now))
        .min(Duration::compareTo);
  }

  private static Map<String, String> properties(String block) {
    Map<String, String> properties = new HashMap<>();
    block
        .lines()
        .map(line -> line.split("=", 2))
        .filter(pair -> pair.length == 2)
        .forEach(pair -> properties.put(pair[0].strip(), pair[1].strip()));
    return properties;
  }

  private static Duration idle(Map<String, String> session, Instant now) {
    if (!session.getOrDefault("IdleHint", "").equals("yes")) {
      return Duration.ZERO;
    }
    try {
      long micros = Long.parseLong(session.getOrDefault("IdleSinceHint", "0"));
      Duration idle = Duration.between(Instant.EPOCH.plus(micros, ChronoUnit.MICROS), now);
      return idle.isNegative() ? Duration.ZERO : idle;
    } catch (NumberFormatException | DateTimeException | ArithmeticException e) {
      return Duration.ZERO;
    }
  }

  static Optional<Duration> ofWho(String text) {
    return text.lines()
        .map(WHO::matcher)
        .filter(Matcher::matches)
        .filter(line -> line.group(2) == null || line.group(2).startsWith(":"))
        .map(line -> hoursAndMinutes(line.group(1)))
        .min(Duration::compareTo);
  }

  private static Duration hoursAndMinutes(String idle) {
    return switch (idle) {
      case "." -> Duration.ZERO;
      case "old" -> Duration.ofDays(1);
      default -> {
        String[] parts = idle.split(":", 2);
        yield Duration.ofHours(Long.parseLong(parts[0])).plusMinutes(Long.parseLong(parts[1]));
      }
    };
  }

  /** In nanoseconds. */
  static Optional<Duration> ofMac(String text) {
    Matcher idle = HID_IDLE.matcher(text);
    return idle.find()
        ? Optional.of(Duration.ofNanos(Long.parseLong(idle.group(1))))
        : Optional.empty();
  }

  static Optional<Duration> ofWindows(String text) {
    return text.lines()
        .map(QUSER::matcher)
        .filter(Matcher::matches)
        .map(
            line ->
                Duration.ofDays(number(line.group(2)))
                    .plusHours(number(line.group(3)))
                    .plusMinutes(number(line.group(4))))
        .min(Duration::compareTo);
  }

  private static long number(@Nullable String digits) {
    return digits == null ? 0 : Long.parseLong(digits);
  }
}
