/**
 * Many answers from one pipeline: continuous batching and the reuse of prefixes. Start with {@link
 * dev.cloister.engine.batching.Batcher}, whose one thread owns the pipeline and advances a {@link
 * dev.cloister.engine.batching.Schedule}; {@link dev.cloister.engine.batching.StepPlan} says what
 * is computed next, {@link dev.cloister.engine.batching.KvSequences} knows what the KV cache holds
 * and for whom, {@link dev.cloister.engine.batching.PrefixShelf} takes what would slow answers down
 * there, {@link dev.cloister.engine.batching.PrefixStore} keeps the best of it on disk.
 */
@NullMarked
package dev.cloister.engine.batching;

import org.jspecify.annotations.NullMarked;
