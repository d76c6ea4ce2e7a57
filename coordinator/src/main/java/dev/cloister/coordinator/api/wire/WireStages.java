package dev.cloister.coordinator.api.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.cloister.coordinator.catalog.Model;
import dev.cloister.coordinator.catalog.ModelContents;
import dev.cloister.proto.catalog.v1.DescribeStageRequest;
import dev.cloister.proto.catalog.v1.Layers;
import dev.cloister.proto.catalog.v1.Part;
import dev.cloister.proto.catalog.v1.Piece;
import dev.cloister.proto.catalog.v1.StageFile;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;

/** Stages' files on the wire. */
public final class WireStages {
  private WireStages() {}

  /**
   * @param holders where agents listen that may have some of it
   * @throws IllegalArgumentException if the model cannot be cut there; the message is one sentence
   * @throws IOException if the model's file is not what it was
   */
  public static StageFile describe(
      ModelContents contents, Model model, DescribeStageRequest request, List<String> holders)
      throws IOException {
    var file =
        switch (request.getPartCase()) {
          case LAYERS -> layers(contents, model, request.getLayers());
          case LEXICON -> contents.lexicon(model);
          case PART_NOT_SET ->
              throw new IllegalArgumentException("part: none (expected: layers, or the lexicon)");
        };
    StageFile.Builder wire =
        StageFile.newBuilder().setSizeBytes(file.sizeBytes()).addAllHolders(holders);
    for (var part : file.parts()) {
      wire.addParts(
          switch (part) {
            case dev.cloister.coordinator.catalog.StageFile.Own own ->
                Part.newBuilder().setBytes(UnsafeByteOperations.unsafeWrap(own.bytes()));
            case dev.cloister.coordinator.catalog.StageFile.Piece piece ->
                Part.newBuilder()
                    .setPiece(
                        Piece.newBuilder()
                            .setOffset(piece.offset())
                            .setLength(piece.length())
                            .setSha256(digest(contents.sha256(model, piece))));
            case dev.cloister.coordinator.catalog.StageFile.Zeros zeros ->
                Part.newBuilder().setZeros(zeros.length());
          });
    }
    return wire.build();
  }

  private static dev.cloister.coordinator.catalog.StageFile layers(
      ModelContents contents, Model model, Layers layers) throws IOException {
    // Numbers past 2^31 arrive as negative ones, which no model has either.
    return contents.stage(model, layers.getFirst(), layers.getEnd());
  }

  private static ByteString digest(String sha256) {
    return UnsafeByteOperations.unsafeWrap(HexFormat.of().parseHex(sha256));
  }
}
