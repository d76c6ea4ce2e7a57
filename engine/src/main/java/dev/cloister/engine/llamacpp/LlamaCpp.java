package dev.cloister.engine.llamacpp;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.llamacpp.capi.LlamaVersion;
import dev.cloister.engine.llamacpp.capi.NativeLog;
import dev.cloister.engine.model.Model;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.DoubleConsumer;

/**
 * llama.cpp, loaded into this process and called through its C API. It stays until the process
 * ends. Thread-safe.
 *
 * <pre>{@code
 * LlamaCpp llama = LlamaCpp.b4916(cache).orElseThrow();
 * try (Model model = llama.load(file, LoadOptions.CPU, progress -> {});
 *     DecodeContext context = model.openContext(options)) {
 *   ...
 * }
 * }</pre>
 */
public final class LlamaCpp {

  private final LlamaFunctions functions;
  private final NativeLog log;

  private LlamaCpp(LlamaFunctions functions, NativeLog log) {
    this.functions = functions;
    this.log = log;
  }

  /**
   * The library that java-llama.cpp carries.
   *
   * @param libraryCache where it is kept between processes
   * @return empty where that library does not export the C API, which is so on Windows
   * @throws ModelLoadException if there is none for this platform, or it cannot be loaded
   */
  public static Optional<LlamaCpp> b4916(Path libraryCache) throws ModelLoadException {
    Path library = NativeLibrary.install(libraryCache).resolve(System.mapLibraryName("jllama"));
    SymbolLookup symbols = open(library);
    if (symbols.find("llama_model_load_from_file").isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(start(new LlamaFunctions(LlamaVersion.B4916, symbols)));
  }

  private static SymbolLookup open(Path library) throws ModelLoadException {
    try {
      return SymbolLookup.libraryLookup(library.toAbsolutePath(), Arena.global());
    } catch (IllegalArgumentException e) {
      throw new ModelLoadException(
          "native library %s cannot be loaded: %s".formatted(library, e.getMessage()), e);
    }
  }

  private static LlamaCpp start(LlamaFunctions functions) {
    NativeLog log = new NativeLog();
    functions.logSet.run(log.callback().address(), 0L);
    functions.backendInit.run();
    return new LlamaCpp(functions, log);
  }

  /** For people: {@code llama.cpp b4916}. */
  public String version() {
    return functions.version().title();
  }

  /** Whether this build can compute on a GPU. */
  public boolean gpuOffload() {
    return functions.supportsGpuOffload.test();
  }

  /**
   * Loads a model; takes as long as reading its file does. The file should have been validated:
   * some damaged ones make llama.cpp end the process.
   *
   * @param progress is told from 0 to 1, by the calling thread
   * @throws ModelLoadException in one sentence
   */
  public Model load(Path file, LoadOptions options, DoubleConsumer progress)
      throws ModelLoadException {
    if (!Files.isReadable(file)) {
      throw new ModelLoadException("model file %s cannot be read".formatted(file));
    }
    return NativeModel.load(functions, log, file, options, progress);
  }
}
