package dev.cloister.agent.engine;

import io.grpc.Detachable;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * Stage frames as the bytes they are on the wire. An agent passes them on and has no use for their
 * content; parsing would copy the hidden states twice.
 *
 * <p>A frame is in the buffers it was received in. Whoever gets one passes it on, which consumes
 * it, or closes it.
 */
public final class FrameBytes implements MethodDescriptor.Marshaller<InputStream> {
  /**
   * The longest frame: 32 MiB of hidden states, and room for the runs and operations around them.
   */
  public static final int MAX_BYTES = 33 << 20;

  @Override
  public InputStream stream(InputStream frame) {
    return frame;
  }

  @Override
  public InputStream parse(InputStream received) {
    if (received instanceof Detachable buffers) {
      return buffers.detach();
    }
    try {
      return new ByteArrayInputStream(received.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
