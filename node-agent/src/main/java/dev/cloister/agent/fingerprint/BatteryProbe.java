package dev.cloister.agent.fingerprint;

import dev.cloister.agent.fingerprint.host.Battery;
import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.Probe;
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
