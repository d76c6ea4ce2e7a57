package dev.cloister.engine.gguf;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;

/** Lets java-llama.cpp continue a text with each of the models named, and prints what it said. */
public final class RunModels {

  private RunModels() {}

  public static void main(String[] files) {
    LlamaModel.setLogger(LogFormat.TEXT, (level, line) -> {});
    for (String file : files) {
      LlamaModel model =
          new LlamaModel(
              new ModelParameters().setModel(file).setCtxSize(256).setThreads(1).disableLog());
      String said =
          model.complete(
              new InferenceParameters("Hello, world! " + "bade ".repeat(30))
                  .setTemperature(0)
                  .setNPredict(16));
      System.out.println("said: " + said);
    }
    // A thread of java-llama.cpp's stays.
    Runtime.getRuntime().halt(0);
  }
}
