package dev.cloister.coordinator.placement;

import dev.cloister.coordinator.fleet.Capability;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How nodes reach each other: as was measured, otherwise as may be assumed of what they have.
 * Immutable.
 *
 * @param nodes what they have, by their ids
 * @param deaf the nodes that do not listen for others
 * @param measured also ways to the coordinator
 * @param cut ways on which the one node cannot dial the other
 */
public record Network(
    Map<String, Capability> nodes, Set<String> deaf, Map<Way, Link> measured, Set<Way> cut) {
  /** Office machines on one switch, of which nothing is known. */
  public static final Network UNKNOWN = new Network(Map.of(), Set.of(), Map.of(), Set.of());

  private static final Link USUAL = Link.assumed(0.0006, 100e6);
  private static final Link SAME_MACHINE = Link.assumed(0.0001, 2e9);
  private static final Link WIRELESS = Link.assumed(0.004, 15e6);

  public Network {
    nodes = Map.copyOf(nodes);
    deaf = Set.copyOf(deaf);
    measured = Map.copyOf(measured);
    cut = Set.copyOf(cut);
  }

  /**
   * From one node to another, by their ids.
   *
   * @param from dials
   */
  public record Way(String from, String to) {
    /** Stands for the coordinator. */
    private static final String COORDINATOR = "";

    /** From a node to the coordinator, which all of them reach. */
    public static Way toCoordinator(String node) {
      return new Way(node, COORDINATOR);
    }

    /** Whether its other end is the coordinator. */
    public boolean isToCoordinator() {
      return to.equals(COORDINATOR);
    }
  }

  /**
   * @param relayed whether it goes through the coordinator
   * @param measured whether it is so, rather than may be assumed
   */
  public record Link(
      double roundTripSeconds, double bytesPerSecond, boolean relayed, boolean measured) {
    public Link {
      if (roundTripSeconds < 0 || bytesPerSecond <= 0) {
        throw new IllegalArgumentException(
            "%f s, %f bytes/s (expected: >= 0, > 0)".formatted(roundTripSeconds, bytesPerSecond));
      }
    }

    /** One that nobody has measured. */
    public static Link assumed(double roundTripSeconds, double bytesPerSecond) {
      return new Link(roundTripSeconds, bytesPerSecond, false, false);
    }

    /** One that was measured. */
    public static Link measured(double roundTripSeconds, double bytesPerSecond) {
      return new Link(roundTripSeconds, bytesPerSecond, false, true);
    }

    /** One way for so many bytes. */
    double seconds(long bytes) {
      return roundTripSeconds / 2 + bytes / bytesPerSecond;
    }

    /** Pieces of a frame are on both legs at once, so that the slower one decides. */
    private Link relayedTo(Link other) {
      return new Link(
          roundTripSeconds + other.roundTripSeconds,
          Math.min(bytesPerSecond, other.bytesPerSecond),
          true,
          measured && other.measured);
    }
  }

  /** Whether frames on this way go through the coordinator. */
  public boolean isRelayed(String from, String to) {
    return deaf.contains(to) || cut.contains(new Way(from, to));
  }

  Link between(String from, String to) {
    if (isRelayed(from, to)) {
      return toCoordinator(from).relayedTo(toCoordinator(to));
    }
    @Nullable Link known = measured.get(new Way(from, to));
    return known == null ? assumed(from, to) : known;
  }

  private Link toCoordinator(String node) {
    @Nullable Link known = measured.get(Way.toCoordinator(node));
    return known == null ? assumed(node) : known;
  }

  /** How fast a node gets what it loads. */
  double loadBytesPerSecond() {
    return USUAL.bytesPerSecond();
  }

  private Link assumed(String from, String to) {
    @Nullable Capability one = nodes.get(from);
    @Nullable Capability other = nodes.get(to);
    boolean together =
        one != null
            && other != null
            && !one.hostName().isEmpty()
            && one.hostName().equals(other.hostName());
    return together ? SAME_MACHINE : isWireless(from) || isWireless(to) ? WIRELESS : USUAL;
  }

  private Link assumed(String node) {
    return isWireless(node) ? WIRELESS : USUAL;
  }

  private boolean isWireless(String node) {
    @Nullable Capability known = nodes.get(node);
    return known != null
        && !known.links().isEmpty()
        && known.links().stream().allMatch(Capability.NetworkLink::wireless);
  }
}
