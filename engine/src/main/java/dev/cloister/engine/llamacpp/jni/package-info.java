/**
 * A model through java-llama.cpp's Java API, which is what Windows has: text, and no more. Start
 * with {@link dev.cloister.engine.llamacpp.jni.JniModel}.
 */
@NullMarked
package dev.cloister.engine.llamacpp.jni;

import org.jspecify.annotations.NullMarked;
