package dev.cloister.engine.library;

import java.util.Locale;

/**
 * Operating system and processor, in npm's words.
 *
 * @param system {@code linux}, {@code mac} or {@code win}
 * @param processor {@code x64} or {@code arm64}; else what the JVM calls it
 */
public record Platform(String system, String processor) {

  /** The one this process runs on. */
  public static Platform current() {
    return of(System.getProperty("os.name", ""), System.getProperty("os.arch", ""));
  }

  static Platform of(String osName, String osArch) {
    String system = osName.toLowerCase(Locale.ROOT);
    String processor = osArch.toLowerCase(Locale.ROOT);
    return new Platform(
        system.startsWith("windows") ? "win" : system.startsWith("mac") ? "mac" : system,
        switch (processor) {
          case "amd64", "x86_64" -> "x64";
          case "aarch64" -> "arm64";
          default -> processor;
        });
  }

  /** {@code linux-x64}. */
  @Override
  public String toString() {
    return system + "-" + processor;
  }
}
