/**
 * What the engine needs of a native library, free of native code: weights ({@link
 * dev.cloister.engine.model.Model}), tokens ({@link dev.cloister.engine.model.Vocabulary}) and a
 * place to compute ({@link dev.cloister.engine.model.DecodeContext}). {@code llamacpp} implements
 * it, {@code batching} drives it.
 */
@NullMarked
package dev.cloister.engine.model;

import org.jspecify.annotations.NullMarked;
