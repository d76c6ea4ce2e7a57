package dev.cloister.identity.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import java.nio.ByteBuffer;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;

/**
 * A handshake between two engines in one thread, and all that follows it: in TLS 1.3 a client is
 * done before the server has looked at its certificate.
 */
record Handshake(SSLSession client, SSLSession server) {
  private static final int BUFFER_BYTES = 1 << 16;

  static Handshake between(SslContext clientContext, SslContext serverContext) throws SSLException {
    ByteBufAllocator allocator = ByteBufAllocator.DEFAULT;
    SSLEngine client = clientContext.newEngine(allocator, "localhost", 7443);
    SSLEngine server = serverContext.newEngine(allocator);
    ByteBuffer toServer = ByteBuffer.allocate(BUFFER_BYTES);
    ByteBuffer toClient = ByteBuffer.allocate(BUFFER_BYTES);
    client.beginHandshake();
    server.beginHandshake();
    boolean progress = true;
    while (progress) {
      progress = step(client, toClient, toServer);
      progress |= step(server, toServer, toClient);
    }
    if (!client.getApplicationProtocol().equals("h2")) {
      throw new AssertionError("no HTTP/2: " + client.getHandshakeStatus());
    }
    return new Handshake(client.getSession(), server.getSession());
  }

  private static boolean step(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
    runTasks(engine);
    boolean progress = false;
    in.flip();
    while (in.hasRemaining()) {
      SSLEngineResult result = engine.unwrap(in, ByteBuffer.allocate(BUFFER_BYTES));
      runTasks(engine);
      if (result.bytesConsumed() == 0) {
        break;
      }
      progress = true;
    }
    in.compact();
    while (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
      engine.wrap(ByteBuffer.allocate(0), out);
      runTasks(engine);
      progress = true;
    }
    return progress;
  }

  private static void runTasks(SSLEngine engine) {
    for (Runnable task = engine.getDelegatedTask();
        task != null;
        task = engine.getDelegatedTask()) {
      task.run();
    }
  }
}
