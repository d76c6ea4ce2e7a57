package dev.cloister.deploy;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.BuildImageCmd;
import com.github.dockerjava.api.command.BuildImageResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Builds the image of {@code deploy/Dockerfile}, without a registry. */
final class CloisterImage {
  static final String NAME = "cloister-test:latest";

  /** Names a base image to use instead of making one, as for {@code compose.yaml}. */
  static final String BASE_VARIABLE = "CLOISTER_BASE";

  private static final String BASE_REPOSITORY = "cloister-test-base";
  private static final Path BASE_SCRIPT = Path.of("src/test/container/base-image.sh");
  private static final Path BUSYBOX = Path.of("/bin/busybox");

  private final DockerClient docker;

  CloisterImage(DockerClient docker) {
    this.docker = docker;
  }

  /** Whether there is a base image, or what one is made of. */
  static boolean hasBase() {
    return System.getenv(BASE_VARIABLE) != null || Files.isExecutable(BUSYBOX);
  }

  /** Layers that did not change since the last run are not built again. */
  void build() throws IOException, InterruptedException, NoSuchAlgorithmException {
    String base = base();
    @Nullable String before = idOf(NAME);
    String id =
        build(
            NAME,
            Map.of("BASE", base),
            List.of(
                "tar",
                "-c",
                // What a start of this distribution left in it belongs to the host's JVM.
                "--exclude=*.aot",
                "-C",
                Distribution.HOME.resolve("..").normalize().toString(),
                "cloister",
                "-C",
                Path.of("").toAbsolutePath().toString(),
                "Dockerfile"));
    if (before != null && !before.startsWith("sha256:" + id)) {
      docker.removeImageCmd(before).exec();
    }
  }

  /** A name that tells what is in it: made once, until Java or the recipe changes. */
  private String base() throws IOException, InterruptedException, NoSuchAlgorithmException {
    @Nullable String configured = System.getenv(BASE_VARIABLE);
    if (configured != null) {
      return configured;
    }
    Path java = Path.of(System.getProperty("java.home"));
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    for (Path part : List.of(BASE_SCRIPT, java.resolve("release"), BUSYBOX)) {
      digest.update(Files.readAllBytes(part));
    }
    String name = BASE_REPOSITORY + ":" + HexFormat.of().formatHex(digest.digest(), 0, 8);
    if (idOf(name) == null) {
      build(name, Map.of(), List.of("sh", BASE_SCRIPT.toString()));
    }
    return name;
  }

  /** Returns the image's id. */
  private String build(String name, Map<String, String> arguments, List<String> contextCommand)
      throws IOException, InterruptedException {
    try (InputStream context = output(contextCommand)) {
      BuildImageCmd command = docker.buildImageCmd(context).withTags(Set.of(name));
      arguments.forEach(command::withBuildArg);
      return command.exec(new BuildImageResultCallback()).awaitImageId(10, TimeUnit.MINUTES);
    }
  }

  /** Whole, before any of it is used: half an archive would be half an image. */
  private static InputStream output(List<String> command) throws IOException, InterruptedException {
    Path file = Files.createTempFile("cloister-image-", ".tar");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectOutput(file.toFile())
              .redirectError(ProcessBuilder.Redirect.PIPE);
      builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
      Process process = builder.start();
      String errors = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException(command + " failed: " + errors);
      }
      return Files.newInputStream(file, StandardOpenOption.DELETE_ON_CLOSE);
    } catch (IOException | InterruptedException | RuntimeException e) {
      Files.deleteIfExists(file);
      throw e;
    }
  }

  private @Nullable String idOf(String name) {
    try {
      return docker.inspectImageCmd(name).exec().getId();
    } catch (NotFoundException e) {
      return null;
    }
  }
}
