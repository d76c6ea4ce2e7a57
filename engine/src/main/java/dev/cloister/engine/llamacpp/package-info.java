/**
 * The one room that touches native code: llama.cpp. {@link dev.cloister.engine.llamacpp.LlamaCpp}
 * is the way in: it loads one of two versions and makes models of {@code dev.cloister.engine.model}
 * with it, through the C API that {@code capi} describes. {@code jni} holds what is left for
 * platforms where that API is not exported.
 */
@NullMarked
package dev.cloister.engine.llamacpp;

import org.jspecify.annotations.NullMarked;
