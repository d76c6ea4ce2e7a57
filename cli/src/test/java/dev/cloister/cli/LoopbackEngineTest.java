package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.EngineListener;
import dev.cloister.agent.engine.ModelFacts;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.server.EngineServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoopbackEngineTest {

  @Test
  void anAgentFindsItsEngineWithoutUnixSockets(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("engine.sock");
    CompletableFuture<String> heard = new CompletableFuture<>();
    try (EngineServer _ =
            EngineServer.start(
                file,
                EngineServer.Kind.LOOPBACK,
                CompletableFuture.failedFuture(new ModelLoadException("no model here")));
        EngineClient client = new EngineClient(file)) {
      client.watch(
          new EngineListener() {
            @Override
            public void loading(double progress) {}

            @Override
            public void staged() {}

            @Override
            public void ready(ModelFacts facts) {}

            @Override
            public void failed(String message) {
              heard.complete(message);
            }

            @Override
            public void lost() {
              heard.complete("lost");
            }
          });
      assertThat(heard).succeedsWithin(Duration.ofSeconds(10)).isEqualTo("no model here");
    }
  }
}
