package dev.cloister.engine.llamacpp.capi;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Linker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The pages of a model's file in this process. Some types of weights are copied into another order
 * while they are loaded, yet the library keeps the whole file mapped, and the system counts it for
 * a second time. Linux only; elsewhere nothing is known and nothing done.
 */
public final class MappedPages {
  private static final Path PROCESS = Path.of("/proc/self");
  private static final Pattern COPIES = Pattern.compile("(?m)^RssAnon:\\s+(\\d+) kB$");
  private static final Pattern MAPPING =
      Pattern.compile("^([0-9a-f]+)-([0-9a-f]+) r\\S+ \\S+ \\S+ \\S+\\s+(/.*)$");

  /** {@code MADV_DONTNEED}; what is wanted after all is mapped again when it is touched. */
  private static final long DONT_NEED = 4;

  private MappedPages() {}

  /** Bytes of memory of this process that belong to no file; 0 if unknown. */
  public static long copiedBytes() {
    try {
      Matcher matcher = COPIES.matcher(Files.readString(PROCESS.resolve("status")));
      return matcher.find() ? Long.parseLong(matcher.group(1)) << 10 : 0;
    } catch (IOException e) {
      return 0;
    }
  }

  /** Gives the pages of a file back, which stay mapped. */
  public static void release(Path file) throws IOException {
    if (!Files.exists(PROCESS)) {
      return;
    }
    String path = file.toRealPath().toString();
    LibraryC library = new LibraryC();
    for (String line : Files.readAllLines(PROCESS.resolve("maps"))) {
      Matcher mapping = MAPPING.matcher(line);
      if (mapping.matches() && mapping.group(3).equals(path)) {
        long begin = Long.parseUnsignedLong(mapping.group(1), 16);
        long end = Long.parseUnsignedLong(mapping.group(2), 16);
        library.advise.run(begin, end - begin, DONT_NEED);
      }
    }
  }

  private static final class LibraryC extends Symbols {
    // The result, whether the advice was taken, does not matter.
    final NativeFunction advise = procedure("madvise", JAVA_LONG, JAVA_LONG, JAVA_LONG);

    LibraryC() {
      super(Linker.nativeLinker().defaultLookup());
    }
  }
}
