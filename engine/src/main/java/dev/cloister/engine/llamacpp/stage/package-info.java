/**
 * A model's layers computed in stages, with a library that knows nothing of it: {@link
 * dev.cloister.engine.llamacpp.stage.EmbeddingTable} makes what goes into the first layer, and
 * {@link dev.cloister.engine.llamacpp.stage.GraphStates} carries what goes in and comes out of the
 * others.
 */
@NullMarked
package dev.cloister.engine.llamacpp.stage;

import org.jspecify.annotations.NullMarked;
