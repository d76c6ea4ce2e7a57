/**
 * Models with random weights, for tests and benchmarks. Start with {@link
 * dev.cloister.engine.gguf.random.RandomModel}.
 */
@NullMarked
package dev.cloister.engine.gguf.random;

import org.jspecify.annotations.NullMarked;
