/**
 * What a loaded model is asked and what it answers, free of gRPC and native code. Start with {@link
 * dev.cloister.engine.generation.LoadedModel}; the {@link dev.cloister.engine.generation.prompt}
 * has a room of its own.
 */
@NullMarked
package dev.cloister.engine.generation;

import org.jspecify.annotations.NullMarked;
