package dev.cloister.agent.engine;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import java.io.InputStream;
import java.util.List;

/** Stages whose engines are all on this machine, with nothing between them. */
public final class LocalRing {
  private LocalRing() {}

  /**
   * Has the frames of each engine go to the next one, and those of the last one to the first, until
   * an engine or its client ends.
   */
  public static void join(List<EngineClient> stages) {
    List<ClientCall<InputStream, InputStream>> calls =
        stages.stream().map(EngineClient::run).toList();
    for (int i = 0; i < calls.size(); i++) {
      ClientCall<InputStream, InputStream> from = calls.get(i);
      ClientCall<InputStream, InputStream> to = calls.get((i + 1) % calls.size());
      from.start(
          new ClientCall.Listener<>() {
            @Override
            public void onMessage(InputStream frame) {
              to.sendMessage(frame);
              from.request(1);
            }
          },
          new Metadata());
    }
    calls.forEach(call -> call.request(1));
  }
}
