package dev.cloister.engine.batching;

import static dev.cloister.engine.batching.Prompts.joined;
import static dev.cloister.engine.batching.Prompts.prompt;
import static dev.cloister.engine.batching.Prompts.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.engine.generation.LoadedModel.Running;
import dev.cloister.engine.stage.LocalPipeline;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prefixes on disk, as a batcher writes and reads them. */
class PrefixStoreTest {
  private static final BatchLimits LIMITS = new BatchLimits(4, 512, 100, false);

  @TempDir Path directory;
  private FakeContext context = new FakeContext(LIMITS, LIMITS.cells(), 128);
  private @Nullable Batcher batcher;

  @AfterEach
  void close() {
    if (batcher != null) {
      batcher.close();
      assertThat(context.closed).isTrue();
      assertThat(context.openSamplers).hasValue(0);
    }
  }

  private Batcher start(BatchLimits limits, long mostBytes) throws IOException {
    PrefixStore store = PrefixStore.open(directory, mostBytes, context, InstantSource.system());
    return Batcher.start(
        new LocalPipeline(context), new FakeVocabulary(), limits, store, System::nanoTime);
  }

  private Collected ask(int[] prompt, int most, String tenant) {
    Collected collected = new Collected();
    if (batcher != null) {
      batcher.submit(request(prompt, most, tenant), collected);
    }
    return collected;
  }

  @Test
  void prefixesSurviveARestart() throws Exception {
    int[] prompt = prompt(1, 200);
    batcher = start(LIMITS, 1 << 20);
    ask(prompt, 5, "t").awaitEnd();
    batcher.close();
    context = new FakeContext(LIMITS, LIMITS.cells(), 128);
    batcher = start(LIMITS, 1 << 20);
    Collected stranger = ask(prompt, 5, "other");
    stranger.awaitEnd();
    assertThat(stranger.cached).isZero();
    Collected again = ask(prompt, 5, "t");
    again.awaitEnd();
    assertThat(again.cached).isEqualTo(199);
    assertThat(again.tokens).isEqualTo(FakeContext.expected(prompt, 5));
  }

  @Test
  void aDamagedPrefixIsForgotten() throws Exception {
    int[] prompt = prompt(1, 200);
    batcher = start(LIMITS, 1 << 20);
    ask(prompt, 5, "t").awaitEnd();
    batcher.close();
    damageStates();
    context = new FakeContext(LIMITS, LIMITS.cells(), 128);
    assertThat(PrefixStore.open(directory, 1 << 20, context, InstantSource.system()).size())
        .isEqualTo(1);
    batcher = start(LIMITS, 1 << 20);
    Collected again = ask(prompt, 5, "t");
    again.awaitEnd();
    assertThat(again.cached).isZero();
    assertThat(again.tokens).isEqualTo(FakeContext.expected(prompt, 5));
  }

  @Test
  void whatIsNotOursInTheFolderStaysAndHoldsNothingUp() throws Exception {
    batcher = start(LIMITS, 1 << 20);
    ask(prompt(1, 200), 5, "t").awaitEnd();
    batcher.close();
    Path tenant;
    try (var files = Files.list(directory)) {
      tenant = files.findFirst().orElseThrow();
    }
    Path foreign = Files.createDirectories(tenant.resolve("foreign").resolve("folder"));
    assertThat(PrefixStore.open(directory, 1 << 20, context, InstantSource.system()).size())
        .isEqualTo(1);
    assertThat(foreign).exists();
  }

  @Test
  void aPrefixThatCannotBeWrittenLeavesNoFile() throws Exception {
    batcher = start(LIMITS, 1 << 20);
    ask(prompt(1, 200), 5, "t").awaitEnd();
    batcher.close();
    try (var files = Files.walk(directory)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.delete(file);
        if (file.toString().endsWith(".tokens")) {
          // In the way of the same index.
          Files.createDirectories(file.resolve("foreign"));
        }
      }
    }
    context = new FakeContext(LIMITS, LIMITS.cells(), 128);
    batcher = start(LIMITS, 1 << 20);
    ask(prompt(1, 200), 5, "t").awaitEnd();
    batcher.close();
    try (var files = Files.walk(directory)) {
      assertThat(files.filter(Files::isRegularFile)).isEmpty();
    }
  }

  @Test
  void nothingIsWrittenWhileSomebodyWaits() throws Exception {
    batcher = start(LIMITS, 1 << 20);
    Collected waiting = new Collected();
    waiting.ready = false;
    Running running = batcher.submit(request(prompt(50, 10), 50, "t"), waiting);
    for (int i = 0; i < 10; i++) {
      ask(prompt(i, 200), 5, "t").awaitEnd();
    }
    assertThat(context.saves).hasValue(0);
    running.cancel();
    await().until(() -> context.saves.get() > 0);
  }

  @Test
  void theStoreStaysWithinItsSize() throws Exception {
    batcher = start(LIMITS, 3000);
    for (int i = 0; i < 10; i++) {
      ask(prompt(i, 200), 5, "t").awaitEnd();
    }
    batcher.close();
    try (var files = Files.walk(directory)) {
      long bytes =
          files.filter(f -> f.toString().endsWith(".kv")).mapToLong(f -> f.toFile().length()).sum();
      assertThat(bytes).isBetween(1L, 3000L);
    }
  }

  @Test
  void whatIsRetainedServesWhereWhatIsStoredIsDamaged() throws Exception {
    BatchLimits one = new BatchLimits(1, 512, 100, false);
    int[] shared = prompt(1, 200);
    int[] known = joined(Arrays.copyOf(shared, 100), prompt(50, 1));
    context = new FakeContext(one, 2000, 128);
    batcher = start(one, 1 << 20);
    ask(shared, 5, "t").awaitEnd();
    batcher.close();
    context = new FakeContext(one, 2000, 128);
    batcher = start(one, 1 << 20);
    ask(known, 1, "t").awaitEnd();
    // No sequence is free then, and the first is the least recently used.
    for (String tenant : List.of("a", "b", "c")) {
      ask(prompt(7, 20), 1, tenant).awaitEnd();
    }
    damageStates();
    Collected again = ask(joined(shared, prompt(3, 5)), 20, "t");
    again.awaitEnd();
    assertThat(again.cached).isEqualTo(100);
    assertThat(again.tokens).isEqualTo(FakeContext.expected(joined(shared, prompt(3, 5)), 20));
    Collected next = ask(prompt(9, 40), 20, "d");
    next.awaitEnd();
    assertThat(next.tokens).isEqualTo(FakeContext.expected(prompt(9, 40), 20));
  }

  private void damageStates() throws IOException {
    try (var files = Files.walk(directory)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".kv")).toList()) {
        Files.writeString(file, "damage");
      }
    }
  }
}
