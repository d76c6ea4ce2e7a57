package dev.cloister.agent.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.agent.modelstore.ModelStore;
import dev.cloister.agent.modelstore.StageStore;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.DoubleConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a first stage needs: two files. */
@Timeout(30)
class EngineFilesTest {
  private static final Path LAYERS = Path.of("layers.gguf");
  private static final Path LEXICON = Path.of("lexicon.gguf");
  private static final ModelSpec FIRST =
      new ModelSpec(
          "tiny",
          EngineStage.sha256(0),
          1,
          0,
          2,
          EngineOptions.NONE,
          Optional.of(new StageSpec("plan", 0, 2, 0, 4, 0)),
          0);

  private final Store store = new Store();

  private EngineFiles obtain() throws IOException {
    ModelStore whole =
        new ModelStore(Path.of("nowhere"), (_, _) -> new ByteArrayInputStream(new byte[0]));
    return EngineFiles.obtain(FIRST, whole, store, _ -> {});
  }

  @Test
  void theFilesOfAFirstStageAreFetchedBesideEachOther() throws Exception {
    FutureTask<EngineFiles> obtaining = new FutureTask<>(this::obtain);
    Thread.startVirtualThread(obtaining);
    store.asked.await();
    store.lexicon.complete(LEXICON);
    store.layers.complete(LAYERS);
    try (EngineFiles files = obtaining.get()) {
      assertThat(files.model()).isEqualTo(LAYERS);
      assertThat(files.lexicon()).contains(LEXICON);
      assertThat(store.inUse).containsExactlyInAnyOrder(LAYERS, LEXICON);
    }
    assertThat(store.inUse).isEmpty();
  }

  @Test
  void withoutTheLexiconTheLayersAreNotHeldEither() {
    store.layers.complete(LAYERS);
    store.lexicon.completeExceptionally(new IOException("no lexicon"));
    assertThatThrownBy(this::obtain).isInstanceOf(IOException.class).hasMessage("no lexicon");
    assertThat(store.inUse).isEmpty();
  }

  @Test
  void withoutTheLayersTheLexiconIsNotWaitedFor() throws Exception {
    store.layers.completeExceptionally(new IOException("no layers"));
    assertThatThrownBy(this::obtain).isInstanceOf(IOException.class).hasMessage("no layers");
    store.calledOff.await();
    assertThat(store.inUse).isEmpty();
  }

  /** Has its files when a test says so. */
  private static final class Store implements StageStore {
    private final CompletableFuture<Path> layers = new CompletableFuture<>();
    private final CompletableFuture<Path> lexicon = new CompletableFuture<>();
    private final CountDownLatch asked = new CountDownLatch(2);
    private final CountDownLatch calledOff = new CountDownLatch(1);
    private final List<Path> inUse = new CopyOnWriteArrayList<>();

    @Override
    public Path obtain(String modelSha256, int firstLayer, int endLayer, DoubleConsumer progress)
        throws IOException {
      return await(layers);
    }

    @Override
    public Path lexicon(String modelSha256, DoubleConsumer progress) throws IOException {
      return await(lexicon);
    }

    private Path await(CompletableFuture<Path> file) throws IOException {
      asked.countDown();
      try {
        Path here = file.get();
        inUse.add(here);
        return here;
      } catch (ExecutionException e) {
        throw new IOException(file.exceptionNow().getMessage(), e);
      } catch (InterruptedException e) {
        calledOff.countDown();
        throw new InterruptedIOException("called off");
      }
    }

    @Override
    public void release(Path file) {
      inUse.remove(file);
    }
  }
}
