/**
 * A model as a pipeline of one or more stages. Start with {@link
 * dev.cloister.engine.stage.Pipeline}, which the batch thread drives: {@link
 * dev.cloister.engine.stage.LocalPipeline} is a whole model, {@link
 * dev.cloister.engine.stage.RingPipeline} the first stage of a split one. The other stages are
 * {@link dev.cloister.engine.stage.Stage}s, which take frames and give frames; what travels between
 * them is a {@link dev.cloister.engine.stage.StageFrame}. How frames travel is not known here.
 */
@NullMarked
package dev.cloister.engine.stage;

import org.jspecify.annotations.NullMarked;
