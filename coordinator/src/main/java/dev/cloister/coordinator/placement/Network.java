package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.fleet.Capability;
import java.util.HashMap;
import java.util.Map;

/**
 * How nodes reach each other. Immutable.
 *
 * @param measured by the two nodes; where a pair is missing, {@code usual} is assumed
 */
public record Network(Link usual, Map<Pair, Link> measured) {
  /** Office machines on one switch, where nothing was measured. */
  public static final Network UNMEASURED = new Network(new Link(0.0006, 100e6, false), Map.of());

  public Network {
    measured = Map.copyOf(measured);
  }

  private static final Link SAME_MACHINE = new Link(0.0001, 2e9, false);
  private static final Link WIRELESS = new Link(0.004, 15e6, false);

  /** What may be assumed of these nodes by what they have. */
  public static Network of(Map<String, Capability> nodes) {
    Map<Pair, Link> links = new HashMap<>();
    nodes.forEach(
        (id, one) ->
            nodes.forEach(
                (otherId, other) -> {
                  if (id.compareTo(otherId) < 0) {
                    if (!one.hostName().isEmpty() && one.hostName().equals(other.hostName())) {
                      links.put(new Pair(id, otherId), SAME_MACHINE);
                    } else if (isWireless(one) || isWireless(other)) {
                      links.put(new Pair(id, otherId), WIRELESS);
                    }
                  }
                }));
    return new Network(UNMEASURED.usual(), links);
  }

  private static boolean isWireless(Capability node) {
    return !node.links().isEmpty()
        && node.links().stream().allMatch(Capability.NetworkLink::wireless);
  }

  /** Two nodes by their ids, in either order. */
  public record Pair(String one, String other) {
    public Pair {
      if (one.compareTo(other) > 0) {
        String swapped = one;
        one = other;
        other = swapped;
      }
    }
  }

  /**
   * @param relayed whether it goes through the coordinator
   */
  public record Link(double roundTripSeconds, double bytesPerSecond, boolean relayed) {
    public Link {
      if (roundTripSeconds < 0 || bytesPerSecond <= 0) {
        throw new IllegalArgumentException(
            "%f s, %f bytes/s (expected: >= 0, > 0)".formatted(roundTripSeconds, bytesPerSecond));
      }
    }

    /** One way for so many bytes. */
    double seconds(long bytes) {
      return roundTripSeconds / 2 + bytes / bytesPerSecond;
    }
  }

  Link between(String node, String other) {
    return measured.getOrDefault(new Pair(node, other), usual);
  }
}
