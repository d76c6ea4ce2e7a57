package dev.cloister.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.time.ZoneId;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * Logs to standard error: warnings, or what {@code CLOISTER_LOG} or the property {@code
 * cloister.log} says. In code rather than in XML, which would cost every start a parser.
 */
public final class LogConfigurator extends ContextAwareBase implements Configurator {
  /** At debug level these write the bytes on the wire: prompts and answers among them. */
  private static final List<String> NEVER_BELOW_WARN =
      List.of("io.grpc", "io.netty", "com.linecorp.armeria");

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    LogLayout layout = new LogLayout(ZoneId.systemDefault());
    layout.setContext(context);
    layout.start();
    LayoutWrappingEncoder<ILoggingEvent> encoder = new LayoutWrappingEncoder<>();
    encoder.setContext(context);
    encoder.setLayout(layout);
    encoder.start();
    ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
    console.setContext(context);
    console.setTarget("System.err");
    console.setEncoder(encoder);
    console.start();
    Level level = Level.toLevel(configured(), Level.WARN);
    var root = context.getLogger("ROOT");
    root.setLevel(level);
    root.addAppender(console);
    for (String chatty : NEVER_BELOW_WARN) {
      context.getLogger(chatty).setLevel(Level.WARN);
    }
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  private static @Nullable String configured() {
    @Nullable String environment = System.getenv("CLOISTER_LOG");
    return environment != null ? environment : System.getProperty("cloister.log");
  }
}
