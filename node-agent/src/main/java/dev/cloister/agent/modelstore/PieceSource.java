package dev.cloister.agent.modelstore;

import java.io.IOException;
import java.io.InputStream;

/** Where pieces of models come from. Nothing is taken on trust: the receiver checks them. */
@FunctionalInterface
public interface PieceSource {
  /**
   * Opens a piece's bytes.
   *
   * @param modelSha256 of the whole model's file
   * @param from where to begin, counted from the piece's own beginning
   * @throws java.nio.file.NoSuchFileException if it is not here
   * @throws IOException if the source does not answer
   */
  InputStream open(String modelSha256, StageRecipe.Piece piece, long from) throws IOException;
}
