package dev.cloister.agent.modelstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class ModelStoreTest {
  private static final int SIZE = 1_000_000;

  private final Path directory;
  private final byte[] model = new byte[SIZE];
  private final String digest;
  private final List<Long> offsets = new CopyOnWriteArrayList<>();
  private final List<Double> progress = new CopyOnWriteArrayList<>();

  ModelStoreTest(@TempDir Path directory) throws Exception {
    this.directory = directory.resolve("models");
    new Random(7).nextBytes(model);
    digest = sha256(model);
  }

  @Test
  void modelsTakeNoMoreDiskThanTheOwnerAllows() throws Exception {
    Path others = Files.createDirectories(directory.resolve("others"));
    Files.write(others.resolve("stage.gguf"), new byte[1 << 20]);
    Path own = directory.resolve("own");
    List<Path> counted = List.of(own, others);
    OptionalLong tight = OptionalLong.of(SIZE + (1 << 20) - 1);
    ModelStore refused = new ModelStore(own, this::whole, new DiskLimit(() -> tight, counted));
    assertThatThrownBy(() -> refused.obtain(digest, SIZE, _ -> {}))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("MiB free for models");
    OptionalLong enough = OptionalLong.of(SIZE + (1 << 20));
    ModelStore allowed = new ModelStore(own, this::whole, new DiskLimit(() -> enough, counted));
    assertThat(allowed.obtain(digest, SIZE, _ -> {})).hasBinaryContent(model);
  }

  @Test
  void aModelIsFetchedVerifiedAndThereUnderItsNameOnly() throws Exception {
    Path file = store(this::whole).obtain(digest, SIZE, progress::add);
    assertThat(file).hasFileName(digest + ".gguf").hasBinaryContent(model);
    assertThat(directory.toFile().list()).hasSize(1);
    assertThat(progress).isSorted().startsWith(0.0).endsWith(1.0);
  }

  @Test
  void whatIsHereIsNotFetchedAgain() throws Exception {
    ModelStore store = store(this::whole);
    store.obtain(digest, SIZE, progress::add);
    progress.clear();
    store.obtain(digest, SIZE, progress::add);
    assertThat(offsets).containsExactly(0L);
    assertThat(progress).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void aBreakAnywhereIsContinuedWhereItWas(long seed) throws Exception {
    int broken = new Random(seed).nextInt(1, SIZE);
    ModelStore store =
        store((sha256, offset) -> offset == 0 ? breaksAt(broken) : whole(sha256, offset));
    assertThatThrownBy(() -> store.obtain(digest, SIZE, progress::add))
        .as("seed %d", seed)
        .isInstanceOf(IOException.class);
    assertThat(directory.resolve(digest + ".gguf")).doesNotExist();
    long kept = Files.size(directory.resolve(digest + ".part"));
    assertThat(store.obtain(digest, SIZE, progress::add)).hasBinaryContent(model);
    assertThat(offsets).last().isEqualTo(kept);
    assertThat(progress).as("seed %d", seed).isSorted();
  }

  @Test
  void whatArrivedWholeBeforeAKillIsVerifiedWithoutAskingAgain() throws Exception {
    Files.createDirectories(directory);
    Files.write(directory.resolve(digest + ".part"), model);
    Path file = store(this::whole).obtain(digest, SIZE, progress::add);
    assertThat(file).hasBinaryContent(model);
    assertThat(offsets).isEmpty();
  }

  @Test
  void aPartLongerThanTheModelIsStartedAnew() throws Exception {
    Files.createDirectories(directory);
    Files.write(directory.resolve(digest + ".part"), Arrays.copyOf(model, SIZE + 1));
    assertThat(store(this::whole).obtain(digest, SIZE, progress::add)).hasBinaryContent(model);
  }

  @Test
  void wrongBytesAreDeletedAndSaidToBeWrong() throws Exception {
    byte[] other = model.clone();
    other[SIZE / 2]++;
    ModelStore store = store((sha256, offset) -> new ByteArrayInputStream(other));
    assertThatThrownBy(() -> store.obtain(digest, SIZE, progress::add))
        .isInstanceOf(CorruptModelException.class)
        .hasMessageContaining("SHA-256 differs");
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aSenderWithoutAnEndIsCutOff() throws Exception {
    InputStream endless =
        new InputStream() {
          @Override
          public int read() {
            return 1;
          }

          @Override
          public int read(byte[] buffer, int offset, int wanted) {
            return wanted;
          }
        };
    assertThatThrownBy(() -> store((sha256, offset) -> endless).obtain(digest, SIZE, progress::add))
        .isInstanceOf(CorruptModelException.class)
        .hasMessageContaining("longer than");
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aSenderThatEndsEarlyLeavesAPartToContinue() {
    ModelStore store =
        store((sha256, offset) -> new ByteArrayInputStream(Arrays.copyOf(model, 1000)));
    assertThatThrownBy(() -> store.obtain(digest, SIZE, progress::add))
        .isInstanceOf(IOException.class)
        .hasMessage("the transfer ended at 1000 of 1000000 bytes");
    assertThat(directory.resolve(digest + ".part")).hasSize(1000);
  }

  @Test
  void aDiskWithoutRoomIsLeftAlone() {
    ModelStore store = new ModelStore(directory, this::whole, () -> SIZE + (511L << 20));
    assertThatThrownBy(() -> store.obtain(digest, SIZE, progress::add))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("MiB free");
    assertThat(directory).isEmptyDirectory();
    assertThat(offsets).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "../../etc/passwd", "/etc/passwd", "AAAA", "0x"})
  void whatIsNoDigestBecomesNoPath(String hostile) {
    assertThatThrownBy(() -> store(this::whole).obtain(hostile, SIZE, progress::add))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> store(this::whole).obtain("../" + digest.substring(3), SIZE, progress::add))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(directory).doesNotExist();
  }

  @Test
  void aFileCutShortAfterItWasVerifiedIsFetchedAgain() throws Exception {
    ModelStore store = store(this::whole);
    Path file = store.obtain(digest, SIZE, progress::add);
    Files.write(file, Arrays.copyOf(model, 10));
    assertThat(store.obtain(digest, SIZE, progress::add)).hasBinaryContent(model);
  }

  @Test
  void twoThatWantTheSameFileFetchItOnce() throws Exception {
    ModelStore store = store(this::whole);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Path>> both =
          List.of(
              threads.submit(() -> store.obtain(digest, SIZE, progress::add)),
              threads.submit(() -> store.obtain(digest, SIZE, progress::add)));
      for (Future<Path> each : both) {
        assertThat(each.get()).hasBinaryContent(model);
      }
    }
    assertThat(offsets).hasSize(1);
  }

  @Test
  void aModelThatIsHereDoesNotWaitForTheFetchOfAnother() throws Exception {
    store(this::whole).obtain(digest, SIZE, progress::add);
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    ModelStore store =
        store(
            (sha256, offset) -> {
              asked.countDown();
              await(go);
              throw new IOException("never");
            });
    Thread slow = Thread.startVirtualThread(() -> quietly(store, "0".repeat(64)));
    assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(store.obtain(digest, SIZE, progress::add)).hasBinaryContent(model);

    // And one that waits for its turn can be called off.
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> store.obtain("1".repeat(64), SIZE, progress::add))
        .isInstanceOf(InterruptedIOException.class);
    assertThat(Thread.interrupted()).isTrue();
    go.countDown();
    slow.join();
  }

  private static void quietly(ModelStore store, String digest) {
    try {
      store.obtain(digest, SIZE, each -> {});
    } catch (IOException e) {
      // Expected.
    }
  }

  private static void await(CountDownLatch latch) throws IOException {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private ModelStore store(ModelSource source) {
    return new ModelStore(
        directory,
        (sha256, offset) -> {
          offsets.add(offset);
          return source.open(sha256, offset);
        });
  }

  private InputStream whole(String sha256, long offset) {
    return new ByteArrayInputStream(model, (int) offset, SIZE - (int) offset);
  }

  private InputStream breaksAt(int length) {
    return new SequenceInputStream(
        new ByteArrayInputStream(model, 0, length),
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("the line broke");
          }

          @Override
          public int read(byte[] buffer, int offset, int wanted) throws IOException {
            throw new IOException("the line broke");
          }
        });
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }
}
