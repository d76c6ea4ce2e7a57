/**
 * Java client of a Cloister cluster.
 *
 * <p>Start with {@link dev.cloister.client.CloisterClient}:
 *
 * <pre>{@code
 * Path profile = Path.of(System.getProperty("user.home"), ".cloister", "client");
 * CloisterClient.join(token, profile, "my-laptop"); // once
 * try (CloisterClient client = CloisterClient.open(profile)) {
 *   System.out.println(client.chat(ChatRequest.of("cloister-tiny", "What is the capital of France?")).text());
 * }
 * }</pre>
 *
 * <p>Everything travels over mutual TLS; no type of gRPC or Netty appears in a signature here.
 * Failures are {@link dev.cloister.client.CloisterException}s.
 */
package dev.cloister.client;
