package dev.cloister.engine.families;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.engine.families.FamilyProof.Outcome;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.gguf.Architecture;
import dev.cloister.engine.gguf.GgufModel;
import dev.cloister.engine.gguf.TensorType;
import dev.cloister.engine.gguf.random.RandomModel;
import dev.cloister.engine.gguf.random.RandomModel.Shape;
import dev.cloister.engine.library.InstalledLibrary;
import dev.cloister.engine.library.TestLibraryCache;
import dev.cloister.engine.llamacpp.LlamaCpp;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Stages compute what the whole model computes, bit for bit, on each native library. */
class SplitProofTest {

  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path DEMO_MODEL = ROOT.resolve("models/demo/cloister-tiny-q8_0.gguf");

  @TempDir private Path folder;

  private static List<LlamaCpp> libraries = List.of();

  @BeforeAll
  static void start() throws ModelLoadException {
    List<LlamaCpp> started = new ArrayList<>();
    started.add(LlamaCpp.b4916(Path.of("target", "library-cache")).orElseThrow());
    Optional<InstalledLibrary> installed = TestLibraryCache.library();
    if (installed.isPresent()) {
      started.add(LlamaCpp.v050(installed.get().backendFolders()));
    }
    libraries = started;
  }

  static Stream<LlamaCpp> libraries() {
    return libraries.stream();
  }

  static Stream<Arguments> families() {
    return libraries()
        .flatMap(
            library ->
                Stream.of(Architecture.values())
                    .map(architecture -> Arguments.of(library, architecture)));
  }

  @ParameterizedTest
  @MethodSource("libraries")
  void theDemoModelIsEqual(LlamaCpp library) throws Exception {
    GgufModel model = GgufModel.open(DEMO_MODEL);
    for (List<Integer> starts : List.of(List.of(4), List.of(1, 7), List.of(1, 2, 3, 4, 5, 6, 7))) {
      assertThat(SplitProof.THOROUGH.run(library, model, starts, folder))
          .as("%s", starts)
          .isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("families")
  void modelsWithRandomWeightsAreEqual(LlamaCpp library, Architecture architecture)
      throws Exception {
    FamilyProof proof = FamilyProof.of(library, architecture, folder);
    assertThat(proof.difference()).isEmpty();
    Set<Architecture> unknown = Set.of(Architecture.QWEN3, Architecture.JAMBA);
    Outcome expected =
        !library.bundled()
            ? Outcome.EQUAL
            : unknown.contains(architecture)
                ? Outcome.UNKNOWN
                : architecture == Architecture.GEMMA2 ? Outcome.WHOLE_ONLY : Outcome.EQUAL;
    assertThat(proof.outcome()).isEqualTo(expected);
  }

  /** Its placeholder is of the type with the fewest bits, which wants rows of 256 numbers. */
  @ParameterizedTest
  @MethodSource("libraries")
  void aModelWhoseOutputCannotBeItsEmbeddingIsEqual(LlamaCpp library) throws Exception {
    Path file = folder.resolve("olmo2.gguf");
    new RandomModel(
            Architecture.OLMO2, new Shape(4, 256, 4, 2, 512, 512, 256), TensorType.Q8_0, false, 7)
        .write(file);
    assertThat(SplitProof.THOROUGH.run(library, GgufModel.open(file), List.of(2), folder))
        .isEmpty();
  }

  @Test
  void thePageOfFamiliesIsOfThisVersion() throws Exception {
    List<FamilyProof> proofs = new ArrayList<>();
    for (Architecture architecture : Architecture.values()) {
      proofs.add(new FamilyProof(architecture, "library", Outcome.EQUAL, Optional.empty()));
    }
    StringWriter page = new StringWriter();
    new FamilyTable(List.of("library"), proofs).print(new PrintWriter(page));
    List<String> written = Files.readAllLines(ROOT.resolve("docs/families.md"));
    page.toString()
        .lines()
        .filter(line -> line.startsWith("| `"))
        .map(line -> line.split(" \\| "))
        .forEach(
            cells ->
                assertThat(written)
                    .anyMatch(line -> line.startsWith(cells[0]) && line.endsWith(cells[2])));
  }
}
