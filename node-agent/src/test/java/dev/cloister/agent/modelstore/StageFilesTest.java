package dev.cloister.agent.modelstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
class StageFilesTest {
  private static final int LAYERS = 8;
  private static final int LAYER_BYTES = 300_000;
  private static final byte[] HEADER = {7, 7, 7, 7, 7};
  private static final int ZEROS = 4096;

  private final Path folder;
  private final Path stages;
  private final byte[] model = new byte[LAYERS * LAYER_BYTES];
  private final String digest;
  private final List<String> asked = new CopyOnWriteArrayList<>();
  private final List<Double> progress = new CopyOnWriteArrayList<>();
  private final AtomicLong seconds = new AtomicLong(1_000_000);
  private final InstantSource clock = () -> Instant.ofEpochSecond(seconds.incrementAndGet());
  private final ModelStore models;
  private long free = 1L << 40;
  private long unused = 1L << 40;
  private int described;
  private String version = "1";

  StageFilesTest(@TempDir Path folder) {
    this.folder = folder;
    stages = folder.resolve("stages");
    new Random(7).nextBytes(model);
    digest = sha256(model);
    models =
        new ModelStore(
            folder.resolve("models"),
            (_, offset) -> new ByteArrayInputStream(model, (int) offset, model.length));
  }

  @Test
  void aStageIsFetchedPieceByPieceAndNothingElseIs() throws Exception {
    Path file = store(this::piece).obtain(digest, 2, 5, progress::add);
    assertThat(file).hasBinaryContent(expected(2, 5));
    assertThat(asked).containsExactly("2 from 0", "3 from 0", "4 from 0");
    assertThat(progress).isSorted().startsWith(0.0).endsWith(1.0);
    assertThat(stages.toFile().list()).hasSize(3);
  }

  @Test
  void whatIsHereIsNotFetchedAgain() throws Exception {
    StageFiles store = store(this::piece);
    Path first = store.obtain(digest, 2, 5, progress::add);
    asked.clear();
    assertThat(store.obtain(digest, 2, 5, progress::add)).isEqualTo(first);
    assertThat(store(this::piece).obtain(digest, 2, 5, progress::add)).isEqualTo(first);
    assertThat(asked).isEmpty();
  }

  @Test
  void nobodyIsAskedForTheRecipeOfAFileThatThisVersionPutTogether() throws Exception {
    Path first = store(this::piece).obtain(digest, 2, 5, progress::add);
    StageFiles again = store(this::piece);
    assertThat(again.obtain(digest, 2, 5, progress::add)).isEqualTo(first);
    assertThat(described).isEqualTo(1);
    again.obtain(digest, 2, 4, progress::add);
    assertThat(described).isEqualTo(2);
    Files.write(first, new byte[1]);
    assertThat(again.obtain(digest, 2, 5, progress::add)).hasBinaryContent(expected(2, 5));
    assertThat(described).isEqualTo(3);
    version = "2";
    store(this::piece).obtain(digest, 2, 5, progress::add);
    assertThat(described).isEqualTo(4);
  }

  @Test
  void piecesOfAnotherStageThatIsHereAreNotFetchedAgain() throws Exception {
    store(this::piece).obtain(digest, 2, 5, progress::add);
    asked.clear();
    assertThat(store(this::piece).obtain(digest, 3, 7, progress::add))
        .hasBinaryContent(expected(3, 7));
    assertThat(asked).containsExactly("5 from 0", "6 from 0");
  }

