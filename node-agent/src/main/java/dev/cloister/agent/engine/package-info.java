/**
 * Talking to engine processes: gRPC over a Unix domain socket.
 *
 * <p>Beside {@code link} the only room of the agent that sees gRPC and generated types.
 */
package dev.cloister.agent.engine;
