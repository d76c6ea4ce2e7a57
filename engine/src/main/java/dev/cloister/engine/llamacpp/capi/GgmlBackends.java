package dev.cloister.engine.llamacpp.capi;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The devices ggml can compute on, as {@code ggml-backend.h} declares them: those built into a
 * library, and those that lie beside it in files of their own. Thread-safe.
 */
public final class GgmlBackends extends Symbols {

  private static final ValueLayout POINTER = JAVA_LONG;
  private static final int CPU = 0;

  private final NativeFunction loadAll = procedure("ggml_backend_load_all_from_path", POINTER);
  private final NativeFunction count = function("ggml_backend_dev_count", JAVA_LONG);
  private final NativeFunction get = function("ggml_backend_dev_get", POINTER, JAVA_LONG);
  private final NativeFunction name = function("ggml_backend_dev_name", POINTER, POINTER);
  private final NativeFunction description =
      function("ggml_backend_dev_description", POINTER, POINTER);
  private final NativeFunction type = function("ggml_backend_dev_type", JAVA_INT, POINTER);
  private final NativeFunction memory =
      procedure("ggml_backend_dev_memory", POINTER, POINTER, POINTER);

  public GgmlBackends(SymbolLookup symbols) {
    super(symbols);
  }

  /**
   * A device.
   *
   * @param name as ggml numbers them: {@code CPU}, {@code CUDA0}
   * @param description what the maker calls it
   * @param cpu whether it is the processor
   * @param freeBytes of its memory; 0 where it does not tell
   * @param totalBytes of its memory; 0 where it does not tell
   */
  public record Device(
      String name, String description, boolean cpu, long freeBytes, long totalBytes) {}

  /** Loads the backends of a folder, of each kind the one that suits this machine best. */
  public void load(Path folder) {
    try (Arena arena = Arena.ofConfined()) {
      loadAll.run(arena.allocateFrom(folder.toAbsolutePath().toString()).address());
    }
  }

  /** The devices there are now. */
  public List<Device> devices() {
    List<Device> devices = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment free = arena.allocate(JAVA_LONG);
      MemorySegment total = arena.allocate(JAVA_LONG);
      long all = count.toLong();
      for (long number = 0; number < all; number++) {
        long device = get.toLong(number);
        memory.run(device, free.address(), total.address());
        devices.add(
            new Device(
                NativeMemory.text(name.toLong(device)),
                NativeMemory.text(description.toLong(device)),
                type.toInt(device) == CPU,
                free.get(JAVA_LONG, 0),
                total.get(JAVA_LONG, 0)));
      }
    }
    return List.copyOf(devices);
  }
}
