package dev.cloister.cli.doctor;

import dev.cloister.agent.fingerprint.NetworkLink;
import dev.cloister.agent.fingerprint.host.Swap;
import dev.cloister.agent.stage.LinkMeter;
import dev.cloister.cli.outcome.OutputOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How well a machine is made for being one of several that run a model.
 *
 * @param findings in the order of the table
 */
record SplitCheck(List<Finding> findings) {
  private static final double WANTED_MEMORY = 8L << 30;
  private static final double WANTED_BYTES_PER_SECOND = 20e9;
  private static final double WANTED_BITS_PER_SECOND = 1e9;
  private static final double WANTED_ROUND_TRIP_SECONDS = 0.001;
  private static final double WANTED_PAYLOAD_BYTES_PER_SECOND = 50e6;
  private static final Duration WANTED_CLOCK = Duration.ofSeconds(5);

  /**
   * @param score 1 and more is good; what is lower slows answers down or keeps models out
   * @param advice what to do about it; empty if nothing
   */
  record Finding(String part, String found, double score, String advice) {
    boolean isGood() {
      return score >= 1;
    }
  }

  /**
   * What was measured.
   *
   * @param roundTrip to the coordinator; empty if this machine is no member
   * @param way to the coordinator, with what goes through it; likewise
   * @param clockOffset against the coordinator; empty if nobody could be asked
   */
  record Measured(
      long memoryTotalBytes,
      long memoryAvailableBytes,
      Swap swap,
      double memoryBytesPerSecond,
      List<NetworkLink> links,
      Optional<Duration> roundTrip,
      Optional<LinkMeter.Result> way,
      Optional<Duration> clockOffset) {}

  static SplitCheck of(Measured measured) {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        new Finding(
            "free memory",
            OutputOptions.size(measured.memoryAvailableBytes())
                + " of "
                + OutputOptions.size(measured.memoryTotalBytes()),
            measured.memoryAvailableBytes() / WANTED_MEMORY,
            "end what else is running here; only what is free holds layers"));
    findings.add(swap(measured.swap()));
    findings.add(
        new Finding(
            "memory bandwidth",
            String.format(Locale.ROOT, "%.1f GB/s", measured.memoryBytesPerSecond() / 1e9),
            measured.memoryBytesPerSecond() / WANTED_BYTES_PER_SECOND,
            "give it few layers: each token reads all of them"));
    findings.add(network(measured.links()));
    measured
        .roundTrip()
        .ifPresent(
            time ->
                findings.add(
                    new Finding(
                        "round trip to the coordinator",
                        String.format(Locale.ROOT, "%.2f ms", time.toNanos() / 1e6),
                        WANTED_ROUND_TRIP_SECONDS / Math.max(1e-6, time.toNanos() / 1e9),
                        "use machines that are near each other: a token makes a hop for each"
                            + " stage")));
    measured.way().map(SplitCheck::way).ifPresent(findings::add);
    measured
        .clockOffset()
        .ifPresent(
            offset ->
                findings.add(
                    new Finding(
                        "clock against the coordinator",
                        clock(offset),
                        (double) WANTED_CLOCK.toMillis() / Math.max(1, offset.abs().toMillis()),
                        "set the clock: tickets of stages are valid for 60 seconds")));
    return new SplitCheck(List.copyOf(findings));
  }

  /** Reports are up to a second old when they are looked at. */
  private static String clock(Duration offset) {
    return offset.abs().compareTo(Duration.ofSeconds(1)) <= 0
        ? "within a second"
        : String.format(Locale.ROOT, "%.1f s", offset.toMillis() / 1e3);
  }

  private static Finding way(LinkMeter.Result way) {
    String part = "rate to the coordinator";
    return switch (way) {
      case LinkMeter.Result.Reached(double _, double bytesPerSecond) ->
          new Finding(
              part,
              String.format(Locale.ROOT, "%.1f MB/s", bytesPerSecond / 1e6),
              bytesPerSecond / WANTED_PAYLOAD_BYTES_PER_SECOND,
              "use a faster link: layers are fetched over it, and long prompts go from stage to"
                  + " stage");
      case LinkMeter.Result.Unreachable(String reason) ->
          new Finding(
              part,
              "not reached: " + reason,
              0,
              "start the coordinator, or let this machine reach its cluster port");
    };
  }

  private static Finding swap(Swap swap) {
    return new Finding(
        "swap",
        swap.totalBytes() == 0
            ? "none"
            : OutputOptions.size(swap.usedBytes())
                + " used of "
                + OutputOptions.size(swap.totalBytes()),
        swap.usedBytes() == 0 ? Double.POSITIVE_INFINITY : 0.5,
        "free memory first: what is swapped out is read from disk for each token");
  }

  private static Finding network(List<NetworkLink> links) {
    Optional<NetworkLink> best =
        links.stream().max(Comparator.comparingLong(NetworkLink::speedBitsPerSecond));
    boolean wireless = !links.isEmpty() && links.stream().allMatch(NetworkLink::wireless);
    long speed = best.map(NetworkLink::speedBitsPerSecond).orElse(0L);
    double score = speed == 0 ? 1 : speed / WANTED_BITS_PER_SECOND;
    return new Finding(
        "network",
        best.map(
                link ->
                    link.name()
                        + (speed == 0 ? "" : ", " + speed / 1_000_000 + " Mbit/s")
                        + (wireless ? ", wireless" : ""))
            .orElse("nothing found"),
        wireless ? Math.min(0.5, score) : score,
        wireless ? "use a cable: wireless adds milliseconds to each token" : "use a faster link");
  }

  /** What limits it most. */
  Finding weakest() {
    return findings.stream().min(Comparator.comparingDouble(Finding::score)).orElseThrow();
  }

  /** In a sentence. */
  String verdict() {
    Finding weakest = weakest();
    return weakest.isGood()
        ? "This machine is good for stages; the first limit is its %s (%s)."
            .formatted(weakest.part(), weakest.found())
        : "The weakest part is its %s (%s): %s."
            .formatted(weakest.part(), weakest.found(), weakest.advice());
  }
}
