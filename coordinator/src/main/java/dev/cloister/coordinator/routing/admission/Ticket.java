package dev.cloister.coordinator.routing.admission;

/** One claim, from when it begins to wait until it is settled. Belongs to its queue. */
public final class Ticket<T> {
  final Claim<T> claim;
  final Caller<T> caller;
  final long number;
  State state = State.WAITING;

  enum State {
    WAITING,
    SERVED,
    OVER
  }

  Ticket(Claim<T> claim, Caller<T> caller, long number) {
    this.claim = claim;
    this.caller = caller;
    this.number = number;
  }

  public T item() {
    return claim.item();
  }
}
