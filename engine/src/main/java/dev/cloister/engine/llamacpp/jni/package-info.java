/**
 * A model through java-llama.cpp's Java API. Start with {@link
 * dev.cloister.engine.llamacpp.jni.JniModel}.
 */
@NullMarked
package dev.cloister.engine.llamacpp.jni;

import org.jspecify.annotations.NullMarked;
