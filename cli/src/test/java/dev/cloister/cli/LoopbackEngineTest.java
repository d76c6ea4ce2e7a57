package dev.cloister.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.agent.engine.EngineClient;
import dev.cloister.agent.engine.Readiness;
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
    try (EngineServer _ =
            EngineServer.start(
                file,
                EngineServer.Kind.LOOPBACK,
                CompletableFuture.failedFuture(new ModelLoadException("no model here")));
        EngineClient client = new EngineClient(file)) {
      assertThat(Readiness.of(client).ready())
          .failsWithin(Duration.ofSeconds(10))
          .withThrowableThat()
          .withMessageEndingWith("no model here");
    }
  }
}
