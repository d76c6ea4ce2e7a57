/**
 * Streams of stages between agents that cannot reach each other. The coordinator passes on what it
 * gets, unread.
 *
 * <p>Start with {@link dev.cloister.coordinator.relay.Relays}, which decides who may open which
 * half of which stream. A {@code Relay} joins two halves; what a half is on the wire is not known
 * here.
 */
package dev.cloister.coordinator.relay;
