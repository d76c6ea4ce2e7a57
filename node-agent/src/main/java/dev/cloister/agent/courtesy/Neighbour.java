package dev.cloister.agent.courtesy;

import dev.cloister.agent.courtesy.Policy.WhileUserPresent;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has a machine pause and work again by the policies of its owner and of the cluster, of which it
 * keeps to both. Thread-safe.
 */
public final class Neighbour {
  private static final Logger log = LoggerFactory.getLogger(Neighbour.class);

  private final Policy owner;
  private final Surroundings surroundings;
  private final InstantSource clock;
  private final ZoneId zone;
  private final Consumer<Verdict> listener;
  private volatile Policy policy;
  private Policy judgedBy;
  private Steadiness steadiness = new Steadiness();
  private Verdict told = new Verdict.Work();

  /**
   * @param owner what the machine's owner says
   * @param zone of the owner's clock
   * @param listener is told when the verdict changes
   */
  public Neighbour(
      Policy owner,
      Surroundings surroundings,
      InstantSource clock,
      ZoneId zone,
      Consumer<Verdict> listener) {
    this.owner = owner;
    this.surroundings = surroundings;
    this.clock = clock;
    this.zone = zone;
    this.listener = listener;
    this.policy = owner;
    this.judgedBy = owner;
  }

  /**
   * Takes what the coordinator says to all machines; it can make the owner's policy stricter only.
   */
  public void follow(Policy cluster) {
    Policy both = owner.and(cluster);
    if (!both.equals(policy)) {
      policy = both;
      log.info("works for the cluster by {}", both);
    }
  }

  /** Whether engines are to run with low priority and few threads. */
  public boolean isGentle() {
    return policy.whileUserPresent() == WhileUserPresent.GENTLY;
  }

  /** What models' files may take of the disk, all together. */
  public OptionalLong diskLimit() {
    return policy.ceilings().diskBytes();
  }

  /**
   * Looks around, and tells if that changes anything. Called every few seconds.
   *
   * @throws InterruptedException if the thread is to end
   */
  public synchronized void look() throws InterruptedException {
    Policy now = policy;
    Instant time = clock.instant();
    if (!now.equals(judgedBy)) {
      // What people say counts at once; only what happens has to last.
      judgedBy = now;
      steadiness = new Steadiness();
    }
    Verdict judged =
        now.asksNothing()
            ? new Verdict.Work()
            : Courtesy.judge(now, surroundings.observe(now), time.atZone(zone).toLocalTime());
    Verdict verdict = steadiness.next(judged, time);
    if (!verdict.equals(told)) {
      told = verdict;
      log.info("the machine's policy says: {}", verdict);
      listener.accept(verdict);
    }
  }
}
