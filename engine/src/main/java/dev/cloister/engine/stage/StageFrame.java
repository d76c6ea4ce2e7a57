package dev.cloister.engine.stage;

/**
 * What travels from one stage to the next.
 *
 * @param number counts from 1 in each connection, without gaps; a result has its step's number
 */
public record StageFrame(long number, Content content) {

  /** A {@link Step} towards the last stage, a {@link StepResult} from it to the first one. */
  public sealed interface Content permits Step, StepResult {}
}
