package dev.cloister.engine.model;

import dev.cloister.engine.generation.Sampling;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Where a model computes: a KV cache of {@link #cells} tokens, shared by numbered sequences, and a
 * batch that is filled and computed over and over. To be used by one thread at a time.
 *
 * <p>Samplers, logits and embeddings name a place in the batch of the last {@link #decode}.
 *
 * <p>Where the model is a stage of a pipeline, its {@link StagePart} decides what a batch is made
 * of and what comes out of it; calls that do not suit the part throw IllegalStateException.
 */
public interface DecodeContext extends AutoCloseable {

  /** Tokens whose state fits. */
  int cells();

  /** Tokens that one batch holds. */
  int batchTokens();

  /** Sequences it tells apart. */
  int sequences();

  /** Empties the batch. */
  void clearBatch();

  /**
   * Adds a token to the batch and returns its place there. Only where the part takes tokens.
   *
   * @param position in its sequence, counted from 0
   * @param output whether logits are wanted for it, from this stage or the last one
   */
  int add(int token, int position, int sequence, boolean output);

  /**
   * Adds a token, given by the hidden state that the stage before has computed for it, and returns
   * its place in the batch. Only where the part does not take tokens.
   *
   * @param states as many numbers as an embedding is long are read from its position on
   * @param position in its sequence, counted from 0
   * @param output whether logits are wanted for it, from this stage or the last one
   */
  int addHidden(FloatBuffer states, int position, int sequence, boolean output);

  /** How many tokens the batch has. */
  int size();

  /**
   * Computes the batch; the KV cache holds its tokens afterwards.
   *
   * @throws DecodeException if the library failed; what any sequence holds is then unknown (b4916
   *     clears cells of others, too), and all are to be removed
   */
  DecodeOutcome decode();

  /** How a computation ended. */
  enum DecodeOutcome {
    DONE,
    /** The KV cache has no room for the batch; nothing has changed. */
    NO_ROOM
  }

  /**
   * The hidden states behind the last layer, of every token of the last batch in their order:
   * {@link #size} times the embedding's length. Only where the part does not give logits.
   *
   * @return direct and read-only; valid until the next {@link #decode}
   */
  FloatBuffer hidden();

  /**
   * A sampler for one sequence.
   *
   * @param grammar in GBNF, with the root {@code root}
   * @throws IllegalArgumentException for a grammar that the library does not take
   */
  TokenSampler newSampler(Sampling sampling, Optional<String> grammar);

  /**
   * How likely a token and the most likely ones are at a place of the batch, before any sampling.
   *
   * @param top how many alternatives
   */
  TokenProbabilities probabilities(int place, int token, int top);

  /** The logits at a place of the batch, one a token of the vocabulary. For tests and research. */
  float[] logits(int place);

  /**
   * The pooled embedding of a sequence, or its score as the only number. Only where the context was
   * opened with a pooling.
   */
  float[] embedding(int sequence);

  /**
   * Removes the tokens of a sequence from a position on.
   *
   * @return whether that could be done; a recurrent model's state cannot be cut back, and then
   *     nothing has changed
   */
  boolean truncate(int sequence, int fromPosition);

  /** Forgets a sequence, which is always possible. */
  void remove(int sequence);

  /**
   * Makes one sequence the copy of another's first tokens, without computing or (where the library
   * shares cells) memory.
   *
   * @param to an empty sequence
   */
  void copy(int from, int to, int tokens);

  /**
   * Moves cells together, where the library needs that to find room; whether it may have helped.
   */
  boolean defragment();

  /**
   * Writes a sequence's state.
   *
   * @param tokens what the sequence holds
   * @return bytes written
   */
  long save(int sequence, int[] tokens, Path file) throws IOException;

  /**
   * Reads a state that {@link #save} wrote into an empty sequence.
   *
   * @return the tokens it holds
   * @throws IOException if the file is no state of this model and library, or there is no room; the
   *     sequence is then empty
   */
  int[] restore(int sequence, Path file) throws IOException;

  /**
   * Copies a sequence's state into main memory; the sequence stays as it is.
   *
   * @param room is asked once whether there is room for so many bytes
   * @return null if there is none
   */
  @Nullable KeptState keep(int sequence, LongPredicate room);

  /**
   * Copies a state that this context's {@link #keep} made into an empty sequence; the copy stays.
   *
   * @return whether there was room in the KV cache; if not, the sequence is empty
   */
  boolean restore(int sequence, KeptState state);

  @Override
  void close();
}
