package dev.cloister.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.agent.fingerprint.NetworkLink;
import dev.cloister.agent.fingerprint.host.Swap;
import dev.cloister.agent.stage.LinkMeter;
import dev.cloister.cli.Cli;
import dev.cloister.cli.TestCluster;
import dev.cloister.cli.outcome.ExitCode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {
  private static final long GIB = 1L << 30;
  private static final NetworkLink CABLE = new NetworkLink("eth0", 1_000_000_000, false);
  private static final NetworkLink WIRELESS = new NetworkLink("wlan0", 1_200_000_000, true);

  private static SplitCheck check(
      long free, long swapUsed, double bandwidth, NetworkLink link, Duration roundTrip) {
    return SplitCheck.of(
        new SplitCheck.Measured(
            16 * GIB,
            free,
            new Swap(2 * GIB, swapUsed),
            bandwidth,
            List.of(link),
            Optional.of(roundTrip),
            Optional.of(new LinkMeter.Result.Reached(0.001, 110e6)),
            Optional.of(Duration.ofMillis(400))));
  }

  @Test
  void the_way_to_the_coordinator_counts() {
    assertThat(wayFound(new LinkMeter.Result.Reached(0.001, 5e6))).isEqualTo("5.0 MB/s");
    assertThat(wayFound(new LinkMeter.Result.Unreachable("no answer within 5 s")))
        .isEqualTo("not reached: no answer within 5 s");
  }

  /** The weakest part of a machine that is good otherwise. */
  private static String wayFound(LinkMeter.Result way) {
    return SplitCheck.of(
            new SplitCheck.Measured(
                16 * GIB,
                12 * GIB,
                new Swap(0, 0),
                40e9,
                List.of(CABLE),
                Optional.empty(),
                Optional.of(way),
                Optional.empty()))
        .weakest()
        .found();
  }

  @Test
  void the_weakest_part_is_named_with_what_to_do_about_it() {
    Duration near = Duration.ofNanos(300_000);
    assertThat(check(12 * GIB, 0, 40e9, CABLE, near).verdict())
        .isEqualTo(
            "This machine is good for stages; the first limit is its network (eth0, 1000 Mbit/s).");
    assertThat(check(2 * GIB, 0, 40e9, CABLE, near).weakest().part()).isEqualTo("free memory");
    assertThat(check(12 * GIB, GIB, 40e9, CABLE, near).weakest().part()).isEqualTo("swap");
    assertThat(check(12 * GIB, 0, 6e9, CABLE, near).weakest().part()).isEqualTo("memory bandwidth");
    assertThat(check(12 * GIB, 0, 40e9, WIRELESS, near).verdict())
        .isEqualTo(
            "The weakest part is its network (wlan0, 1200 Mbit/s, wireless): use a cable: wireless"
                + " adds milliseconds to each token.");
    assertThat(check(12 * GIB, 0, 40e9, CABLE, Duration.ofMillis(20)).weakest().part())
        .isEqualTo("round trip to the coordinator");
  }

  @Test
  void what_a_machine_pauses_by_is_shown() {
    assertThat(Cli.run("doctor", "--courtesy").out())
        .contains("battery", "CPU used by others", "--while-user-present");
    assertThat(TestCluster.json(Cli.run("doctor", "--courtesy", "--json").out()).fieldNames())
        .toIterable()
        .containsExactly("on_battery", "foreign_cpu", "foreign_gpu", "user_idle_seconds");
    assertThat(Cli.run("doctor").exitCode()).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void this_machine_is_measured(@TempDir Path directory) {
    Cli.Result result =
        Cli.run(
            "doctor",
            "--split",
            "--json",
            "--data",
            directory.toString(),
            "--profile",
            directory.resolve("none").toString());
    assertThat(result.exitCode()).isZero();
    assertThat(TestCluster.json(result.out()).path("findings").findValuesAsText("part"))
        .containsExactly("free memory", "swap", "memory bandwidth", "network");
    assertThat(Cli.run("doctor").exitCode()).isEqualTo(ExitCode.USAGE);
  }
}
