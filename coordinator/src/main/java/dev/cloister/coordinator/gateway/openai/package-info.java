/**
 * OpenAI's API: {@code /v1/chat/completions}, {@code /v1/completions} and {@code /v1/models}.
 *
 * <p>Start with {@link dev.cloister.coordinator.gateway.openai.CompletionEndpoint}: it parses a
 * request strictly ({@code CompletionRequest}, read from {@code Fields}), hands each choice to
 * routing, and an {@code Answer} writes what comes back, whole or as server-sent events. Every
 * error has the shape that OpenAI's clients expect ({@link
 * dev.cloister.coordinator.gateway.openai.OpenAiError}).
 */
package dev.cloister.coordinator.gateway.openai;
