package dev.cloister.agent;

import dev.cloister.agent.courtesy.Policy;
import dev.cloister.agent.fingerprint.Engines;
import dev.cloister.agent.stage.Listening;
import dev.cloister.agent.supervisor.NodeOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * What an agent is started with.
 *
 * @param dataDirectory holds the membership, model files and sockets
 * @param engineCommand what starts an engine process, without its arguments
 * @param bundledModels model files that came with the installation; may be missing
 * @param libraryCache where native libraries are unpacked; may be shared by agents
 * @param engines what engines run with that use the best library there
 * @param owner what this machine's owner says to engines
 * @param diskLimit bytes of disk that models' files may take
 * @param courtesy when this machine works, as its owner says
 * @param listen where to listen for other agents
 * @param version told to the coordinator
 */
public record AgentConfig(
    Path dataDirectory,
    List<String> engineCommand,
    Path bundledModels,
    Path libraryCache,
    Engines engines,
    NodeOptions owner,
    OptionalLong diskLimit,
    Policy courtesy,
    Listening listen,
    String version) {
  public AgentConfig {
    engineCommand = List.copyOf(engineCommand);
  }
}
