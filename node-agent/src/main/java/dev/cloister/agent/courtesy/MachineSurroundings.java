package dev.cloister.agent.courtesy;

import dev.cloister.agent.courtesy.Policy.WhileUserPresent;
import dev.cloister.agent.fingerprint.host.Battery;
import dev.cloister.agent.fingerprint.host.CommandRunner;
import dev.cloister.agent.fingerprint.host.Host;
import dev.cloister.agent.fingerprint.host.ProcessRunner;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.OptionalDouble;

/** This machine. Tools are asked at most every ten seconds. Not thread-safe. */
public final class MachineSurroundings implements Surroundings {
  private static final Duration TOOLS_INTERVAL = Duration.ofSeconds(10);

  private final Host host;
  private final InstantSource clock;
  private final ForeignCpu cpu;
  private final ForeignGpu gpu;
  private final UserIdle user;
  private Instant lastTools = Instant.EPOCH;
  private OptionalDouble lastGpu = OptionalDouble.empty();
  private Optional<Duration> lastUser = Optional.empty();

  public MachineSurroundings(InstantSource clock) {
    CommandRunner runner = ProcessRunner.ofThisMachine(System.getenv());
    this.host = Host.ofThisMachine();
    this.clock = clock;
    this.cpu = ForeignCpu.ofThisMachine(host);
    this.gpu = ForeignGpu.ofThisMachine(runner);
    this.user = new UserIdle(runner, clock);
  }

  @Override
  public Observation observe(Policy policy) throws InterruptedException {
    Instant now = clock.instant();
    if (!now.isBefore(lastTools.plus(TOOLS_INTERVAL))) {
      lastTools = now;
      lastGpu = policy.foreignGpu().isPresent() ? gpu.sample() : OptionalDouble.empty();
      lastUser =
          policy.whileUserPresent() == WhileUserPresent.PAUSE ? user.sample() : Optional.empty();
    }
    return new Observation(
        policy.notOnBattery() && isOnBattery(),
        policy.foreignCpu().isPresent() ? cpu.sample() : OptionalDouble.empty(),
        lastGpu,
        lastUser);
  }

  private boolean isOnBattery() {
    try {
      return host.battery().filter(Battery::onBattery).isPresent();
    } catch (IOException e) {
      return false;
    }
  }
}
