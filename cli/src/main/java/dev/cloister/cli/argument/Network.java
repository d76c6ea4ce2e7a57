package dev.cloister.cli.argument;

import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** Addresses from the command line. */
public final class Network {
  private Network() {}

  /**
   * @param text {@code HOST:PORT}; an IPv6 literal is in brackets
   * @throws CommandFailedException if it is no such address
   */
  public static InetSocketAddress address(String text, String option) {
    int colon = text.lastIndexOf(':');
    try {
      String host = text.substring(0, Math.max(0, colon));
      if (!host.isEmpty()) {
        return address(host, Integer.parseInt(text.substring(colon + 1)), "the port of " + option);
      }
    } catch (NumberFormatException e) {
      // Told below.
    }
    throw new CommandFailedException(
        ExitCode.USAGE, option + " is '" + text + "' (expected: HOST:PORT)");
  }

  /**
   * @throws CommandFailedException if the host is unknown or the port out of range
   */
  public static InetSocketAddress address(String host, int port, String portOption) {
    if (port < 0 || port > 65_535) {
      throw new CommandFailedException(
          ExitCode.USAGE, portOption + " is " + port + " (expected: 0 to 65535)");
    }
    try {
      return new InetSocketAddress(InetAddress.getByName(host), port);
    } catch (UnknownHostException e) {
      throw new CommandFailedException(
          ExitCode.USAGE, "the host '" + host + "' is unknown; give an address of this machine");
    }
  }
}
