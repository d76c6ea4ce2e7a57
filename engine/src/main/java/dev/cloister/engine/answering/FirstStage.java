package dev.cloister.engine.answering;

import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.PrefixNews;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.stage.RingStage;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A model that answers through other stages as well.
 *
 * @param model that answers
 * @param ring of which it is the first stage
 */
public record FirstStage(LoadedModel model, RingStage ring) implements LoadedModel, RingStage {

  @Override
  public Inlet connect(Outlet outlet) {
    return ring.connect(outlet);
  }

  @Override
  public void onClosed(Consumer<Boolean> listener) {
    ring.onClosed(listener);
  }

  @Override
  public ModelFacts facts() {
    return model.facts();
  }

  @Override
  public void watchPrefixes(Consumer<PrefixNews> listener) {
    model.watchPrefixes(listener);
  }

  @Override
  public Running generate(Generation generation, GenerationListener listener) {
    return model.generate(generation, listener);
  }

  @Override
  public Embeddings embed(List<String> texts) throws RequestException {
    return model.embed(texts);
  }

  @Override
  public Scores rerank(String query, List<String> documents) throws RequestException {
    return model.rerank(query, documents);
  }

  @Override
  public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial)
      throws RequestException {
    return model.tokenize(text, addSpecial, parseSpecial);
  }

  @Override
  public String detokenize(int[] tokens) throws RequestException {
    return model.detokenize(tokens);
  }

  @Override
  public CompletableFuture<Void> broken() {
    return model.broken();
  }

  @Override
  public void close() {
    model.close();
  }
}
