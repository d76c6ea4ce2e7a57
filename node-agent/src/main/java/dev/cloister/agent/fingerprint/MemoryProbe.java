package dev.cloister.agent.fingerprint;

import dev.cloister.agent.fingerprint.host.ControlGroup;
import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.Memory;
import dev.cloister.agent.fingerprint.host.Probe;

/** The machine's memory, or the control group's where that is less. */
final class MemoryProbe implements Probe<Memory> {

  private final Host host;
  private final ControlGroup group;

  MemoryProbe(Host host, ControlGroup group) {
    this.host = host;
    this.group = group;
  }

  @Override
  public Memory probe() throws Exception {
    return group.limit(host.memory());
  }
}
