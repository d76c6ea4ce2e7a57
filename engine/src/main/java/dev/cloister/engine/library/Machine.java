package dev.cloister.engine.library;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What of this machine decides which build of llama.cpp runs on it.
 *
 * @param obstacles for each backend that cannot run here, what it lacks, as {@code needs ...}
 */
public record Machine(Platform platform, Map<Backend, String> obstacles) {

  private static final Path LINKER_CACHE = Path.of("/etc/ld.so.cache");

  public Machine {
    obstacles = Map.copyOf(obstacles);
  }

  /** Looks at the machine this process runs on: a few small files, no process, no native code. */
  public static Machine current() {
    Platform platform = Platform.current();
    return switch (platform.system()) {
      case "linux" ->
          linux(platform, hasCurrentGlibc(), linkable(), hasEntry("/dev/dri", "renderD*"));
      case "mac" -> mac(platform);
      default -> new Machine(platform, Map.of(Backend.METAL, "needs an Apple computer"));
    };
  }

  public Optional<String> obstacle(Backend backend) {
    return Optional.ofNullable(obstacles.get(backend));
  }

  public boolean fits(Backend backend) {
    return !obstacles.containsKey(backend);
  }

  /**
   * What to install where nobody says otherwise. Vulkan only when asked for: it also runs on the
   * graphics of an ordinary office processor, which is often slower than that processor itself.
   */
  public Backend preferred() {
    return Stream.of(Backend.CUDA, Backend.METAL)
        .filter(this::fits)
        .findFirst()
        .orElse(Backend.CPU);
  }

  /**
   * @param linkable whether the dynamic linker finds a shared library of this name
   */
  static Machine linux(
      Platform platform, boolean currentGlibc, Predicate<String> linkable, boolean renderNode) {
    Map<Backend, String> obstacles = new EnumMap<>(Backend.class);
    obstacles.put(Backend.METAL, "needs an Apple computer");
    boolean driver = linkable.test("libcuda.so.1");
    if (!driver) {
      obstacles.put(Backend.CUDA, "needs an NVIDIA GPU and its driver");
    } else if (Stream.of("13", "12")
        .noneMatch(
            version ->
                linkable.test("libcudart.so." + version)
                    && linkable.test("libcublas.so." + version))) {
      obstacles.put(
          Backend.CUDA, "needs the CUDA runtime, version 12 or 13 (libcudart and libcublas)");
    }
    if (!linkable.test("libvulkan.so.1")) {
      obstacles.put(Backend.VULKAN, "needs the Vulkan loader (libvulkan.so.1)");
    } else if (!renderNode && !driver) {
      obstacles.put(Backend.VULKAN, "needs a GPU");
    }
    if (!currentGlibc) {
      for (Backend backend : Backend.values()) {
        obstacles.putIfAbsent(backend, "needs glibc 2.34 or newer");
      }
    }
    return new Machine(platform, obstacles);
  }

  private static Machine mac(Platform platform) {
    Map<Backend, String> obstacles = new EnumMap<>(Backend.class);
    obstacles.put(Backend.CUDA, "needs an NVIDIA GPU and its driver");
    obstacles.put(Backend.VULKAN, "needs a GPU with Vulkan");
    if (!platform.processor().equals("arm64")) {
      obstacles.put(Backend.METAL, "needs Apple silicon");
    }
    return new Machine(platform, obstacles);
  }

  /**
   * Since 2.34 glibc's library is a file named {@code libc.so.6}; before, that was a link to {@code
   * libc-2.33.so} and the like, which is what the kernel then shows (glibc's NEWS for 2.34). The
   * JVM itself runs on it.
   */
  private static boolean hasCurrentGlibc() {
    try (Stream<String> mapped = Files.lines(Path.of("/proc/self/maps"))) {
      return mapped.anyMatch(line -> line.endsWith("/libc.so.6"));
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * The linker looks into {@code LD_LIBRARY_PATH} and into its cache, which holds the names as
   * zero-terminated strings (ld.so(8)). A library that merely lies somewhere would not be found.
   */
  private static Predicate<String> linkable() {
    @Nullable String path = System.getenv("LD_LIBRARY_PATH");
    List<Path> folders =
        path == null ? List.of() : Stream.of(path.split(":")).map(Path::of).toList();
    String cache = linkerCache();
    return name ->
        cache.contains("/" + name + "\0")
            || folders.stream().anyMatch(folder -> Files.exists(folder.resolve(name)));
  }

  private static String linkerCache() {
    try {
      return Files.readString(LINKER_CACHE, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  private static boolean hasEntry(String folder, String glob) {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of(folder), glob)) {
      return entries.iterator().hasNext();
    } catch (IOException e) {
      return false;
    }
  }
}
