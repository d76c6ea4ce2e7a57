/**
 * The contract of an engine process: gRPC on a Unix domain socket, and the translation between its
 * messages and the words of {@code generation}. Start with {@link
 * dev.cloister.engine.server.EngineServer}.
 */
@NullMarked
package dev.cloister.engine.server;

import org.jspecify.annotations.NullMarked;
