package dev.cloister.agent;

import dev.cloister.agent.courtesy.Ceilings;
import dev.cloister.agent.courtesy.MachineSurroundings;
import dev.cloister.agent.courtesy.Neighbour;
import dev.cloister.agent.courtesy.Policy;
import dev.cloister.agent.courtesy.Verdict;
import dev.cloister.agent.engine.IoThread;
import dev.cloister.agent.fingerprint.Capability;
import dev.cloister.agent.fingerprint.Fingerprint;
import dev.cloister.agent.fingerprint.host.MemorySpeed;
import dev.cloister.agent.link.Availability;
import dev.cloister.agent.link.CoordinatorLink;
import dev.cloister.agent.link.LinkListener;
import dev.cloister.agent.modelstore.BundledModels;
import dev.cloister.agent.modelstore.DiskLimit;
import dev.cloister.agent.modelstore.LocalPieces;
import dev.cloister.agent.modelstore.ModelStore;
import dev.cloister.agent.modelstore.StageFiles;
import dev.cloister.agent.stage.LinkMeter;
import dev.cloister.agent.stage.PeerListener;
import dev.cloister.agent.stage.Stages;
import dev.cloister.agent.supervisor.EngineLauncher;
import dev.cloister.agent.supervisor.PrefixCache;
import dev.cloister.agent.supervisor.Supervisor;
import dev.cloister.agent.transfer.GrpcModelSource;
import dev.cloister.agent.transfer.GrpcStageSource;
import dev.cloister.agent.transfer.PieceSender;
import dev.cloister.identity.enrollment.EnrollmentException;
import dev.cloister.identity.enrollment.Membership;
import dev.cloister.identity.ticket.TicketVerifier;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running agent. Thread-safe. */
public final class Agent implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Agent.class);
  private static final long RENEWAL_CHECK_MINUTES = 10;

  /** The agent's own start is not to be slowed by it; that of its first engines may disturb it. */
  private static final List<Integer> MEASURED_AFTER_SECONDS = List.of(5, 60);

  private static final long LOOK_SECONDS = 2;

  /** How long answers may go on after the machine's owner wants it back. */
  private static final Duration PAUSE_GRACE = Duration.ofSeconds(10);

  private final IoThread thread = new IoThread();
  private final CompletableFuture<Capability> capability;
  private final Supervisor supervisor;
  private final Stages stages;
  private final PeerListener peers;
  private final CoordinatorLink link;
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("certificate-renewal").daemon().factory());
  private final ScheduledExecutorService watch =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().name("neighbour").daemon().factory());
  private final Neighbour neighbour;
  private final CompletableFuture<String> end = new CompletableFuture<>();

  private Agent(AgentConfig config, Membership membership, InstantSource clock) throws IOException {
    Path data = config.dataDirectory();
    this.capability =
        CompletableFuture.supplyAsync(
            () ->
                config.owner().granted(new Fingerprint(data).take().withEngines(config.engines())),
            Thread::startVirtualThread);
    BundledModels bundled =
        new BundledModels(config.bundledModels(), new GrpcModelSource(membership));
    Path models = data.resolve("models");
    Path stageFiles = data.resolve("stages");
    Policy owner =
        config.courtesy().with(new Ceilings(config.owner().memoryLimit(), config.diskLimit()));
    DiskLimit disk = new DiskLimit(() -> neighbour().diskLimit(), List.of(models, stageFiles));
    ModelStore store = new ModelStore(models, bundled, disk);
    LocalPieces pieces = new LocalPieces(store, bundled, stageFiles);
    PrefixCache prefixes =
        new PrefixCache(data.resolve("prefixes"), config.owner().prefixBytes(), store::has);
    prefixes.removeOrphans();
    this.supervisor =
        new Supervisor(
            store,
            new StageFiles(
                stageFiles, new GrpcStageSource(membership), pieces, clock, config.version(), disk),
            new EngineLauncher(
                config.engineCommand(),
                data.resolve("run"),
                config.libraryCache(),
                config.owner(),
                () -> neighbour().isGentle(),
                () -> capability.join().cpu(),
                prefixes,
                thread),
            config.owner().memoryLimit(),
            (model, status) -> reportTo().report(model, status));
    this.stages =
        new Stages(
            membership.identity(),
            new TicketVerifier(membership.identity(), clock),
            membership.coordinator(),
            thread);
    this.peers =
        PeerListener.start(config.listen(), membership.identity(), stages, new PieceSender(pieces));
    this.link =
        new CoordinatorLink(
            membership,
            supervisor,
            stages,
            new LinkMeter(membership.identity(), membership.coordinator(), thread, clock),
            peers,
            capability,
            owner,
            config.version(),
            new Log());
    this.neighbour =
        new Neighbour(
            owner,
            new MachineSurroundings(clock),
            clock,
            ZoneId.systemDefault(),
            verdict -> link.tell(availability(verdict)));
  }

  /**
   * Starts an agent that is a member already; it dials the coordinator until it is closed.
   *
   * @throws IOException if it cannot listen where it was told to; the message is one sentence
   */
  public static Agent start(AgentConfig config, Membership membership, InstantSource clock)
      throws IOException {
    Agent agent = new Agent(config, membership, clock);
    agent.lookAround();
    agent.link.start();
    var _ =
        agent.watch.scheduleWithFixedDelay(
            agent::lookAround, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    var _ =
        agent.timer.scheduleWithFixedDelay(
            () -> renew(membership, clock), 0, RENEWAL_CHECK_MINUTES, TimeUnit.MINUTES);
    for (int seconds : MEASURED_AFTER_SECONDS) {
      var _ = agent.timer.schedule(() -> agent.measureMemory(clock), seconds, TimeUnit.SECONDS);
    }
    return agent;
  }

  private void measureMemory(InstantSource clock) {
    try {
      link.tellMemorySpeed(
          MemorySpeed.bytesPerSecond(clock, capability.join().cpu().physicalCores()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static Availability availability(Verdict verdict) {
    return switch (verdict) {
      case Verdict.Work _ -> new Availability.Open();
      case Verdict.Pause pause -> new Availability.Paused(pause.reason(), PAUSE_GRACE);
    };
  }

  private void lookAround() {
    try {
      neighbour.look();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      // A timer drops a task that throws.
      log.error("the machine's policy cannot be judged", e);
    }
  }

  private Neighbour neighbour() {
    return neighbour;
  }

  private CoordinatorLink reportTo() {
    return link;
  }

  private static void renew(Membership membership, InstantSource clock) {
    try {
      if (membership.renewIfDue(clock.instant())) {
        log.info("the certificate was renewed");
      }
    } catch (EnrollmentException e) {
      log.warn("the certificate was not renewed, which is tried again: {}", e.getMessage());
    } catch (RuntimeException e) {
      // A timer drops a task that throws.
      log.error("the certificate was not renewed, which is tried again", e);
    }
  }

  /** Completes with one sentence when the coordinator does not want this node any more. */
  public CompletableFuture<String> end() {
    return end.copy();
  }

  /** Has other nodes go on with what runs here, says goodbye, and ends the engines. */
  @Override
  public void close() {
    timer.shutdownNow();
    link.close();
    watch.shutdownNow();
    peers.close();
    stages.close();
    supervisor.close();
    thread.close();
  }

  /** Tells people how the link is doing. */
  private final class Log implements LinkListener {
    @Override
    public void connected(String nodeName) {
      log.info("connected to the coordinator as {}", nodeName);
    }

    @Override
    public void policy(Policy cluster) {
      neighbour.follow(cluster);
      watch.execute(Agent.this::lookAround);
    }

    @Override
    public void disconnected(String reason) {
      log.warn("{}", reason);
    }

    @Override
    public void refused(String reason) {
      log.error("{}", reason);
      end.complete(reason);
    }
  }
}
