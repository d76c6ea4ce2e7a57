package dev.cloister.engine.gguf;

import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;

/** Reads a header as if a terabyte of tensors followed it, and prints why there is no model. */
final class OpenModel {

  private OpenModel() {}

  public static void main(String[] arguments) throws Exception {
    Path file = Path.of(arguments[0]);
    try (FileChannel channel = FileChannel.open(file)) {
      GgufModel.of(
          GgufFile.parse(
              file,
              channel.map(MapMode.READ_ONLY, 0, channel.size()),
              channel.size() + (1L << 40)));
    } catch (GgufException e) {
      System.out.println(e.getMessage());
    }
  }
}
