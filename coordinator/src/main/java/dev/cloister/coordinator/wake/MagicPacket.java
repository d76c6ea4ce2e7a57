package dev.cloister.coordinator.wake;

import java.nio.ByteBuffer;
import java.util.HexFormat;

/**
 * What wakes a machine: six bytes of ones and its hardware address sixteen times (AMD, "Magic
 * Packet Technology", 1995).
 */
final class MagicPacket {
  static final int BYTES = 6 + 16 * 6;

  private MagicPacket() {}

  /**
   * @param hardware {@code 00:1b:44:11:3a:b7}
   */
  static byte[] of(String hardware) {
    byte[] address = HexFormat.ofDelimiter(":").parseHex(hardware);
    ByteBuffer packet = ByteBuffer.allocate(BYTES);
    for (int i = 0; i < 6; i++) {
      packet.put((byte) 0xff);
    }
    while (packet.hasRemaining()) {
      packet.put(address);
    }
    return packet.array();
  }
}
