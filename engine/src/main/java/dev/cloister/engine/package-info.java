/**
 * The engine process: one loaded model behind gRPC on a Unix domain socket. An agent starts one
 * such process per model, because llama.cpp can abort the process it runs in.
 *
 * <p>Start with {@link dev.cloister.engine.EngineMain}. The rooms: {@code generation} says what a
 * model is asked and answers, {@code llamacpp} is the only one that touches native code, {@code
 * server} speaks the contract.
 */
@NullMarked
package dev.cloister.engine;

import org.jspecify.annotations.NullMarked;
