package dev.cloister.agent.fingerprint;

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
