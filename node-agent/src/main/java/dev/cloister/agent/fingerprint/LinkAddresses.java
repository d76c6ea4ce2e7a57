package dev.cloister.agent.fingerprint;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * By what a sleeping machine is woken over one of its links.
 *
 * @param hardware {@code 00:1b:44:11:3a:b7}; empty if unknown
 * @param broadcast of its IPv4 network; empty without one
 */
record LinkAddresses(String hardware, String broadcast) {
  private static final LinkAddresses UNKNOWN = new LinkAddresses("", "");
  private static final int MAC_BYTES = 6;

  /** Of this machine's interface. */
  static LinkAddresses of(String name) {
    try {
      @Nullable NetworkInterface link = NetworkInterface.getByName(name);
      if (link == null) {
        return UNKNOWN;
      }
      byte @Nullable [] hardware = link.getHardwareAddress();
      return new LinkAddresses(
          hardware == null || hardware.length != MAC_BYTES
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
}
