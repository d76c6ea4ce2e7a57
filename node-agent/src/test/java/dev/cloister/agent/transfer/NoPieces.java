package dev.cloister.agent.transfer;

import dev.cloister.agent.modelstore.BundledModels;
import dev.cloister.agent.modelstore.LocalPieces;
import dev.cloister.agent.modelstore.ModelSource;
import dev.cloister.agent.modelstore.ModelStore;
import java.io.IOException;
import java.nio.file.Path;

/** A machine that has nothing of any model. */
public final class NoPieces {
  private NoPieces() {}

  /** Answers that nothing is here. */
  public static PieceSender sender(Path directory) {
    ModelSource none =
        (_, _) -> {
          throw new IOException("nobody has it");
        };
    return new PieceSender(
        new LocalPieces(
            new ModelStore(directory.resolve("models"), none),
            new BundledModels(directory.resolve("bundled"), none),
            directory.resolve("stages")));
  }
}