  @Test
  void aWholeModelThatIsHereIsEnough() throws Exception {
    models.obtain(digest, model.length, progress::add);
    assertThat(store(this::piece).obtain(digest, 0, 8, progress::add))
        .hasBinaryContent(expected(0, 8));
    assertThat(asked).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void aBreakAnywhereIsContinuedWhereItWas(long seed) throws Exception {
    int broken = new Random(seed).nextInt(1, 3 * LAYER_BYTES - 1);
    AtomicLong left = new AtomicLong(broken);
    StageFiles store =
        store(
            (_, piece, from) -> {
              asked.add(layer(piece) + " from " + from);
              long length = Math.min(left.get(), piece.length() - from);
              left.addAndGet(-length);
              return new SequenceInputStream(
                  new ByteArrayInputStream(model, (int) (piece.offset() + from), (int) length),
                  length < piece.length() - from ? broken() : InputStream.nullInputStream());
            });
    assertThatThrownBy(() -> store.obtain(digest, 2, 5, progress::add))
        .as("seed %d", seed)
        .isInstanceOf(IOException.class)
        .hasMessage("the line broke");
    assertThat(stages.toFile().list()).hasSize(1).allMatch(name -> name.endsWith(".part"));
    left.set(Long.MAX_VALUE);
    asked.clear();
    assertThat(store.obtain(digest, 2, 5, progress::add)).hasBinaryContent(expected(2, 5));
    assertThat(asked)
        .as("seed %d", seed)
        .first()
        .isEqualTo(2 + broken / LAYER_BYTES + " from " + broken % LAYER_BYTES);
  }

  @Test
  void aPieceThatArrivedWrongIsFetchedAgain() throws Exception {
    Path file =
        store(
                (_, piece, from) -> {
                  asked.add(layer(piece) + " from " + from);
                  byte[] bytes = bytes(piece, from);
                  if (layer(piece) == 3 && asked.size() == 2) {
                    bytes[1000]++;
                  }
                  return new ByteArrayInputStream(bytes);
                })
            .obtain(digest, 2, 5, progress::add);
    assertThat(file).hasBinaryContent(expected(2, 5));
    assertThat(asked).containsExactly("2 from 0", "3 from 0", "3 from 0", "4 from 0");
    assertThat(progress).isSorted().endsWith(1.0);
  }

  @Test
  void whatIsWrongAgainAndAgainIsSaidToBeWrong() {
    StageFiles store =
        store((_, piece, from) -> new ByteArrayInputStream(new byte[(int) piece.length()]));
    assertThatThrownBy(() -> store.obtain(digest, 2, 5, progress::add))
        .isInstanceOf(CorruptModelException.class)
        .hasMessageContaining("SHA-256 differs");
  }

  @Test
  void anAgentThatSendsOtherBytesIsNotAskedAgain() throws Exception {
    PieceSource liar =
        (_, piece, from) -> {
          asked.add("liar");
          return new ByteArrayInputStream(new byte[(int) (piece.length() - from)]);
        };
    assertThat(store(liar, this::piece).obtain(digest, 2, 5, progress::add))
        .hasBinaryContent(expected(2, 5));
    assertThat(asked).containsExactly("liar", "2 from 0", "3 from 0", "4 from 0");
  }

  @Test
  void anAgentThatHasSomePiecesIsAskedForEach() throws Exception {
    PieceSource half =
        (_, piece, from) -> {
          if (layer(piece) % 2 == 0) {
            throw new NoSuchFileException("it is elsewhere");
          }
          asked.add("half has " + layer(piece));
          return new ByteArrayInputStream(bytes(piece, from));
        };
    assertThat(store(half, this::piece).obtain(digest, 2, 5, progress::add))
        .hasBinaryContent(expected(2, 5));
    assertThat(asked).containsExactly("2 from 0", "half has 3", "4 from 0");
  }

  @Test
  void aDamagedBeginningIsFetchedAgain() throws Exception {
    Path file = store(this::piece).obtain(digest, 2, 5, progress::add);
    byte[] damaged = Files.readAllBytes(file);
    damaged[HEADER.length + LAYER_BYTES + 17]++;
    Files.delete(file);
    Files.delete(file.resolveSibling(name(file) + ".pieces"));
    Files.write(file.resolveSibling(name(file) + ".part"), Arrays.copyOf(damaged, 800_000));
    asked.clear();
    assertThat(store(this::piece).obtain(digest, 2, 5, progress::add))
        .hasBinaryContent(expected(2, 5));
    assertThat(asked).containsExactly("3 from 0", "4 from " + (800_000 - 5 - 600_000));
  }

  @Test
  void whatIsNotInUseMakesRoomAndWhatIsInUseStays() throws Exception {
    unused = 2 * LAYER_BYTES + 100_000;
    StageFiles store = store(this::piece);
    Path kept = store.obtain(digest, 0, 2, progress::add);
    Path old = store.obtain(digest, 2, 3, progress::add);
    Path newer = store.obtain(digest, 3, 4, progress::add);
    Path newest = store.obtain(digest, 4, 5, progress::add);
    store.release(old);
    store.release(newer);
    assertThat(List.of(kept, old, newer, newest)).allMatch(Files::exists);
    store.release(newest);
    assertThat(old).doesNotExist();
    assertThat(old.resolveSibling(name(old) + ".pieces")).doesNotExist();
    assertThat(List.of(kept, newer, newest)).allMatch(Files::exists);
    unused = 0;
    store(this::piece).release(newest);
    assertThat(stages).isEmptyDirectory();
  }

  @Test
  void aFileObtainedTwiceIsInUseUntilItIsReleasedTwice() throws Exception {
    unused = 0;
    StageFiles store = store(this::piece);
    Path file = store.obtain(digest, 2, 3, progress::add);
    store.obtain(digest, 2, 3, progress::add);
    store.release(file);
    assertThat(file).exists();
    store.release(file);
    assertThat(file).doesNotExist();
  }

  @Test
  void aDiskWithoutRoomIsLeftAlone() {
    free = (512L << 20) + 3 * LAYER_BYTES;
    assertThatThrownBy(() -> store(this::piece).obtain(digest, 2, 5, progress::add))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("MiB free for models, the stage needs 512 MiB");
    assertThat(asked).isEmpty();
    assertThat(stages).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "../../etc/passwd", "AAAA", "0x"})
  void whatIsNoDigestBecomesNoPath(String hostile) {
    assertThatThrownBy(() -> store(this::piece).obtain(hostile, 0, 1, progress::add))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new StageRecipe.Piece(0, 1, hostile))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(stages).doesNotExist();
  }

  @Test
  void aRecipeThatMakesNoSenseIsRefused() {
    StageRecipe.Piece piece = new StageRecipe.Piece(0, 1L << 43, digest);
    List<List<StageRecipe.Part>> refused = new ArrayList<>();
    refused.add(List.of());
    refused.add(List.of(new StageRecipe.Zeros(0)));
    refused.add(List.of(new StageRecipe.Zeros(-1)));
    refused.add(List.of(new StageRecipe.Own(new byte[0])));
    refused.add(List.of(new StageRecipe.Piece(0, Long.MIN_VALUE, digest)));
    refused.add(List.of(new StageRecipe.Zeros(Long.MAX_VALUE), new StageRecipe.Zeros(1)));
    refused.add(List.of(piece, piece, piece));
    for (List<StageRecipe.Part> parts : refused) {
      assertThatThrownBy(() -> new StageRecipe(parts))
          .as("%s", parts)
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> new StageRecipe.Piece(-1, 1, digest))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private StageFiles store(PieceSource... sources) {
    return new StageFiles(
        stages,
        (_, part) -> {
          described++;
          return new StageSource.Offer(recipe((StagePart.Layers) part), List.of(sources), () -> {});
        },
        new LocalPieces(
            models,
            new BundledModels(folder.resolve("none"), (_, _) -> InputStream.nullInputStream()),
            stages),
        clock,
        version,
        unused,
        () -> free);
  }

  private StageRecipe recipe(StagePart.Layers layers) {
    List<StageRecipe.Part> parts = new ArrayList<>();
    parts.add(new StageRecipe.Own(HEADER));
    for (int layer = layers.first(); layer < layers.end(); layer++) {
      int offset = layer * LAYER_BYTES;
      parts.add(
          new StageRecipe.Piece(
              offset,
              LAYER_BYTES,
              sha256(Arrays.copyOfRange(model, offset, offset + LAYER_BYTES))));
    }
    parts.add(new StageRecipe.Zeros(ZEROS));
    return new StageRecipe(parts);
  }

  private byte[] expected(int first, int end) {
    byte[] expected = new byte[HEADER.length + (end - first) * LAYER_BYTES + ZEROS];
    System.arraycopy(HEADER, 0, expected, 0, HEADER.length);
    System.arraycopy(
        model, first * LAYER_BYTES, expected, HEADER.length, (end - first) * LAYER_BYTES);
    return expected;
  }

  private InputStream piece(String modelSha256, StageRecipe.Piece piece, long from) {
    assertThat(modelSha256).isEqualTo(digest);
    asked.add(layer(piece) + " from " + from);
    return new ByteArrayInputStream(bytes(piece, from));
  }

  private byte[] bytes(StageRecipe.Piece piece, long from) {
    return Arrays.copyOfRange(
        model, (int) (piece.offset() + from), (int) (piece.offset() + piece.length()));
  }

  private static int layer(StageRecipe.Piece piece) {
    return (int) (piece.offset() / LAYER_BYTES);
  }

  private static InputStream broken() {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        throw new IOException("the line broke");
      }

      @Override
      public int read(byte[] buffer, int offset, int wanted) throws IOException {
        throw new IOException("the line broke");
      }
    };
  }

  private static String name(Path file) {
    String name = file.getFileName().toString();
    return name.substring(0, name.lastIndexOf('.'));
  }

  private static String sha256(byte[] bytes) {
    var digest = Sha256.begin();
    digest.update(bytes);
    return Sha256.end(digest);
  }
}
