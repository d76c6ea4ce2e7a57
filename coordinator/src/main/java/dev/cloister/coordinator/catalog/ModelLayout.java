package dev.cloister.coordinator.catalog;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a model consists of, as far as spreading its layers over nodes goes.
 *
 * @param architecture as the file names it, for example {@code llama}
 * @param trainedContextTokens the context the model was trained for
 * @param feedForwardLength the widest inner layer's, 0 where the file does not say
 * @param heads attention heads of a layer, the most of them
 * @param vocabulary how many tokens it knows
 * @param embeddingBytes the embedding of its tokens, which a first stage that is not the only one
 *     reads from a file of its own
 * @param outputBytes what a last stage holds beside its layers
 * @param tiedOutput whether the embedding is the output too, and therefore in {@code outputBytes}
 *     and {@code embeddingBytes} though once in a whole model
 * @param cuts layers with which a stage may begin, ascending, 0 among them
 * @param cannotSplit why it must not be cut unless somebody insists, in one sentence; impossible
 *     where {@code cuts} is only 0
 * @param runsOn how many layers a file may hold, all of them or a stage's, for a native library to
 *     run it, by the library's name; those that are not in it run any number
 */
public record ModelLayout(
    String architecture,
    int trainedContextTokens,
    int embeddingLength,
    int feedForwardLength,
    int heads,
    int vocabulary,
    long embeddingBytes,
    long outputBytes,
    boolean tiedOutput,
    List<Layer> layers,
    List<Integer> cuts,
    Optional<String> cannotSplit,
    Map<String, Set<Integer>> runsOn) {

  /**
   * @param weightBytes of its tensors in the file
   * @param kvBytesPerToken in the KV cache, where its numbers are F16
   */
  public record Layer(long weightBytes, long kvBytesPerToken) {}

  public ModelLayout {
    layers = List.copyOf(layers);
    cuts = List.copyOf(cuts);
    runsOn = Map.copyOf(runsOn);
    if (layers.isEmpty() || cuts.isEmpty() || cuts.getFirst() != 0) {
      throw new IllegalArgumentException(
          "%d layers, cuts %s (expected: a layer at least, cuts from 0 on)"
              .formatted(layers.size(), cuts));
    }
  }

  /** Whether a native library runs so many layers of it. */
  public boolean runsOn(String library, int count) {
    return !runsOn.containsKey(library) || runsOn.get(library).contains(count);
  }
}
