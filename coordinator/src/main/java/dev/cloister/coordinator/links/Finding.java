package dev.cloister.coordinator.links;

/** What a node found on the way to another one, or to the coordinator. */
public sealed interface Finding {
  /**
   * It answered.
   *
   * @param bytesPerSecond 0 if the rate was not measured
   */
  record Reached(double roundTripSeconds, double bytesPerSecond) implements Finding {
    public Reached {
      if (!(roundTripSeconds >= 0 && roundTripSeconds < 3_600)
          || !(bytesPerSecond >= 0 && bytesPerSecond < 1e15)) {
        throw new IllegalArgumentException(
            "a link of %f s and %f bytes/s (expected: 0 to 3600, 0 to 1e15)"
                .formatted(roundTripSeconds, bytesPerSecond));
      }
    }
  }

  /**
   * It cannot be dialled from there.
   *
   * @param reason in a few words
   */
  record Unreachable(String reason) implements Finding {}
}
