package dev.cloister.coordinator.fleet;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * By what a machine is woken that sleeps.
 *
 * @param hardware its link's address, {@code 00:1b:44:11:3a:b7}, in lower case
 * @param broadcast the address of all machines of its IPv4 network; empty if it is not known
 */
public record WakeAddress(String hardware, String broadcast) {
  private static final Pattern HARDWARE = Pattern.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}");
  private static final Pattern BROADCAST = Pattern.compile("|(\\d{1,3}\\.){3}\\d{1,3}");

  public WakeAddress {
    if (!HARDWARE.matcher(hardware).matches() || !BROADCAST.matcher(broadcast).matches()) {
      throw new IllegalArgumentException(
          "%s, %s (expected: a hardware address and an IPv4 address)"
              .formatted(hardware, broadcast));
    }
  }

  /** What an agent says, if it can be; all zeros are no address. */
  public static Optional<WakeAddress> of(String hardware, String broadcast) {
    String lower = hardware.toLowerCase(Locale.ROOT);
    return HARDWARE.matcher(lower).matches()
            && BROADCAST.matcher(broadcast).matches()
            && !lower.equals("00:00:00:00:00:00")
        ? Optional.of(new WakeAddress(lower, broadcast))
        : Optional.empty();
  }

  /** Reads what {@link #format} wrote. */
  public static List<WakeAddress> parse(String text) {
    return Stream.of(text.split(",", -1))
        .map(address -> address.split("@", 2))
        .filter(parts -> parts.length == 2)
        .flatMap(parts -> of(parts[0], parts[1]).stream())
        .toList();
  }

  /** {@code 00:1b:44:11:3a:b7@192.168.1.255,...}. */
  public static String format(List<WakeAddress> addresses) {
    return addresses.stream()
        .map(address -> address.hardware + "@" + address.broadcast)
        .collect(Collectors.joining(","));
  }
}
