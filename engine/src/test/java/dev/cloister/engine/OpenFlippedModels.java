package dev.cloister.engine;

import dev.cloister.engine.generation.AnswerPart;
import dev.cloister.engine.generation.FinishReason;
import dev.cloister.engine.generation.Generation;
import dev.cloister.engine.generation.GenerationListener;
import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.generation.RequestException;
import dev.cloister.engine.generation.Sampling;
import dev.cloister.engine.generation.Usage;
import dev.cloister.engine.generation.prompt.Prompt;
import dev.cloister.engine.gguf.GgufFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * Flips one bit of the demo model after the other, and loads and asks each of these models.
 * Arguments: a folder for them, the library cache, the first and the last number. Numbers below
 * {@value #IN_HEADER} flip a bit in the header, others one in the data. It prints a line before and
 * after each; what is missing after its first line has crashed the process.
 */
final class OpenFlippedModels {
  static final int IN_HEADER = 200;

  private OpenFlippedModels() {}

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    Deployment deployment =
        Deployment.defaults(Path.of(arguments[1])).withContext(64, 1).withThreads(1);
    ModelLoading loading = new ModelLoading(deployment, Clock.systemUTC(), System::nanoTime);
    byte[] demo = Files.readAllBytes(EngineProcess.DEMO_MODEL);
    int headerBytes = Math.toIntExact(GgufFile.open(EngineProcess.DEMO_MODEL).dataOffset());
    for (int i = Integer.parseInt(arguments[2]); i <= Integer.parseInt(arguments[3]); i++) {
      Random random = new Random(i);
      int from = i < IN_HEADER ? 0 : headerBytes;
      int to = i < IN_HEADER ? headerBytes : demo.length;
      int place = random.nextInt(from, to);
      byte flip = (byte) (1 << random.nextInt(8));
      demo[place] ^= flip;
      Path file = Files.write(folder.resolve(i + ".gguf"), demo);
      demo[place] ^= flip;
      System.out.printf("%d %d^%d%n", i, place, flip & 0xff);
      System.out.printf("%d %s%n", i, outcome(loading, file));
      Files.delete(file);
    }
    // Native threads may stay.
    Runtime.getRuntime().halt(0);
  }

  private static String outcome(ModelLoading loading, Path file) {
    try (LoadedModel model = loading.load(file, progress -> {})) {
      Ending ending = new Ending();
      model.generate(
          new Generation(new Prompt.Text("Hello, world"), Sampling.GREEDY, 4, List.of()), ending);
      return ending.text.join();
    } catch (ModelLoadException e) {
      return "refused: " + e.getMessage();
    }
  }

  private static final class Ending implements GenerationListener {
    final CompletableFuture<String> text = new CompletableFuture<>();

    @Override
    public void started(int promptTokens, int cachedTokens) {}

    @Override
    public void part(AnswerPart part) {}

    @Override
    public void finished(FinishReason reason, Usage usage) {
      text.complete("answered");
    }

    @Override
    public void failed(RequestException why) {
      text.complete("failed: " + why.getMessage());
    }
  }
}
