package dev.cloister.coordinator.gateway;

import static dev.cloister.coordinator.gateway.TestGateway.CHAT;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO;
import static dev.cloister.coordinator.gateway.TestGateway.HELLO_STREAM;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.cloister.coordinator.fakes.FakeNodeSession.Start;
import dev.cloister.coordinator.inference.GenerationEvent.FinishReason;
import dev.cloister.coordinator.inference.GenerationEvent.Finished;
import dev.cloister.coordinator.inference.GenerationEvent.Started;
import dev.cloister.coordinator.inference.GenerationEvent.TextDelta;
import dev.cloister.coordinator.inference.GenerationEvent.Usage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What callers do to the wire: leave, dawdle, crowd. */
class CallersTest {
  @AutoClose private final TestGateway gateway;

  CallersTest(@TempDir Path directory) throws Exception {
    gateway = new TestGateway(directory);
  }

  @Test
  void aCallerThatLeavesCancelsItsGeneration() throws Exception {
    gateway.script(start -> start.send(new Started(1, 0, "desk")));
    for (String body : List.of(HELLO, HELLO_STREAM)) {
      int before = gateway.session.cancelled().size();
      try (Socket socket = connect(CHAT, body)) {
        await().until(() -> gateway.session.starts().size() == before + 1);
        if (body.equals(HELLO_STREAM)) {
          assertThat(socket.getInputStream().readNBytes(12)).asString(UTF_8).endsWith("200");
        }
      }
      await(body)
          .atMost(Duration.ofSeconds(1))
          .until(() -> gateway.session.cancelled().size() == before + 1);
    }
    assertStillAnswers();
  }

  @Test
  void aCallerThatLeavesBeforeTheFirstEventDoesNoHarmToTheNode() throws Exception {
    CyclicBarrier left = new CyclicBarrier(2);
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    gateway.script(
        start -> {
          try {
            left.await();
            start.send(new Started(1, 0, "desk"));
            start.send(new TextDelta("a"));
            start.send(new Finished(FinishReason.STOP, new Usage(1, 0, 1)));
            thrown.completeExceptionally(new IllegalStateException("nothing was thrown"));
          } catch (Exception e) {
            thrown.complete(e);
          }
        });
    try (Socket socket = connect(CHAT, HELLO_STREAM)) {
      await().until(() -> gateway.session.starts().size() == 1);
      socket.setSoLinger(true, 0);
    }
    left.await();
    await().until(thrown::isDone);
    assertThat(thrown).isCompletedExceptionally();
    assertStillAnswers();
  }

  @Test
  void aCallerThatLeavesInTheMiddleOfItsRequestStartsNothing() throws Exception {
    try (Socket socket = connect(CHAT, HELLO)) {
      await().until(() -> gateway.session.starts().size() == 1);
      socket
          .getOutputStream()
          .write(head(CHAT, 1_000).concat("{\"model\":\"tiny\",").getBytes(UTF_8));
    }
    assertStillAnswers();
    assertThat(gateway.session.starts()).hasSize(2);
  }

  @Test
  void aCallerThatDoesNotReadIsCutOffAndItsGenerationCancelled() throws Exception {
    TextDelta text = new TextDelta("x".repeat(8_000));
    gateway.script(
        start -> {
          start.send(new Started(1, 0, "desk"));
          for (int i = 0; i < 20_000 && !start.isOver(); i++) {
            start.send(text);
          }
        });
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(4_096);
      send(socket, CHAT, HELLO_STREAM);
      await().atMost(Duration.ofSeconds(10)).until(() -> gateway.session.cancelled().size() == 1);
    }
    assertStillAnswers();
  }

  @Test
  void manyRequestsShareAConnectionOverHttp2WithoutTls() throws Exception {
    // Prior knowledge: the connection begins with the preface of RFC 9113, section 3.4.
    try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), gateway.port())) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(UTF_8));
      byte[] emptySettings = {0, 0, 0, 4, 0, 0, 0, 0, 0};
      socket.getOutputStream().write(emptySettings);
      byte[] frame = socket.getInputStream().readNBytes(9);
      assertThat(frame[3]).as("a settings frame").isEqualTo((byte) 4);
    }
    try (HttpClient h2 = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
      // The client begins with an upgrade, and stays with HTTP/2 from then on.
      for (int i = 0; i < 3; i++) {
        HttpResponse<String> response =
            h2.send(
                gateway.request(CHAT).POST(BodyPublishers.ofString(HELLO_STREAM)).build(),
                BodyHandlers.ofString());
        assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
        assertThat(response.body()).endsWith("data: [DONE]\n\n");
      }
    }
  }

  @Test
  void twoHundredStreamsAtOnceAreAllAnsweredWhole() throws Exception {
    int callers = 200;
    CyclicBarrier all = new CyclicBarrier(callers);
    gateway.script(
        start -> {
          start.send(new Started(1, 0, "desk"));
          meet(all);
          for (int i = 0; i < 20; i++) {
            start.send(new TextDelta(i + " "));
          }
          start.send(new Finished(FinishReason.STOP, new Usage(1, 0, 20)));
        });
    List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      answers.add(
          gateway
              .client()
              .sendAsync(
                  gateway.request(CHAT).POST(BodyPublishers.ofString(HELLO_STREAM)).build(),
                  BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> answer : answers) {
      String body = answer.get(20, TimeUnit.SECONDS).body();
      assertThat(body).endsWith("data: [DONE]\n\n").contains("\"content\":\"19 \"");
      assertThat(body.split("\n\n")).hasSize(23);
    }
    assertThat(gateway.session.starts()).allMatch(Start::isOver);
  }

  @Test
  void rubbishOnThePortDoesNoHarm() throws Exception {
    for (String rubbish :
        List.of(
            "\u0016\u0003\u0001\u0002\u0000\u0001\u0000",
            "GET / HTTP/9.9\r\n\r\n",
            "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
            "GET /" + "a".repeat(100_000),
            "GET / HTTP/1.1\r\nx: " + "a".repeat(100_000) + "\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\u007f".repeat(1_000))) {
      try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), gateway.port())) {
        socket.setSoTimeout(5_000);
        socket.getOutputStream().write(rubbish.getBytes(UTF_8));
        socket.shutdownOutput();
        assertThat(drained(socket)).isTrue();
      }
    }
    assertStillAnswers();
  }

  /** Whether the other end closed the connection, one way or the other. */
  private static boolean drained(Socket socket) throws IOException {
    try {
      socket.getInputStream().readAllBytes();
      return true;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  private static void meet(CyclicBarrier barrier) {
    try {
      barrier.await(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private void assertStillAnswers() throws Exception {
    gateway.script(TestGateway::sayHelloWorld);
    assertThat(gateway.post(CHAT, HELLO).body()).contains("Hello world");
  }

  private Socket connect(String path, String body) throws IOException {
    Socket socket = new Socket();
    send(socket, path, body);
    return socket;
  }

  private void send(Socket socket, String path, String body) throws IOException {
    socket.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), gateway.port()));
    socket.setSoTimeout(10_000);
    byte[] bytes = body.getBytes(UTF_8);
    socket.getOutputStream().write(head(path, bytes.length).getBytes(UTF_8));
    socket.getOutputStream().write(bytes);
  }

  private String head(String path, int length) {
    return "POST %s HTTP/1.1\r\nHost: x\r\nx-api-key: %s\r\nContent-Length: %d\r\n\r\n"
        .formatted(path, gateway.key, length);
  }
}
