package dev.cloister.agent.fingerprint.host;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * By what a sleeping machine is woken over one of its links.
 *
 * @param hardware {@code 00:1b:44:11:3a:b7}; empty if unknown, and where the link is known not to
 *     wake the machine
 * @param broadcast of its IPv4 network; empty without one
 */
public record LinkAddresses(String hardware, String broadcast) {
  private static final LinkAddresses UNKNOWN = new LinkAddresses("", "");
  private static final int MAC_BYTES = 6;

  /** Where Linux tells of its links. */
  private static final Path LINKS = Path.of("/sys/class/net");

  /** Of this machine's interface. */
  public static LinkAddresses of(String name) {
    try {
      @Nullable NetworkInterface link = NetworkInterface.getByName(name);
      if (link == null) {
        return UNKNOWN;
      }
      byte @Nullable [] hardware = link.getHardwareAddress();
      return new LinkAddresses(
          hardware == null || hardware.length != MAC_BYTES || !mayWake(LINKS, name)
              ? ""
              : HexFormat.ofDelimiter(":").formatHex(hardware),
          link.getInterfaceAddresses().stream()
              .map(InterfaceAddress::getBroadcast)
              .filter(Objects::nonNull)
              .filter(Inet4Address.class::isInstance)
              .map(InetAddress::getHostAddress)
              .findFirst()
              .orElse(""));
    } catch (SocketException e) {
      return UNKNOWN;
    }
  }

  /**
   * Whether the link may wake the machine. Callers wait for a machine that is woken, so that one
   * that will not be is not to be tried.
   *
   * @param links a directory for each link; elsewhere than on Linux there is none, and nothing is
   *     known
   */
  static boolean mayWake(Path links, String name) {
    if (!Files.isDirectory(links)) {
      return true;
    }
    try {
      return Files.readString(links.resolve(name).resolve("device/power/wakeup"))
          .strip()
          .equals("enabled");
    } catch (IOException e) {
      // Virtual links, and cards that cannot.
      return false;
    }
  }
}
