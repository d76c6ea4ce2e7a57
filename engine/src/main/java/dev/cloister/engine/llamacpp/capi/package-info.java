/**
 * llama.cpp's C API as Java sees it: which functions there are ({@link
 * dev.cloister.engine.llamacpp.capi.LlamaFunctions}), how its structures lie in memory in each
 * version ({@link dev.cloister.engine.llamacpp.capi.LlamaVersion}), and what it says while it works
 * ({@link dev.cloister.engine.llamacpp.capi.NativeLog}). Whoever calls it answers for its rules:
 * nothing here checks an argument.
 */
@NullMarked
package dev.cloister.engine.llamacpp.capi;

import org.jspecify.annotations.NullMarked;
