package dev.cloister.cli.member;

import dev.cloister.agent.courtesy.Hours;
import dev.cloister.agent.courtesy.Policy;
import dev.cloister.client.admin.Courtesy;
import dev.cloister.coordinator.courtesy.CourtesyPolicy;
import java.time.LocalTime;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** When machines work for the cluster; the same for owners and administrators. */
public final class CourtesyFlags {
  @Option(
      names = "--pause-on-battery",
      negatable = true,
      description = "Not on battery (where nobody says otherwise, the coordinator says so).")
  private @Nullable Boolean pauseOnBattery;

  @Option(
      names = "--pause-above-cpu",
      paramLabel = "PERCENT",
      converter = Percent.class,
      description = {
        "Not while other programs use more than this of all cores, for example 50%%; 100%%: always."
      })
  private @Nullable Double foreignCpu;

  @Option(
      names = "--pause-above-gpu",
      paramLabel = "PERCENT",
      converter = Percent.class,
      description = "The same of an NVIDIA GPU.")
  private @Nullable Double foreignGpu;

  @Option(
      names = "--while-user-present",
      paramLabel = "work|gently|pause",
      description = {
        "What to do for people at the machine. gently: engines run with low priority and half of",
        "the threads, always; pause: not until nobody touched it for 5 minutes."
      })
  private Policy.@Nullable WhileUserPresent whileUserPresent;

  @Option(
      names = "--hours",
      paramLabel = "FROM-TO",
      converter = HoursConverter.class,
      description = {
        "Only within these hours by the machine's clock, for example 18:00-08:00; or 'always'."
      })
  private @Nullable Hours hours;

  /** What a machine's owner says. */
  Policy ofOwner() {
    return new Policy(
        pauseOnBattery != null && pauseOnBattery,
        share(foreignCpu),
        share(foreignGpu),
        whileUserPresent == null ? Policy.WhileUserPresent.WORK : whileUserPresent,
        hours == null ? List.of() : List.of(hours));
  }

  /** What a coordinator is started with. */
  CourtesyPolicy ofCoordinator() {
    return new CourtesyPolicy(
            Optional.ofNullable(pauseOnBattery),
            share(foreignCpu),
            share(foreignGpu),
            Optional.ofNullable(whileUserPresent)
                .map(
                    present ->
                        switch (present) {
                          case WORK -> CourtesyPolicy.WhileUserPresent.WORK;
                          case GENTLY -> CourtesyPolicy.WhileUserPresent.GENTLY;
                          case PAUSE -> CourtesyPolicy.WhileUserPresent.PAUSE;
                        }),
            Optional.ofNullable(hours).map(own -> new CourtesyPolicy.Hours(own.from(), own.to())))
        .orElse(CourtesyPolicy.DEFAULT);
  }

  /** What an administrator says, of all machines or of one. */
  public Courtesy ofAdministrator() {
    return new Courtesy(
        Optional.ofNullable(pauseOnBattery),
        Optional.ofNullable(foreignCpu),
        Optional.ofNullable(foreignGpu),
        Optional.ofNullable(whileUserPresent)
            .map(
                present ->
                    switch (present) {
                      case WORK -> Courtesy.WhileUserPresent.WORK;
                      case GENTLY -> Courtesy.WhileUserPresent.GENTLY;
                      case PAUSE -> Courtesy.WhileUserPresent.PAUSE;
                    }),
        Optional.ofNullable(hours).map(own -> new Courtesy.Hours(own.from(), own.to())));
  }

  private static OptionalDouble share(@Nullable Double share) {
    return share == null ? OptionalDouble.empty() : OptionalDouble.of(share);
  }

  /** Reads {@code 50%}. */
  static final class Percent implements ITypeConverter<Double> {
    @Override
    public Double convert(String text) {
      if (!text.toLowerCase(Locale.ROOT).matches("(100|[0-9]{1,2})%")) {
        throw new TypeConversionException(
            "'" + text + "' is no share (expected: 0% to 100%, for example 50%)");
      }
      return Integer.parseInt(text.substring(0, text.length() - 1)) / 100.0;
    }
  }

  /** Reads {@code 18:00-08:00}, or {@code always}. */
  static final class HoursConverter implements ITypeConverter<Hours> {
    @Override
    public Hours convert(String text) {
      try {
        return text.equalsIgnoreCase("always")
            ? new Hours(LocalTime.MIDNIGHT, LocalTime.MIDNIGHT)
            : Hours.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
