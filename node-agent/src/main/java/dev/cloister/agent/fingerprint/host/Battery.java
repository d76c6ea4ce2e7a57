package dev.cloister.agent.fingerprint.host;

/**
 * The machine's battery, or all of them taken together.
 *
 * @param charge 0 to 1
 * @param onBattery whether the machine runs on it now
 */
public record Battery(double charge, boolean onBattery) {

  public Battery {
    if (!(charge >= 0 && charge <= 1)) {
      throw new IllegalArgumentException("charge: " + charge + " (expected: 0 to 1)");
    }
  }
}
