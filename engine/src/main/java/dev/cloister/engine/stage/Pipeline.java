package dev.cloister.engine.stage;

import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.KeptState;
import java.util.List;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A model that computes in one stage or several. Sequences are changed by operations, and steps
 * compute tokens; every stage sees both in the order in which they are called here. Up to {@link
 * #depth} steps are under way at a time, and their results come in order. To be used by one thread,
 * but for {@link #onNews}.
 */
public interface Pipeline extends AutoCloseable {

  /** Tokens whose state fits. */
  int cells();

  /** Tokens of one step at most. */
  int batchTokens();

  /** Sequences it tells apart. */
  int sequences();

  /** Steps that may be under way: as many as there are stages, so that all can compute. */
  int depth();

  /** Removes the tokens of a sequence from a position on. */
  void truncate(int sequence, int fromPosition);

  /** Forgets a sequence. */
  void remove(int sequence);

  /**
   * Makes one sequence the copy of another's first tokens.
   *
   * @param to an empty sequence
   */
  void copy(int from, int to, int tokens);

  /**
   * Copies a sequence's state into main memory; the sequence stays as it is.
   *
   * @param room is asked once whether there is room for so many bytes
   * @return null if there is none, or a stage has shown to have none
   */
  @Nullable KeptState keep(int sequence, LongPredicate room);

  /**
   * Copies a state that this pipeline's {@link #keep} made into an empty sequence; the copy stays.
   * Once stages were lost, no state of before can be.
   *
   * @return whether there was room for it; if not, the sequence is empty
   */
  boolean restore(int sequence, KeptState state);

  /** Moves cells together, where that helps to find room; whether it may have helped. */
  boolean defragment();

  /**
   * Makes a sampler for one sequence. Where samplers are far away, the first {@link
   * StepResult.Choice} tells what could not be made.
   *
   * @throws IllegalArgumentException for a grammar or bias that cannot be used
   */
  void openSampler(StageOperation.OpenSampler sampler);

  void closeSampler(int sampler);

  /**
   * Begins a step; the sequences hold its tokens afterwards.
   *
   * @param tokens of all runs, one after the other
   * @return false if there is no room for it; nothing has changed then
   * @throws DecodeException if it failed; what its sequences hold is then unknown
   * @throws LostException if the other stages are not there (any more)
   */
  boolean submit(List<Run> runs, int[] tokens);

  /**
   * The result of the oldest step under way, or null while there is none.
   *
   * @throws LostException if the other stages are not there any more, once
   */
  @Nullable StepResult poll();

  /** Has every stage do what was called so far, though no step follows for now. */
  void settle();

  /** Has something run, on any thread, whenever {@link #poll} may have something to tell. */
  void onNews(Runnable wake);

  /** Frees the context. */
  @Override
  void close();

  /**
   * Another stage was lost, and with it all steps under way and what the sequences held: they and
   * the samplers are gone. One sentence.
   */
  final class LostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public LostException(String message) {
      super(message);
    }
  }
}
