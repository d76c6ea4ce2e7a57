/**
 * Model files in the <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">GGUF</a>
 * format: read, checked, written, cut and made up. No native code is needed for any of it.
 *
 * <p>Start with {@link dev.cloister.engine.gguf.GgufFile}, which checks a file's structure as it
 * reads it, and {@link dev.cloister.engine.gguf.GgufModel}, which checks what llama.cpp relies on:
 * both come before native code sees a file, because llama.cpp ends the process on some damage.
 * {@link dev.cloister.engine.gguf.GgufWriter} writes files, {@link
 * dev.cloister.engine.gguf.StageCut} copies some of a model's layers into a file of their own, and
 * {@link dev.cloister.engine.gguf.random} makes models with random weights.
 */
@NullMarked
package dev.cloister.engine.gguf;

import org.jspecify.annotations.NullMarked;
