package dev.cloister.testkit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** An HTTP server of this machine that serves files, or fails as it is told. Thread-safe. */
public final class FileServer implements AutoCloseable {
  private final Map<String, Answer> answers = new ConcurrentHashMap<>();
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  @FunctionalInterface
  private interface Answer {
    void send(HttpExchange exchange) throws IOException, InterruptedException;
  }

  private FileServer(HttpServer server) {
    this.server = server;
  }

  /** Starts on a free loopback port; every path answers 404 at first. */
  public static FileServer start() throws IOException {
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    FileServer files = new FileServer(HttpServer.create(any, 0));
    files.server.setExecutor(files.threads);
    files.server.createContext("/", files::answer);
    files.server.start();
    return files;
  }

  public URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /** The paths asked for, in order. */
  public List<String> requests() {
    return List.copyOf(requests);
  }

  public void serve(String path, byte[] content) {
    answers.put(
        path,
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content);
        });
  }

  public void fail(String path, int status) {
    answers.put(path, exchange -> exchange.sendResponseHeaders(status, -1));
  }

  public void redirect(String path, URI target) {
    answers.put(
        path,
        exchange -> {
          exchange.getResponseHeaders().add("location", target.toString());
          exchange.sendResponseHeaders(302, -1);
        });
  }

  /** Promises the content, sends the first half and closes the connection. */
  public void breakOff(String path, byte[] content) {
    answers.put(
        path,
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(Arrays.copyOf(content, content.length / 2));
          throw new IOException("broken off");
        });
  }

  /**
   * Sends the first half of the content and no more.
   *
   * @return counted down once that is sent
   */
  public CountDownLatch stall(String path, byte[] content) {
    CountDownLatch half = new CountDownLatch(1);
    answers.put(
        path,
        exchange -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(Arrays.copyOf(content, content.length / 2));
          exchange.getResponseBody().flush();
          half.countDown();
          closed.await();
        });
    return half;
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    requests.add(path);
    try (exchange) {
      answers.getOrDefault(path, missing -> missing.sendResponseHeaders(404, -1)).send(exchange);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
