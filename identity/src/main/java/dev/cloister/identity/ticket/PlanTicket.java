package dev.cloister.identity.ticket;

import java.time.Instant;
import java.util.regex.Pattern;

/**
 * The right to be one stage of a pipeline.
 *
 * @param plan unique in the cluster
 * @param epoch grows each time the plan's stages are connected anew
 * @param modelSha256 of the whole model's file
 * @param stage counted from 0
 * @param stages in the ring
 * @param firstLayer of the stage
 * @param endLayer behind its last one
 * @param holder whose ticket it is
 * @param previous the stage before; of the first one the last
 * @param next the stage behind; of the last one the first
 * @param expiresAt a stream must be opened before, in whole milliseconds
 */
public record PlanTicket(
    String plan,
    long epoch,
    String modelSha256,
    int stage,
    int stages,
    int firstLayer,
    int endLayer,
    Neighbour holder,
    Neighbour previous,
    Neighbour next,
    Instant expiresAt) {
  private static final Pattern PLAN = Pattern.compile("[0-9A-Za-z._-]{1,100}");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final int MOST_STAGES = 64;

  /**
   * @throws IllegalArgumentException if a value is out of range; the message is one sentence
   */
  public PlanTicket {
    require(
        PLAN.matcher(plan).matches(), "a plan's name is not 1 to 100 characters of a-z 0-9 . _ -");
    require(epoch > 0, "epoch: " + epoch + " (expected: >= 1)");
    require(SHA256.matcher(modelSha256).matches(), "the model's SHA-256 is malformed");
    require(
        stages >= 2 && stages <= MOST_STAGES,
        "stages: " + stages + " (expected: 2 to " + MOST_STAGES + ")");
    require(stage >= 0 && stage < stages, "stage: " + stage + " (expected: below " + stages + ")");
    require(
        firstLayer >= 0 && firstLayer < endLayer,
        "layers: " + firstLayer + " to " + endLayer + " (expected: at least one)");
    require(
        next.relayed() || !next.address().isEmpty(),
        "node " + next.nodeId() + " has no address for other agents");
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }
}
