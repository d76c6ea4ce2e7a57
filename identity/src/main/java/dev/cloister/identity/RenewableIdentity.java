package dev.cloister.identity;

/** An identity that is replaced while connections use it. Thread-safe; replacing is atomic. */
public final class RenewableIdentity implements IdentitySource {
  private volatile Identity current;

  public RenewableIdentity(Identity first) {
    current = first;
  }

  @Override
  public Identity current() {
    return current;
  }

  /**
   * Makes every handshake from now on use this identity.
   *
   * @throws InvalidIdentityException if it is another member's
   */
  public synchronized void set(Identity renewed) {
    if (!renewed.id().equals(current.id())) {
      throw new InvalidIdentityException(
          "renewed certificate names " + renewed.id() + " (expected: " + current.id() + ")");
    }
    current = renewed;
  }
}
