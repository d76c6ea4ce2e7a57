package dev.cloister.agent.engine;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.concurrent.TimeUnit;

/**
 * The thread that carries what engines and other agents send. One for all of them: a frame of a
 * stage then goes through this machine without waking another thread, which takes longer than
 * copying it, the more so when engines keep every processor busy.
 */
public final class IoThread implements AutoCloseable {
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  /** For rooms that see Netty. Nothing that runs on it blocks. */
  public EventLoopGroup group() {
    return group;
  }

  /** To be called when no connection uses it any more. */
  @Override
  public void close() {
    // Connections that are closing have something to say yet.
    var _ = group.shutdownGracefully(50, 1_000, TimeUnit.MILLISECONDS);
  }
}
