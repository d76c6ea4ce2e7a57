package dev.cloister.agent.modelstore;

import java.io.IOException;
import java.util.List;

/** Where it is known what stages' files consist of. Thread-safe. */
@FunctionalInterface
public interface StageSource {
  /**
   * Asks what a file consists of.
   *
   * @param modelSha256 of the whole model's file
   * @throws IOException if nobody answers or there is no such file; trying again may help
   */
  Offer describe(String modelSha256, StagePart part) throws IOException;

  /**
   * A recipe, and who has the pieces: to be asked in this order, the last of them has all. Closing
   * ends what is open towards them.
   */
  record Offer(StageRecipe recipe, List<PieceSource> pieces, Runnable end)
      implements AutoCloseable {
    public Offer {
      pieces = List.copyOf(pieces);
    }

    @Override
    public void close() {
      end.run();
    }
  }
}
