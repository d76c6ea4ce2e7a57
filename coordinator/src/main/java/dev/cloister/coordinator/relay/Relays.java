package dev.cloister.coordinator.relay;

import dev.cloister.identity.ticket.InvalidTicketException;
import dev.cloister.identity.ticket.PlanTicket;
import dev.cloister.identity.ticket.TicketVerifier;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The streams that go through the coordinator. Thread-safe. */
public final class Relays {
  private static final Logger log = LoggerFactory.getLogger(Relays.class);

  /** The other agent may have its ticket a moment later. */
  static final Duration LONGEST_WAIT = Duration.ofSeconds(10);

  /** Of plans that are long over, nothing is remembered. */
  private static final int MOST_COUNTED = 1_000;

  private final TicketVerifier verifier;
  private final Predicate<String> online;
  private final InstantSource clock;

  /** Until the tickets expire, so that none is used twice. */
  private final Map<Stream, Relay> relays = new HashMap<>();

  private final LinkedHashMap<Hop, Counter> counters = new LinkedHashMap<>();

  /** From which stage of which plan. */
  private record Hop(String plan, int stage) {}

  private record Stream(Hop hop, long epoch) {}

  /**
   * @param verifier knows this coordinator's tickets
   * @param online whether a node has a session now, by its id
   */
  public Relays(TicketVerifier verifier, Predicate<String> online, InstantSource clock) {
    this.verifier = verifier;
    this.online = online;
    this.clock = clock;
  }

  /**
   * Takes the half of the agent that sends.
   *
   * @param signedTicket of its stage
   * @param certificate that it has shown
   * @throws InvalidTicketException if it may not; the message is one sentence
   */
  public Relay send(byte[] signedTicket, X509Certificate certificate, Half.Sender half) {
    PlanTicket ticket = verified(signedTicket, certificate);
    require(
        ticket.next().relayed(),
        "the ticket is for a stream straight to node " + ticket.next().nodeId());
    Relay relay = relay(ticket, ticket.stage(), ticket.holder().nodeId(), ticket.next().nodeId());
    require(relay.attach(half), used(ticket));
    return relay;
  }

  /**
   * Takes the half of the agent that receives.
   *
   * @param signedTicket of its stage
   * @param certificate that it has shown
   * @throws InvalidTicketException if it may not; the message is one sentence
   */
  public Relay receive(byte[] signedTicket, X509Certificate certificate, Half.Receiver half) {
    PlanTicket ticket = verified(signedTicket, certificate);
    require(
        ticket.previous().relayed(),
        "the ticket is for a stream straight from node " + ticket.previous().nodeId());
    int sender = (ticket.stage() + ticket.stages() - 1) % ticket.stages();
    Relay relay = relay(ticket, sender, ticket.previous().nodeId(), ticket.holder().nodeId());
    require(relay.attach(half), used(ticket));
    return relay;
  }

  private PlanTicket verified(byte[] signedTicket, X509Certificate certificate) {
    PlanTicket ticket = verifier.verify(signedTicket);
    require(
        ticket.holder().isShownBy(certificate),
        "the ticket is node " + ticket.holder().nodeId() + "'s, with another key");
    return ticket;
  }

  private synchronized Relay relay(PlanTicket ticket, int sender, String from, String to) {
    Hop hop = new Hop(ticket.plan(), sender);
    return relays.computeIfAbsent(
        new Stream(hop, ticket.epoch()),
        _ -> new Relay(from, to, clock.instant(), ticket.expiresAt(), counter(hop)));
  }

  private Counter counter(Hop hop) {
    if (counters.size() == MOST_COUNTED && !counters.containsKey(hop)) {
      counters.pollFirstEntry();
    }
    return counters.computeIfAbsent(hop, _ -> new Counter());
  }

  /** What went from this stage of a plan to the next one, counted from the first ticket on. */
  public synchronized Traffic traffic(String plan, int stage) {
    @Nullable Counter known = counters.get(new Hop(plan, stage));
    return known == null ? Traffic.NONE : known.traffic();
  }

  private static String used(PlanTicket ticket) {
    return "epoch %d of plan %s has had this stream of stage %d"
        .formatted(ticket.epoch(), ticket.plan(), ticket.stage());
  }

  private static void require(boolean condition, String refusal) {
    if (!condition) {
      throw new InvalidTicketException(refusal);
    }
  }

  /**
   * Ends streams whose other half did not come, and those of nodes that are gone. Called several
   * times a second.
   */
  public void sweep() {
    Instant now = clock.instant();
    all().forEach((stream, relay) -> sweep(stream, relay, now));
    synchronized (this) {
      relays.values().removeIf(relay -> relay.isEnded() && relay.expiry().isBefore(now));
    }
  }

  private void sweep(Stream stream, Relay relay, Instant now) {
    for (String node : List.of(relay.from(), relay.to())) {
      if (!online.test(node)) {
        end(stream, relay, "node " + node + " is gone");
      }
    }
    if (!relay.isJoined() && relay.opened().plus(LONGEST_WAIT).isBefore(now)) {
      end(stream, relay, "the other agent did not open its half");
    }
  }

  private static void end(Stream stream, Relay relay, String reason) {
    if (relay.end(reason)) {
      log.warn(
          "plan {} epoch {}: the stream from node {} to node {} ended: {}",
          stream.hop().plan(),
          stream.epoch(),
          relay.from(),
          relay.to(),
          reason);
    }
  }

  private synchronized Map<Stream, Relay> all() {
    return Map.copyOf(relays);
  }
}
