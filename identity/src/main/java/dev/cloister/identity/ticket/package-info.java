/**
 * The right to be one stage of a pipeline: what the coordinator says about a stage and its
 * neighbours, signed, so that agents need not ask it who may send them hidden states.
 *
 * <p>Start with {@link dev.cloister.identity.ticket.PlanTicket}. The coordinator signs tickets with
 * {@link dev.cloister.identity.ticket.TicketSigner}; agents believe what {@link
 * dev.cloister.identity.ticket.TicketVerifier} returns. On the wire a ticket is a {@code
 * SignedTicket} of {@code cloister/peer/v1/peer.proto}, elsewhere its bytes.
 */
package dev.cloister.identity.ticket;
