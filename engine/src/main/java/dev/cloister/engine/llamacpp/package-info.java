/**
 * The one room that touches native code: llama.cpp through java-llama.cpp. Start with {@link
 * dev.cloister.engine.llamacpp.NativeLibrary}.
 */
@NullMarked
package dev.cloister.engine.llamacpp;

import org.jspecify.annotations.NullMarked;
