/**
 * The engine process: one loaded model behind gRPC on a Unix domain socket. An agent starts one
 * such process per model, because llama.cpp can abort the process it runs in.
 *
 * <p>Start with {@link dev.cloister.engine.EngineMain}, then {@link
 * dev.cloister.engine.ModelLoading}, which puts the rooms together: {@code gguf} checks the file,
 * {@code library} says which native library to use, {@code llamacpp} loads it and is the only room
 * that touches native code, {@code model} is what the others see of it. {@code generation} says
 * what a model is asked and answers, {@code server} speaks that over the socket, {@code answering}
 * goes from a request to text with {@code chat} and {@code grammar}, and {@code batching} from
 * tokens to tokens. The whole way is told in docs/engine.md.
 */
@NullMarked
package dev.cloister.engine;

import org.jspecify.annotations.NullMarked;
