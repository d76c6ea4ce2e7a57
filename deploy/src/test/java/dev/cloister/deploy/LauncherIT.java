package dev.cloister.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher as people meet it: from anywhere, through links, beside other Javas. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LauncherIT {
  private static final String TOOLS = "/usr/bin:/bin";

  @TempDir private Path directory;

  /** Where the launcher looks last: a home with the JDK of this test, and nothing else. */
  private Path home;

  @BeforeEach
  void home() throws IOException {
    // Also for a test that runs as somebody else.
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    home = Files.createDirectories(directory.resolve("home"));
    Path jdks = Files.createDirectories(home.resolve(".jdks"));
    Files.createSymbolicLink(jdks.resolve("jdk"), Path.of(System.getProperty("java.home")));
  }

  /** JUnit warns of each that it would remove. */
  @AfterEach
  void removeLinks() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path link : files.filter(Files::isSymbolicLink).toList()) {
        Files.delete(link);
      }
    }
  }

  @Test
  void tellsItsVersion() {
    Script version = run(Map.of(), Distribution.HOME.resolve("bin/cloister"), "version");

    assertThat(version.exitCode()).isZero();
    assertThat(version.output()).startsWith("cloister ").hasLineCount(1);
  }

  @Test
  void anUnknownCommandEndsWithTwo() {
    Script unknown = run(Map.of(), Distribution.HOME.resolve("bin/cloister"), "tokn");

    assertThat(unknown.exitCode()).isEqualTo(2);
    assertThat(unknown.output()).isEmpty();
    assertThat(unknown.errors()).contains("tokn");
  }

  @Test
  void runsThroughLinksOfBothKinds() throws IOException {
    Path absolute = directory.resolve("cloister");
    Files.createSymbolicLink(absolute, Distribution.HOME.resolve("bin/cloister"));
    Path relative = Files.createDirectory(directory.resolve("bin")).resolve("cloister");
    Files.createSymbolicLink(relative, Path.of("../cloister"));

    assertThat(run(Map.of(), relative, "version").exitCode()).isZero();
  }

  @Test
  void runsFromAPathWithSpaces() throws IOException {
    Path install = install("a path with spaces");

    Path launcher = install.resolve("bin/cloister");
    for (List<String> command : List.of(List.of("version"), List.of("agent", "start", "--help"))) {
      Script script = run(Map.of("CLOISTER_AOT", "off"), launcher, command.toArray(String[]::new));

      assertThat(script.errors()).isEmpty();
      assertThat(script.exitCode()).isZero();
    }
  }

  @Test
  void passesOverAnOlderJava() throws IOException {
    Path older = java17();
    Map<String, String> first = Map.of("PATH", older.resolve("bin") + ":" + TOOLS);

    assertThat(run(first, Distribution.HOME.resolve("bin/cloister"), "version").exitCode())
        .isZero();
  }

  @Test
  void saysInOneSentenceThatThereIsNoJdk() throws IOException {
    Path install = install("without-jdk");
    // The usual places are those of this machine.
    Path search = install.resolve("lib/find-jdk.sh");
    String places =
        Files.readString(search).replaceAll("(?m)(?<=\\s)/(usr|opt|Library)/", "/none/");
    Files.delete(search);
    Files.writeString(search, places);
    Map<String, String> environment =
        Map.of(
            "PATH",
            java17().resolve("bin") + ":" + tools(),
            "HOME",
            Files.createDirectory(directory.resolve("empty")).toString());

    Script missing = run(environment, install.resolve("bin/cloister"), "version");

    assertThat(missing.exitCode()).isEqualTo(1);
    assertThat(missing.output()).isEmpty();
    assertThat(missing.errors()).startsWith("cloister: no JDK 25 was found").hasLineCount(1);
  }

  @Test
  void makesNoCacheWhenToldNotTo() throws IOException {
    Path install = install("without-cache");

    Script version = run(Map.of("CLOISTER_AOT", "off"), install.resolve("bin/cloister"), "version");

    assertThat(version.errors()).isEmpty();
    assertThat(caches(install)).isEmpty();
  }

  @Test
  void runsFromAnInstallationThatMayOnlyBeRead() throws IOException {
    Path install = install("read-only");
    Files.setPosixFilePermissions(
        install.resolve("lib"), PosixFilePermissions.fromString("r-xr-xr-x"));
    List<String> command = new ArrayList<>();
    if (Files.isWritable(install.resolve("lib"))) {
      // Permissions do not hold the superuser back.
      command.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
    }
    command.addAll(List.of(install.resolve("bin/cloister").toString(), "version"));

    Script version = Script.run(directory, environment(Map.of()), command);

    assertThat(version.errors()).isEmpty();
    assertThat(version.exitCode()).isZero();
    assertThat(caches(install)).isEmpty();
  }

  @Test
  void quickstartPrintsTheAnswerAloneAndLeavesNothing() throws IOException {
    Path temporary = Files.createDirectory(directory.resolve("tmp"));
    String mark = "-Djava.io.tmpdir=" + temporary;

    Script answer =
        run(
            // The processes it starts inherit this one.
            Map.of("JAVA_TOOL_OPTIONS", mark, "CLOISTER_HOME", home.resolve("state").toString()),
            Distribution.HOME.resolve("bin/cloister"),
            "quickstart",
            "--once",
            "--prompt",
            "What is the capital of France?");

    assertThat(answer.output()).as(answer.errors()).isEqualTo("The capital of France is Paris.\n");
    assertThat(answer.exitCode()).isZero();
    assertThat(temporary).isEmptyDirectory();
    assertThat(ProcessHandle.current().descendants().map(ProcessHandle::pid)).isEmpty();
    assertThat(
            ProcessHandle.allProcesses()
                .filter(
                    process ->
                        process.info().commandLine().orElse("").contains(temporary.toString())))
        .isEmpty();
  }

  private Script run(Map<String, String> environment, Path launcher, String... arguments) {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(Arrays.asList(arguments));
    return Script.run(directory, environment(environment), command);
  }

  /** JAVA_HOME is not set. */
  private Map<String, String> environment(Map<String, String> changed) {
    Map<String, String> environment = new HashMap<>();
    environment.put("PATH", TOOLS);
    environment.put("HOME", home.toString());
    environment.putAll(changed);
    return environment;
  }

  /** A directory that passes for the home of a Java 17. */
  private Path java17() throws IOException {
    Path java17 = directory.resolve("java17");
    Files.createDirectories(java17.resolve("bin"));
    Path program = Files.writeString(java17.resolve("bin/java"), "#!/bin/sh\nexit 99\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.writeString(java17.resolve("release"), "JAVA_VERSION=\"17.0.15\"\n");
    return java17;
  }

  /** What the launcher calls, but no Java. */
  private Path tools() throws IOException {
    Path tools = Files.createDirectory(directory.resolve("tools"));
    for (String tool : List.of("sh", "dirname", "readlink", "sed", "tr")) {
      for (String place : TOOLS.split(":", -1)) {
        Path program = Path.of(place, tool);
        if (Files.exists(program) && !Files.exists(tools.resolve(tool))) {
          Files.createSymbolicLink(tools.resolve(tool), program);
        }
      }
    }
    return tools;
  }

  /** The distribution in another place, without a cache. */
  private Path install(String name) throws IOException {
    Path install = directory.resolve(name);
    Files.walkFileTree(
        Distribution.HOME,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path from, BasicFileAttributes attributes)
              throws IOException {
            Files.createDirectory(in(from));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path from, BasicFileAttributes attributes)
              throws IOException {
            if (!from.toString().endsWith(".aot")) {
              Files.copy(from, in(from));
            }
            return FileVisitResult.CONTINUE;
          }

          private Path in(Path from) {
            return install.resolve(Distribution.HOME.relativize(from).toString());
          }
        });
    return install;
  }

  private static List<Path> caches(Path install) throws IOException {
    try (Stream<Path> files = Files.list(install.resolve("lib"))) {
      return files.filter(file -> file.toString().contains(".aot")).toList();
    }
  }
}
