package dev.cloister.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.cloister.engine.gguf.GgufModel.Pooling;
import dev.cloister.engine.gguf.random.RandomBert;
import dev.cloister.proto.engine.v1.EmbedRequest;
import dev.cloister.proto.engine.v1.RerankRequest;
import dev.cloister.proto.inference.v1.Failure;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Models that only read: BERT with random weights, which embeds or ranks. */
class EngineEncodersTest {
  private static final String QUERY = "where is the printer";
  private static final List<String> TEXTS =
      List.of(
          "the printer is in room b",
          "water",
          "a tiger in the river is in the room in the river in the stone",
          "fire",
          "stone",
          "Ω");

  @TempDir private Path directory;

  private EngineProcess start(EngineLibrary library, Pooling pooling) throws Exception {
    Path file = directory.resolve("bert.gguf");
    new RandomBert(pooling).write(file);
    EngineProcess engine = EngineProcess.start(library, directory, file, "--threads", "1").ready();
    Failure failure = engine.ask("Hello").last().getFailed();
    assertThat(failure.getCode()).isEqualTo(Failure.Code.CODE_INVALID_REQUEST);
    assertThat(failure.getMessage()).contains("does not answer").doesNotContain("\n");
    return engine;
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.engine.EngineLibrary#available")
  void aRankingModelScoresEachDocumentTheSameInAnyCompany(EngineLibrary library) throws Exception {
    try (EngineProcess engine = start(library, Pooling.RANK)) {
      List<Float> together = scores(engine, TEXTS);
      assertThat(together)
          .hasSameSizeAs(TEXTS)
          .doesNotHaveDuplicates()
          .allSatisfy(score -> assertThat(score).isFinite());
      for (int i = 0; i < TEXTS.size(); i++) {
        assertThat(scores(engine, List.of(TEXTS.get(i))).getFirst())
            .isCloseTo(together.get(i), within(1e-3f));
      }
      assertThat(scores(engine, TEXTS.reversed()).reversed())
          .usingElementComparator((a, b) -> Math.abs(a - b) < 1e-3 ? 0 : 1)
          .isEqualTo(together);
      // More than one batch.
      List<String> many =
          IntStream.range(0, 200).mapToObj(i -> TEXTS.get(i % TEXTS.size())).toList();
      List<Float> all = scores(engine, many);
      for (int i = 0; i < many.size(); i++) {
        assertThat(all.get(i)).isCloseTo(together.get(i % TEXTS.size()), within(1e-3f));
      }
      assertThatThrownBy(() -> embed(engine, TEXTS))
          .hasMessageContaining("FAILED_PRECONDITION: this model makes no embeddings");
    }
  }

  @ParameterizedTest
  @MethodSource("dev.cloister.engine.EngineLibrary#available")
  void anEmbeddingModelEmbedsEachTextTheSameInAnyCompany(EngineLibrary library) throws Exception {
    for (Pooling pooling : List.of(Pooling.MEAN, Pooling.CLS)) {
      try (EngineProcess engine = start(library, pooling)) {
        List<List<Float>> together = embed(engine, TEXTS);
        assertThat(together).hasSameSizeAs(TEXTS).doesNotHaveDuplicates();
        for (int i = 0; i < TEXTS.size(); i++) {
          List<Float> vector = together.get(i);
          assertThat(vector).hasSize(RandomBert.WIDTH);
          List<Float> alone = embed(engine, List.of(TEXTS.get(i))).getFirst();
          assertThat(dot(vector, alone))
              .as("%s %s", pooling, TEXTS.get(i))
              .isCloseTo(1, within(1e-5));
        }
        assertThatThrownBy(() -> scores(engine, TEXTS))
            .hasMessageContaining("FAILED_PRECONDITION: this model has no ranking head");
      }
    }
  }

  private static List<Float> scores(EngineProcess engine, List<String> documents) {
    return engine
        .stub()
        .rerank(RerankRequest.newBuilder().setQuery(QUERY).addAllDocuments(documents).build())
        .getScoresList();
  }

  private static List<List<Float>> embed(EngineProcess engine, List<String> texts) {
    return engine
        .stub()
        .embed(EmbedRequest.newBuilder().addAllTexts(texts).build())
        .getEmbeddingsList()
        .stream()
        .map(embedding -> embedding.getValuesList())
        .toList();
  }

  private static double dot(List<Float> one, List<Float> other) {
    return IntStream.range(0, one.size()).mapToDouble(i -> one.get(i) * other.get(i)).sum();
  }
}
