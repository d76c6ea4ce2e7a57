package dev.cloister.agent.courtesy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.cloister.agent.courtesy.Policy.WhileUserPresent;
import dev.cloister.agent.fingerprint.host.Host;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What tools and systems say, as recorded. */
class SurroundingsTest {
  private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

  @Test
  void logindTellsOfSessionsAtTheMachine() {
    String ssh = "Remote=yes\nClass=user\nIdleHint=no\nIdleSinceHint=0\n";
    String greeter = "Remote=no\nClass=greeter\nIdleHint=no\nIdleSinceHint=0\n";
    String away =
        "Remote=no\nClass=user\nIdleHint=yes\nIdleSinceHint="
            + NOW.minusSeconds(600).toEpochMilli() * 1000
            + "\n";
    String busy = "Remote=no\nClass=user\nIdleHint=no\nIdleSinceHint=0\n";
    assertThat(UserIdle.ofLogind(ssh + "\n" + greeter, NOW)).isEmpty();
    assertThat(UserIdle.ofLogind(ssh + "\n" + away, NOW)).hasValue(Duration.ofMinutes(10));
    assertThat(UserIdle.ofLogind(away + "\n" + busy, NOW)).hasValue(Duration.ZERO);
    assertThat(UserIdle.ofLogind("", NOW)).isEmpty();
  }

  @Test
  void whoTellsOfTerminalsAtTheMachine() {
    String remote = "anna     pts/0        2026-01-01 11:00   .         4242 (10.0.0.7)\n";
    String console = "anna     tty1         2026-01-01 09:00 00:07       1234\n";
    String desktop = "ben      :1           2026-01-01 08:00 01:05       1250 (:1)\n";
    String old = "ben      tty2         2025-12-24 08:00  old         999\n";
    assertThat(UserIdle.ofWho(remote)).isEmpty();
    assertThat(UserIdle.ofWho(remote + desktop)).hasValue(Duration.ofMinutes(65));
    assertThat(UserIdle.ofWho(remote + console + desktop)).hasValue(Duration.ofMinutes(7));
    assertThat(UserIdle.ofWho(old)).hasValue(Duration.ofDays(1));
  }

  @Test
  void macOsAndWindowsTellOfTheirInput() {
    assertThat(UserIdle.ofMac("    | \"HIDIdleTime\" = 90000000000\n"))
        .hasValue(Duration.ofSeconds(90));
    assertThat(UserIdle.ofMac("nothing")).isEmpty();
    String header = " USERNAME              SESSIONNAME        ID  STATE   IDLE TIME  LOGON TIME\n";
    String at = "             2  Active      ";
    assertThat(UserIdle.ofWindows(header + ">anna  console" + at + "none   1/1/2026 8:00 AM\n"))
        .hasValue(Duration.ZERO);
    assertThat(UserIdle.ofWindows(header + " anna  console" + at + "12   1/1/2026 8:00 AM\n"))
        .hasValue(Duration.ofMinutes(12));
    assertThat(UserIdle.ofWindows(header + " anna  console" + at + "1+02:03   1/1/2026 8:00 AM\n"))
        .hasValue(Duration.ofDays(1).plusHours(2).plusMinutes(3));
    assertThat(UserIdle.ofWindows(header + " anna  rdp-tcp#1" + at + ".   1/1/2026 8:00 AM\n"))
        .isEmpty();
  }

  @Test
  void ownLoadIsNotForeign() {
    FakeHost host = new FakeHost();
    Map<Long, Duration> own = new HashMap<>(Map.of(1L, Duration.ofSeconds(100)));
    ForeignCpu cpu = new ForeignCpu(host, () -> own);
    assertThat(cpu.sample()).isEmpty();
    // Four cores for two seconds: 800 ticks, of which 500 were busy.
    host.busy += 500;
    host.total += 800;
    own.put(1L, Duration.ofSeconds(101));
    own.put(2L, Duration.ofSeconds(2));
    assertThat(cpu.sample().orElseThrow()).isEqualTo(0.25, within(1e-9));
    own.clear();
    host.total += 800;
    assertThat(cpu.sample()).hasValue(0);
    assertThat(cpu.sample()).as("no time passed").isEmpty();
  }

  @Test
  void theBusiestGpuCounts() {
    String table =
        """
        # gpu        pid  type    sm   mem   enc   dec   command
        # Idx          #   C/G     %     %     %     %   name
            0       1111     C    40    10     -     -   java
            0       2222     G    15     3     -     -   Xorg
            0       3333     C    20     3     -     -   python
            1          -     -     -     -     -     -   -
        """;
    assertThat(ForeignGpu.busiest(table, Set.of(1111L))).hasValue(0.35);
    assertThat(ForeignGpu.busiest(table, Set.of())).hasValue(0.75);
    assertThat(ForeignGpu.busiest("# gpu pid\n", Set.of())).isEmpty();
    assertThat(ForeignGpu.busiest("    0  -  -  -  -  -  -  -\n", Set.of())).hasValue(0);
  }

  @Test
  void thisMachineIsObserved() throws Exception {
    MachineSurroundings machine = new MachineSurroundings(InstantSource.system());
    Policy all =
        new Policy(
            true, OptionalDouble.of(1), OptionalDouble.of(1), WhileUserPresent.PAUSE, List.of());
    machine.observe(all);
    Observation seen = machine.observe(all);
    seen.foreignCpu().ifPresent(share -> assertThat(share).isBetween(0.0, 1.0));
    assertThat(machine.observe(Policy.NONE).onBattery()).isFalse();
  }

  /** A host whose time a test sets. */
  private static final class FakeHost implements Host {
    private long busy = 1_000;
    private long total = 10_000;

    @Override
    public CpuTime cpuTime() {
      return new CpuTime(busy, total);
    }

    @Override
    public int ticksPerSecond() {
      return 100;
    }

    @Override
    public String hostName() {
      throw new UnsupportedOperationException();
    }

    @Override
    public String operatingSystem() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Processor processor() {
      throw new UnsupportedOperationException();
    }

    @Override
    public dev.cloister.agent.fingerprint.host.Memory memory() {
      throw new UnsupportedOperationException();
    }

    @Override
    public java.util.Optional<dev.cloister.agent.fingerprint.host.Battery> battery() {
      throw new UnsupportedOperationException();
    }

    @Override
    public List<Interface> interfaces() {
      throw new UnsupportedOperationException();
    }
  }
}
