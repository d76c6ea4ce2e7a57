package dev.cloister.cli.policy;

import dev.cloister.client.admin.Courtesy;
import dev.cloister.client.admin.Courtesy.Hours;
import dev.cloister.client.admin.Courtesy.WhileUserPresent;
import dev.cloister.client.admin.PolicyInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a machine keeps to, point by point, and who said it: the administrator's nearest word, or
 * the owner's where that is stricter.
 *
 * @param hours all of them hold
 */
record HeldPolicy(
    Optional<Said<Boolean>> battery,
    Optional<Said<Double>> cpu,
    Optional<Said<Double>> gpu,
    Optional<Said<WhileUserPresent>> user,
    List<Said<Hours>> hours,
    Optional<Said<Long>> memory,
    Optional<Said<Long>> disk) {

  /** Who said it. */
  enum By {
    OWNER("its owner"),
    NODE("policy set, for this machine"),
    ALL("policy set, for all"),
    START("coordinator start, or built in");

    final String words;

    By(String words) {
      this.words = words;
    }
  }

  /** A word, and whose it is. */
  record Said<T>(T value, By by) {}

  private record Layer(By by, Courtesy policy) {}

  /** What holds for machines of which nothing else is said. */
  static HeldPolicy ofAll(PolicyInfo info) {
    return of(Courtesy.NONE, new Layer(By.ALL, info.all()), new Layer(By.START, info.initial()));
  }

  static HeldPolicy of(PolicyInfo info, PolicyInfo.Node node) {
    return of(
        node.owner().orElse(Courtesy.NONE),
        new Layer(By.NODE, node.own()),
        new Layer(By.ALL, info.all()),
        new Layer(By.START, info.initial()));
  }

  private static HeldPolicy of(Courtesy owner, Layer... administrators) {
    return new HeldPolicy(
        strictest(owner, administrators, Courtesy::notOnBattery, Comparator.naturalOrder()),
        strictest(owner, administrators, Courtesy::foreignCpu, Comparator.reverseOrder()),
        strictest(owner, administrators, Courtesy::foreignGpu, Comparator.reverseOrder()),
        strictest(owner, administrators, Courtesy::whileUserPresent, Comparator.naturalOrder()),
        all(owner, administrators),
        strictest(
            owner,
            administrators,
            policy -> policy.ceilings().memoryBytes(),
            Comparator.<Long>reverseOrder()),
        strictest(
            owner,
            administrators,
            policy -> policy.ceilings().diskBytes(),
            Comparator.<Long>reverseOrder()));
  }

  /**
   * @param strictness the stricter is the greater
   */
  private static <T> Optional<Said<T>> strictest(
      Courtesy owner,
      Layer[] administrators,
      Function<Courtesy, Optional<T>> point,
      Comparator<T> strictness) {
    Optional<Said<T>> said = nearest(administrators, point);
    return point
        .apply(owner)
        .map(own -> new Said<>(own, By.OWNER))
        .filter(own -> said.isEmpty() || strictness.compare(own.value(), said.get().value()) > 0)
        .or(() -> said);
  }

  private static List<Said<Hours>> all(Courtesy owner, Layer[] administrators) {
    List<Said<Hours>> hours = new ArrayList<>();
    nearest(administrators, Courtesy::hours).ifPresent(hours::add);
    owner.hours().map(own -> new Said<>(own, By.OWNER)).ifPresent(hours::add);
    return hours;
  }

  private static <T> Optional<Said<T>> nearest(
      Layer[] layers, Function<Courtesy, Optional<T>> point) {
    for (Layer layer : layers) {
      Optional<T> value = point.apply(layer.policy());
      if (value.isPresent()) {
        return Optional.of(new Said<>(value.get(), layer.by()));
      }
    }
    return Optional.empty();
  }
}
