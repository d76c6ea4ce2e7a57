package dev.cloister.coordinator.identity;

import dev.cloister.identity.Role;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The durable list of join tokens. Thread-safe. */
public interface TokenRecords {

  /**
   * @param secretHash SHA-256 of the secret
   */
  void add(StoredToken token, byte[] secretHash);

  Optional<StoredToken> find(String id);

  /** All tokens, the newest first. */
  List<StoredToken> all();

  /**
   * @return false if there is no such token
   */
  boolean revoke(String id);

  /**
   * Takes one use of a token and records the new member, both or neither, in one conditional
   * update: of many racing callers no more win than the token has uses. A name that is taken gets a
   * number appended.
   *
   * @return the new member; empty if the token is unknown, has another secret, is expired, revoked
   *     or used up
   */
  Optional<Member> redeem(
      String tokenId, byte[] secretHash, String memberId, String name, Instant now);

  /** Whether this member joined with the role and was not removed. */
  boolean isMember(String memberId, Role role);
}
