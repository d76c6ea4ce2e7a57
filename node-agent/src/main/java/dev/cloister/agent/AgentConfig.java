package dev.cloister.agent;

import java.nio.file.Path;
import java.util.List;

/**
 * What an agent is started with.
 *
 * @param dataDirectory holds the membership, model files and sockets
 * @param engineCommand what starts an engine process, without its arguments
 * @param bundledModels model files that came with the installation; may be missing
 * @param libraryCache where native libraries are unpacked; may be shared by agents
 * @param version told to the coordinator
 */
public record AgentConfig(
    Path dataDirectory,
    List<String> engineCommand,
    Path bundledModels,
    Path libraryCache,
    String version) {
  public AgentConfig {
    engineCommand = List.copyOf(engineCommand);
  }
}
