/**
 * Which model families compute the same in stages as whole: {@link
 * dev.cloister.engine.families.SplitProof} runs a model both ways, on a native library, and
 * compares what comes out bit for bit. {@link dev.cloister.engine.families.StageChain} is a
 * pipeline in one process.
 */
@NullMarked
package dev.cloister.engine.families;

import org.jspecify.annotations.NullMarked;
