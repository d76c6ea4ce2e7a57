package dev.cloister.coordinator.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.coordinator.fakes.MemoryModelRecords;
import dev.cloister.coordinator.labels.Labels;
import dev.cloister.testkit.SettableClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CatalogTest {
  /** As {@code sha256sum} prints it for {@code abc}. */
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  private static final ModelOptions EIGHT_SLOTS = slots(8);

  @TempDir private Path directory;
  private final SettableClock clock = new SettableClock(Instant.parse("2026-01-01T00:00:00Z"));
  private final MemoryModelRecords records = new MemoryModelRecords();
  private final Catalog catalog = new Catalog(records, clock);
  private Path file = Path.of("");

  @BeforeEach
  void write() throws IOException {
    file = Files.writeString(directory.resolve("model.gguf"), "abc").toRealPath();
    Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
  }

  @Test
  void aModelIsKnownByItsNameAndItsDigest() throws Exception {
    Model model = catalog.add("tiny", file);
    assertThat(model.sha256()).isEqualTo(ABC);
    assertThat(model.sizeBytes()).isEqualTo(3);
    assertThat(catalog.find("tiny")).hasValue(model);
    assertThat(catalog.find("other")).isEmpty();
    assertThat(new Catalog(records, clock).models()).containsExactly(model);
  }

  @Test
  void whatAModelRequiresOfNodesOutlivesItsOptionsAndItsFile() throws Exception {
    catalog.add("tiny", file);
    catalog.require("tiny", Map.of("class", "server", "site", "hq"), List.of());
    catalog.configure("tiny", ModelOptions.NONE);
    catalog.add("tiny", Files.writeString(directory.resolve("other.gguf"), "other"));
    catalog.require("tiny", Map.of(), List.of("site"));
    assertThat(new Catalog(records, clock).find("tiny").orElseThrow().required())
        .isEqualTo(Labels.of(Map.of("class", "server")));
  }

  @Test
  void anUnchangedFileIsNotHashedAgain() throws Exception {
    Model first = catalog.add("tiny", file);
    clock.advance(Duration.ofDays(1));
    // The same size and time: what would show a second hashing is another digest.
    Files.writeString(file, "xyz");
    Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
    assertThat(catalog.add("tiny", file)).isSameAs(first);
  }

  @Test
  void aChangedFileIsHashedAgain() throws Exception {
    Model first = catalog.add("tiny", file);
    Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH.plusMillis(1)));
    clock.advance(Duration.ofDays(1));
    Model touched = catalog.add("tiny", file);
    assertThat(touched).isNotEqualTo(first);
    assertThat(touched.sha256()).isEqualTo(ABC);
    Files.writeString(file, "abcd");
    assertThat(catalog.add("tiny", file).sha256()).isNotEqualTo(ABC);
    assertThat(catalog.models()).hasSize(1);
  }

  @Test
  void theOptionsOfANameStayWhenItsFileChanges() throws Exception {
    List<Model> told = new ArrayList<>();
    catalog.addListener(told::add);
    Model model = catalog.add("tiny", file);
    Model configured = catalog.configure("tiny", EIGHT_SLOTS).orElseThrow();
    assertThat(configured.options()).isEqualTo(EIGHT_SLOTS);
    assertThat(configured.sha256()).isEqualTo(model.sha256());
    assertThat(told).containsExactly(configured);
    assertThat(new Catalog(records, clock).find("tiny")).hasValue(configured);
    Files.writeString(file, "abcd");
    assertThat(catalog.add("tiny", file).options()).isEqualTo(EIGHT_SLOTS);
    assertThat(catalog.configure("other", EIGHT_SLOTS)).isEmpty();
    assertThat(told).hasSize(1);
  }

  @Test
  void anOptionOutOfRangeIsRefusedInOneSentence() {
    assertThatThrownBy(() -> slots(65))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("slots: 65 (expected: 1 to 64)");
    assertThatThrownBy(() -> ModelOptions.NONE.withSize(OptionalInt.of(1), OptionalInt.empty()))
        .hasMessage("context: 1 (expected: >= 32)");
  }

  @Test
  void onlyASplitIsForced() {
    assertThatThrownBy(() -> ModelOptions.NONE.withSplit(OptionalInt.of(1), true))
        .hasMessage("force: without a split (expected: split over 2 nodes or more)");
    assertThat(ModelOptions.NONE.withSplit(OptionalInt.of(2), true).force()).isTrue();
  }

  private static ModelOptions slots(int slots) {
    ModelOptions none = ModelOptions.NONE;
    return new ModelOptions(
        none.contextTokens(),
        OptionalInt.of(slots),
        none.threads(),
        none.batchThreads(),
        none.batchTokens(),
        none.gpuLayers(),
        none.mainGpu(),
        none.kvType(),
        none.kvPlace(),
        none.flashAttention(),
        none.split(),
        none.force());
  }

  @Test
  void aLinkIsFollowedAndTheFileStaysWhereItIs() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), file);
    assertThat(catalog.add("tiny", link).file()).isEqualTo(file);
  }

  @Test
  void aDirectoryAMissingFileAndABadNameAreRefused() {
    assertThatThrownBy(() -> catalog.add("tiny", directory))
        .isInstanceOf(IOException.class)
        .hasMessageEndingWith("is not a file");
    assertThatThrownBy(() -> catalog.add("tiny", directory.resolve("missing")))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> catalog.add("../tiny", file))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected: letters, digits");
    assertThat(catalog.models()).isEmpty();
  }
}
