/**
 * Copies of what a sequence holds in the KV cache, made and taken back by {@link
 * dev.cloister.engine.llamacpp.states.SequenceStates}: in main memory, and in files ({@link
 * dev.cloister.engine.llamacpp.states.SequenceFile}).
 */
@NullMarked
package dev.cloister.engine.llamacpp.states;

import org.jspecify.annotations.NullMarked;
