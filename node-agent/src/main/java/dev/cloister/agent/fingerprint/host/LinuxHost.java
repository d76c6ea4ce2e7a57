package dev.cloister.agent.fingerprint.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Linux, from {@code /proc} and {@code /sys}: a few milliseconds, no native code, no process.
 * Formats: {@code proc(5)} and Documentation/ABI of the kernel ({@code sysfs-class-net}, {@code
 * sysfs-class-power}).
 */
public final class LinuxHost implements Host {

  private static final Pattern SPACES = Pattern.compile("\\s+");
  private static final Pattern COLON = Pattern.compile("\\s*:\\s*");

  private final Path root;

  /**
   * @param root where {@code proc} and {@code sys} lie; another directory than {@code /} in tests
   */
  public LinuxHost(Path root) {
    this.root = root;
  }

  @Override
  public String hostName() throws IOException {
    return read("proc/sys/kernel/hostname");
  }

  @Override
  public String operatingSystem() throws IOException {
    return lines("etc/os-release")
        .filter(line -> line.startsWith("PRETTY_NAME="))
        .map(line -> line.substring("PRETTY_NAME=".length()).replace("\"", "").strip())
        .findFirst()
        .orElse("Linux");
  }

  @Override
  public Processor processor() throws IOException {
    List<Map<String, String>> processors = cpuInfo();
    Set<String> cores = new HashSet<>();
    for (Map<String, String> processor : processors) {
      // Only x86 tells which of them share a core; ARM's do not share.
      String core = processor.getOrDefault("core id", processor.getOrDefault("processor", ""));
      cores.add(processor.getOrDefault("physical id", "0") + "/" + core);
    }
    Map<String, String> first = processors.isEmpty() ? Map.of() : processors.getFirst();
    String flags = first.getOrDefault("flags", first.getOrDefault("Features", ""));
    return new Processor(model(first), cores.size(), List.of(SPACES.split(flags)));
  }

  private List<Map<String, String>> cpuInfo() throws IOException {
    return Pattern.compile("\\n\\s*\\n")
        .splitAsStream(read("proc/cpuinfo"))
        .map(
            block ->
                block
                    .lines()
                    .map(line -> COLON.split(line, 2))
                    .filter(pair -> pair.length == 2)
                    .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1], (a, b) -> a)))
        .filter(processor -> processor.containsKey("processor"))
        .toList();
  }

  /** ARM has no model name here: the board's name (Jetson), or else the core's number. */
  private String model(Map<String, String> processor) throws IOException {
    String name = processor.get("model name");
    if (name != null) {
      return name;
    }
    String board = read("proc/device-tree/model").replace("\0", "");
    String part = processor.get("CPU part");
    if (!board.isEmpty() || part == null) {
      return board;
    }
    return "ARM " + processor.getOrDefault("CPU implementer", "") + " part " + part;
  }

  @Override
  public Memory memory() throws IOException {
    String text = read("proc/meminfo");
    long total = Math.max(0, kib(text, "MemTotal:")) * 1024;
    long available = Math.max(0, kib(text, "MemAvailable:")) * 1024;
    return new Memory(total, Math.min(available, total));
  }

  /** Scanned without patterns or streams, as the load is sampled every second. */
  private static long kib(String text, String key) {
    int start = text.indexOf(key);
    int end = text.indexOf(" kB", Math.max(0, start));
    return start < 0 || end < 0 ? -1 : number(text.substring(start + key.length(), end).strip());
  }

  @Override
  public Optional<Battery> battery() throws IOException {
    boolean powered = false;
    boolean discharging = false;
    List<Long> percents = new ArrayList<>();
    for (String supply : entries("sys/class/power_supply")) {
      Function<String, String> property =
          name -> quietly("sys/class/power_supply/" + supply + "/" + name);
      switch (property.apply("type")) {
        case "Battery" -> {
          // A mouse's or a headset's battery says nothing about the machine.
          if (!property.apply("scope").equals("Device")) {
            percents.add(number(property.apply("capacity")));
            discharging |= property.apply("status").equals("Discharging");
          }
        }
        case "Mains", "USB" -> powered |= property.apply("online").equals("1");
        default -> {}
      }
    }
    OptionalDouble charge =
        percents.stream().filter(p -> p >= 0).mapToDouble(p -> Math.min(p, 100) / 100.0).average();
    return charge.isPresent()
        ? Optional.of(new Battery(charge.getAsDouble(), discharging && !powered))
        : Optional.empty();
  }

  @Override
  public List<Interface> interfaces() throws IOException {
    List<Interface> interfaces = new ArrayList<>();
    for (String name : entries("sys/class/net")) {
      String directory = "sys/class/net/" + name + "/";
      String state = quietly(directory + "operstate");
      boolean up =
          state.equals("up")
              || (state.equals("unknown") && quietly(directory + "carrier").equals("1"));
      boolean wireless =
          Files.exists(root.resolve(directory + "wireless"))
              || Files.exists(root.resolve(directory + "phy80211"));
      long megabits = up ? number(quietly(directory + "speed")) : 0;
      interfaces.add(new Interface(name, up, megabits * 1_000_000, wireless));
    }
    return interfaces;
  }

  /** {@code USER_HZ}, the same on every architecture that Java runs on. */
  @Override
  public int ticksPerSecond() {
    return 100;
  }

  @Override
  public CpuTime cpuTime() throws IOException {
    // "cpu  user nice system idle iowait irq softirq steal": the two guest times after them are
    // part of user and nice already.
    String text = read("proc/stat");
    StringTokenizer fields =
        new StringTokenizer(text.substring(0, Math.max(0, text.indexOf('\n'))));
    long total = 0;
    long idle = 0;
    for (int field = 0; field <= 8 && fields.hasMoreTokens(); field++) {
      long ticks = number(fields.nextToken());
      if (field > 0) {
        total += ticks;
        idle += field == 4 || field == 5 ? ticks : 0;
      }
    }
    return new CpuTime(total - idle, total);
  }

  private List<String> entries(String directory) throws IOException {
    List<String> names = new ArrayList<>();
    if (Files.isDirectory(root.resolve(directory))) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(root.resolve(directory))) {
        entries.forEach(entry -> names.add(entry.getFileName().toString()));
      }
    }
    names.sort(null);
    return names;
  }

  /** Empty if there is no such file. */
  private String read(String file) throws IOException {
    Path path = root.resolve(file);
    // Decoded leniently: a stray byte in a model name must not cost the whole file.
    return Files.exists(path)
        ? new String(Files.readAllBytes(path), StandardCharsets.UTF_8).strip()
        : "";
  }

  private Stream<String> lines(String file) throws IOException {
    return read(file).lines();
  }

  /** Drivers answer some of their files with an error (speed, while an interface is down). */
  private String quietly(String file) {
    try {
      return read(file);
    } catch (IOException unreadable) {
      return "";
    }
  }

  private static long number(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException notANumber) {
      return -1;
    }
  }
}
