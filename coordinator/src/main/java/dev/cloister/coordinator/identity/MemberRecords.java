package dev.cloister.coordinator.identity;

import dev.cloister.identity.Role;
import java.util.List;

/** The durable list of members. Thread-safe. */
public interface MemberRecords {
  /** The members of a role, by name. */
  List<Member> withRole(Role role);
}
