package dev.cloister.agent.fingerprint;

import java.util.Optional;

/** The battery, if the machine has one. */
final class BatteryProbe implements Probe<Optional<Battery>> {

  private final Host host;

  BatteryProbe(Host host) {
    this.host = host;
  }

  @Override
  public Optional<Battery> probe() throws Exception {
    return host.battery();
  }
}
