package dev.cloister.engine.answering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import dev.cloister.engine.generation.RequestException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EmbedderTest {

  private static List<int[]> texts(int count, int length) {
    return IntStream.range(0, count).mapToObj(_ -> new int[length]).toList();
  }

  /** Asks on a thread of its own. */
  private static final class Request implements Runnable {
    private final Embedder embedder;
    private final List<int[]> texts;
    final CompletableFuture<List<float[]>> vectors = new CompletableFuture<>();

    Request(Embedder embedder, List<int[]> texts) {
      this.embedder = embedder;
      this.texts = texts;
      awaitWaiting(Thread.ofVirtual().start(this));
    }

    @Override
    public void run() {
      try {
        vectors.complete(embedder.embed(texts));
      } catch (RequestException | RuntimeException e) {
        vectors.completeExceptionally(e);
      }
    }
  }

  private static void awaitWaiting(Thread thread) {
    await().until(() -> thread.getState() == Thread.State.WAITING);
  }

  @Test
  void aTextLongerThanABatchIsTheMeanOfItsTokens() throws Exception {
    try (Embedder embedder = new Embedder(new PooledContext(100).context())) {
      int[] text = IntStream.range(0, 21).toArray();
      List<float[]> vectors = embedder.embed(List.of(new int[] {5}, text, new int[] {7}));
      assertThat(vectors).hasSize(3);
      assertThat(vectors.get(0)[0]).isEqualTo(5);
      assertThat(vectors.get(1)[0]).isCloseTo(10, within(1e-4f));
      assertThat(vectors.get(2)[0]).isEqualTo(7);
    }
  }

  @Test
  void aLongRequestLetsOthersIn() throws Exception {
    PooledContext context = new PooledContext(0);
    Embedder embedder = new Embedder(context.context());
    Request many = new Request(embedder, texts(40, 4));
    Request one = new Request(embedder, texts(1, 4));
    context.gate.release(2);
    assertThat(one.vectors.get(10, TimeUnit.SECONDS)).hasSize(1);
    assertThat(many.vectors).isNotDone();
    context.gate.release(100);
    assertThat(many.vectors.get(10, TimeUnit.SECONDS)).hasSize(40);
    embedder.close();
  }

  @Test
  void closingWaitsForOneBatchOnly() throws Exception {
    PooledContext context = new PooledContext(0);
    Embedder embedder = new Embedder(context.context());
    Request many = new Request(embedder, texts(40, 4));
    Thread closing = Thread.ofVirtual().start(embedder::close);
    awaitWaiting(closing);
    context.gate.release(1);
    closing.join();
    assertThat(context.closed).isTrue();
    assertThatThrownBy(() -> many.vectors.get(10, TimeUnit.SECONDS))
        .hasMessageContaining("the model is being unloaded");
  }
}
