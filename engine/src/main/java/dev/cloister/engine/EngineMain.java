package dev.cloister.engine;

import dev.cloister.engine.generation.LoadedModel;
import dev.cloister.engine.generation.ModelLoadException;
import dev.cloister.engine.server.EngineServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Clock;
import java.time.ZoneId;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine process. It answers on its socket while the model is still loading, and ends when its
 * standard input does (the agent died), or on SIGTERM. Errors are one line on standard error;
 * standard output stays empty.
 *
 * <p>Flags: {@code --model FILE --socket PATH --library-cache DIR}, and those of a {@link
 * Deployment}: {@code [--socket-kind unix|loopback] [--library auto|b4916|jni] [--context N]
 * [--slots N] [--threads N] [--batch-threads N] [--batch N] [--gpu-layers N] [--main-gpu N]
 * [--kv-type f16|q8_0] [--kv-on gpu|host] [--flash-attention auto|on|off] [--prefixes DIR]
 * [--prefix-bytes N] [--shelf-bytes N] [--stage first|middle|last --stages N] [--lexicon FILE]
 * [--hidden-type f32|f16]}. Exit codes: 0 asked to end, 1 the socket cannot be had, 2 wrong flags,
 * 3 a defect ended the thread that computes. A model that cannot be loaded is a state that the
 * agent reads, not an exit; a native abort ends the process with a signal.
 */
public final class EngineMain {

  private static final int EXIT_NO_SOCKET = 1;
  private static final int EXIT_FLAGS = 2;
  private static final int EXIT_BROKEN = 3;

  private EngineMain() {}

  public static void main(String[] arguments) {
    // Native and Java libraries print where they please; standard output must stay empty.
    System.setOut(System.err);
    // Started by two threads at once, SLF4J would print what it thinks of that.
    Logger log = LoggerFactory.getLogger(EngineMain.class);
    EngineFlags flags;
    try {
      flags = EngineFlags.parse(arguments);
    } catch (IllegalArgumentException e) {
      end(EXIT_FLAGS, e);
      return;
    }
    CompletableFuture<LoadedModel> loading = new CompletableFuture<>();
    EngineServer server;
    try {
      server = EngineServer.start(flags.socket(), flags.socketKind(), loading);
    } catch (IOException e) {
      end(EXIT_NO_SOCKET, e);
      return;
    }
    Thread.ofPlatform().daemon().name("load").start(() -> load(flags, server, loading, log));
    var _ =
        loading.whenComplete(
            (model, failure) -> {
              if (failure != null) {
                complain(failure);
              } else {
                var _ =
                    model
                        .broken()
                        .thenRun(
                            () ->
                                end(
                                    EXIT_BROKEN,
                                    new IllegalStateException(
                                        "a defect ended the thread that computes; see the lines"
                                            + " above")));
              }
            });
    CountDownLatch endOfInput = new CountDownLatch(1);
    Thread.ofPlatform().daemon().name("input").start(() -> drain(System.in, endOfInput, log));
    Runtime.getRuntime()
        .addShutdownHook(Thread.ofPlatform().unstarted(() -> close(server, loading)));
    try {
      endOfInput.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    close(server, loading);
  }

  private static void load(
      EngineFlags flags, EngineServer server, CompletableFuture<LoadedModel> loading, Logger log) {
    try {
      ModelLoading models =
          new ModelLoading(
              flags.deployment(), Clock.system(ZoneId.systemDefault()), System::nanoTime);
      loading.complete(models.load(flags.model(), server::loading));
    } catch (ModelLoadException | RuntimeException | Error e) {
      log.debug("model not loaded", e);
      loading.completeExceptionally(e);
    }
  }

  private static void drain(InputStream input, CountDownLatch end, Logger log) {
    try {
      input.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      log.debug("standard input broke", e);
    }
    end.countDown();
  }

  /** Ends with halt: java-llama.cpp leaves a native thread that would keep the process alive. */
  private static synchronized void close(
      EngineServer server, CompletableFuture<LoadedModel> loading) {
    server.close();
    if (loading.state() == CompletableFuture.State.SUCCESS) {
      loading.resultNow().close();
    }
    Runtime.getRuntime().halt(0);
  }

  private static void end(int status, Exception error) {
    complain(error);
    Runtime.getRuntime().halt(status);
  }

  private static void complain(Throwable error) {
    System.err.println("cloister-engine: " + error.getMessage());
  }
}
