package dev.cloister.identity.ticket;

import com.google.protobuf.ByteString;
import dev.cloister.proto.peer.v1.Ticket;
import java.time.Instant;
import java.util.stream.Collectors;

/** Tickets between the domain and the wire. */
final class TicketWire {
  private TicketWire() {}

  static Ticket toWire(PlanTicket ticket) {
    return Ticket.newBuilder()
        .setPlan(ticket.plan())
        .setEpoch(ticket.epoch())
        .setModelSha256(ticket.modelSha256())
        .setStage(ticket.stage())
        .setStages(ticket.stages())
        .setFirstLayer(ticket.firstLayer())
        .setEndLayer(ticket.endLayer())
        .setHolder(toWire(ticket.holder()))
        .setPrevious(toWire(ticket.previous()))
        .setNext(toWire(ticket.next()))
        .setExpiresAtMillis(ticket.expiresAt().toEpochMilli())
        .build();
  }

  private static dev.cloister.proto.peer.v1.Neighbour toWire(Neighbour neighbour) {
    return dev.cloister.proto.peer.v1.Neighbour.newBuilder()
        .setNodeId(neighbour.nodeId())
        .addAllKeyHashes(
            neighbour.keys().stream().map(key -> ByteString.copyFrom(key.bytes())).toList())
        .setAddress(neighbour.address())
        .setRelayed(neighbour.relayed())
        .build();
  }

  /**
   * @throws IllegalArgumentException if a value is out of range
   */
  static PlanTicket fromWire(Ticket wire) {
    return new PlanTicket(
        wire.getPlan(),
        wire.getEpoch(),
        wire.getModelSha256(),
        wire.getStage(),
        wire.getStages(),
        wire.getFirstLayer(),
        wire.getEndLayer(),
        fromWire(wire.getHolder()),
        fromWire(wire.getPrevious()),
        fromWire(wire.getNext()),
        Instant.ofEpochMilli(wire.getExpiresAtMillis()));
  }

  private static Neighbour fromWire(dev.cloister.proto.peer.v1.Neighbour wire) {
    return new Neighbour(
        wire.getNodeId(),
        wire.getKeyHashesList().stream()
            .map(hash -> KeyHash.of(hash.toByteArray()))
            .collect(Collectors.toUnmodifiableSet()),
        wire.getAddress(),
        wire.getRelayed());
  }
}
