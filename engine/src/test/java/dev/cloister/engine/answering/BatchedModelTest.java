package dev.cloister.engine.answering;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.engine.batching.BatchLimits;
import dev.cloister.engine.batching.Batcher;
import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.ModelFacts;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.generation.prompt.Prompt;
import dev.cloister.engine.model.ContextOptions;
import dev.cloister.engine.model.Model;
import dev.cloister.engine.model.Pooling;
import dev.cloister.engine.model.Vocabulary;
import dev.cloister.engine.stage.LocalPipeline;
import java.lang.reflect.Proxy;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BatchedModelTest {

  @Test
  void aPromptThatOverflowsTheStackFails() {
    Vocabulary vocabulary =
        fake(
            Vocabulary.class,
            () -> {
              throw new StackOverflowError();
            });
    Model model = fake(Model.class, () -> vocabulary);
    Batcher batcher =
        Batcher.start(
            new LocalPipeline(new PooledContext(0).context()),
            vocabulary,
            new BatchLimits(1, 8, 1, false),
            null,
            System::nanoTime);
    ContextOptions options =
        new ContextOptions(
            8,
            8,
            1,
            8,
            1,
            1,
            ContextOptions.KvType.F16,
            ContextOptions.FlashAttention.AUTO,
            false,
            Pooling.NONE);
    BatchedModel answering =
        new BatchedModel(
            model,
            new ModelFacts(8, 1, "fake", true, Set.of(ModelFacts.Use.GENERATE)),
            batcher,
            options,
            "",
            Clock.systemUTC());
    CompletableFuture<FinishReason> end = new CompletableFuture<>();
    var _ =
        answering.generate(
            new Generation(new Prompt.Text("deep"), Sampling.GREEDY, 5, List.of()), ending(end));
    assertThatThrownBy(() -> end.get(10, TimeUnit.SECONDS))
        .hasMessageContaining("INTERNAL: the engine failed on this prompt");
    answering.close();
  }

  private static GenerationListener ending(CompletableFuture<FinishReason> end) {
    return new GenerationListener() {
      @Override
      public void started(int promptTokens, int cachedTokens) {}

      @Override
      public void part(AnswerPart part) {}

      @Override
      public void finished(FinishReason reason, Usage usage) {
        end.complete(reason);
      }

      @Override
      public void failed(RequestException why) {
        end.completeExceptionally(new AssertionError(why.code() + ": " + why.getMessage()));
      }
    };
  }

  private interface Answer {
    Object get();
  }

  private static <T> T fake(Class<T> type, Answer answer) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (_, method, _) -> method.getName().equals("close") ? null : answer.get()));
  }
}
