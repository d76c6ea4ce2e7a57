package dev.cloister.engine.llamacpp;

import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.llamacpp.capi.GgmlBackends;
import dev.cloister.engine.llamacpp.capi.GgmlBackends.Device;
import dev.cloister.engine.llamacpp.capi.LlamaFunctions;
import dev.cloister.engine.llamacpp.capi.LlamaVersion;
import dev.cloister.engine.llamacpp.capi.NativeLog;
import dev.cloister.engine.model.Model;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

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
  private final GgmlBackends backends;
  private final NativeLog log;

  private LlamaCpp(LlamaFunctions functions, GgmlBackends backends, NativeLog log) {
    this.functions = functions;
    this.backends = backends;
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
    LlamaCpp llama = of(LlamaVersion.B4916, symbols);
    llama.functions.backendInit.run();
    return Optional.of(llama);
  }

  /**
   * The libraries of version 0.5.0, with the backends that lie beside them.
   *
   * @param folders the first has {@code libllama}, {@code libggml}, {@code libggml-base} and
   *     backends such as {@code libggml-cuda}; each further one has backends that are loaded while
   *     there is no GPU
   * @throws ModelLoadException if they are not there, of another version, or have no backend for
   *     this machine
   */
  public static LlamaCpp v050(List<Path> folders) throws ModelLoadException {
    Path folder = folders.getFirst();
    SymbolLookup symbols = open(library(folder, "ggml-base"));
    symbols = open(library(folder, "ggml")).or(symbols);
    symbols = open(library(folder, "llama")).or(symbols);
    LlamaCpp llama = of(LlamaVersion.V0_5_0, symbols);
    for (Path next : folders) {
      if (!llama.gpuOffload()) {
        llama.backends.load(next);
      }
    }
    if (llama.devices().isEmpty()) {
      throw new ModelLoadException(
          "%s in %s has no backend for this machine".formatted(llama.version(), folder));
    }
    llama.functions.backendInit.run();
    return llama;
  }

  /** Some files carry backend and version in their name: {@code libllama.cuda.v0.5.0.so}. */
  private static Path library(Path folder, String name) throws ModelLoadException {
    Pattern pattern =
        Pattern.compile(
            "(lib)?" + Pattern.quote(name) + "(\\.[a-z]+)?(\\.v[0-9.]+)?\\.(so|dylib|dll)");
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> pattern.matcher(file.getFileName().toString()).matches())
          .min(Comparator.naturalOrder())
          .orElseThrow(
              () ->
                  new ModelLoadException(
                      "folder %s has no library %s; install llama.cpp again"
                          .formatted(folder, name)));
    } catch (IOException e) {
      throw new ModelLoadException(
          "folder %s with llama.cpp cannot be read: %s".formatted(folder, e), e);
    }
  }

  @SuppressWarnings("restricted") // What the library does in this process is its own affair.
  private static SymbolLookup open(Path library) throws ModelLoadException {
    try {
      return SymbolLookup.libraryLookup(library.toAbsolutePath(), Arena.global());
    } catch (IllegalArgumentException e) {
      throw new ModelLoadException(
          "native library %s cannot be loaded: %s".formatted(library, e.getMessage()), e);
    }
  }

  private static LlamaCpp of(LlamaVersion version, SymbolLookup symbols) throws ModelLoadException {
    LlamaFunctions functions = new LlamaFunctions(version, symbols);
    NativeLog log = new NativeLog();
    functions.logSet.run(log.callback().address(), 0L);
    return new LlamaCpp(functions, new GgmlBackends(symbols), log);
  }

  /** For people: {@code llama.cpp b4916}. */
  public String version() {
    return functions.version().title();
  }

  /** Whether it is the one that comes with Cloister. */
  public boolean bundled() {
    return functions.version() == LlamaVersion.B4916;
  }

  /** Whether there is a GPU that layers can be put on. */
  public boolean gpuOffload() {
    return functions.supportsGpuOffload.test();
  }

  /** What it can compute on, the processor included. */
  public List<Device> devices() {
    return backends.devices();
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
