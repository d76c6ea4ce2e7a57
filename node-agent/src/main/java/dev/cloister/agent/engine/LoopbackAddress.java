package dev.cloister.agent.engine;

import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where an engine listens on a machine without Unix domain sockets, as the file in the socket's
 * place tells: {@code cloister-engine-loopback PORT SECRET}.
 */
record LoopbackAddress(int port, String secret) {
  private static final Pattern LINE =
      Pattern.compile("cloister-engine-loopback (\\d{1,5}) ([A-Za-z0-9_-]{43})\n");
  private static final Metadata.Key<String> SECRET =
      Metadata.Key.of("cloister-engine-secret", Metadata.ASCII_STRING_MARSHALLER);

  /** Empty for a socket, and for what is not there any more: calls to either fail by themselves. */
  static Optional<LoopbackAddress> read(Path file) {
    try {
      if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        return Optional.empty();
      }
      Matcher line = LINE.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
      return line.matches()
          ? Optional.of(new LoopbackAddress(Integer.parseInt(line.group(1)), line.group(2)))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  InetSocketAddress socketAddress() {
    return new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port);
  }

  /** Tells the secret with every call. */
  ClientInterceptor credential() {
    Metadata headers = new Metadata();
    headers.put(SECRET, secret);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return "LoopbackAddress[port=%d]".formatted(port);
  }
}
