package dev.cloister.coordinator.identity;

import static dev.cloister.identity.Role.ADMIN;
import static dev.cloister.identity.Role.AGENT;
import static dev.cloister.identity.Role.CLIENT;

import dev.cloister.identity.Role;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The one table that says which role may call which method of the cluster port. What is not in it
 * is refused. Immutable.
 */
public final class AccessTable {
  /** The only method open to callers without a certificate; they hold a join token instead. */
  public static final String ENROLL = "cloister.enrollment.v1.EnrollmentService/Enroll";

  private static final Map<String, Set<Role>> ALLOWED =
      Map.ofEntries(
          Map.entry("cloister.enrollment.v1.EnrollmentService/Renew", Set.of(AGENT, CLIENT, ADMIN)),
          Map.entry("cloister.agent.v1.AgentSessionService/Open", Set.of(AGENT)),
          Map.entry("cloister.catalog.v1.CatalogService/ConfigureModel", Set.of(ADMIN)),
          Map.entry("cloister.catalog.v1.CatalogService/DescribeStage", Set.of(AGENT)),
          Map.entry("cloister.catalog.v1.CatalogService/FetchModel", Set.of(AGENT)),
          Map.entry("cloister.catalog.v1.CatalogService/PlanModel", Set.of(ADMIN)),
          Map.entry("cloister.catalog.v1.CatalogService/ListModels", Set.of(CLIENT, ADMIN)),
          Map.entry("cloister.fleet.v1.FleetService/ListNodes", Set.of(CLIENT, ADMIN)),
          Map.entry("cloister.fleet.v1.FleetService/DrainNode", Set.of(ADMIN)),
          Map.entry("cloister.fleet.v1.FleetService/LabelNode", Set.of(ADMIN)),
          Map.entry("cloister.fleet.v1.FleetService/ListPolicies", Set.of(CLIENT, ADMIN)),
          Map.entry("cloister.fleet.v1.FleetService/SetPolicy", Set.of(ADMIN)),
          Map.entry("cloister.fleet.v1.FleetService/ResumeNode", Set.of(ADMIN)),
          Map.entry("cloister.fleet.v1.FleetService/WakeNode", Set.of(ADMIN)),
          Map.entry("cloister.inference.v1.InferenceService/Generate", Set.of(CLIENT, ADMIN)),
          Map.entry("cloister.relay.v1.RelayService/Echo", Set.of(AGENT)),
          Map.entry("cloister.relay.v1.RelayService/Receive", Set.of(AGENT)),
          Map.entry("cloister.relay.v1.RelayService/Send", Set.of(AGENT)),
          Map.entry("cloister.routing.v1.RoutingService/Explain", Set.of(CLIENT, ADMIN)),
          Map.entry("cloister.access.v1.AccessService/CreateJoinToken", Set.of(ADMIN)),
          Map.entry("cloister.access.v1.AccessService/ListJoinTokens", Set.of(ADMIN)),
          Map.entry("cloister.access.v1.AccessService/RevokeJoinToken", Set.of(ADMIN)),
          Map.entry("cloister.access.v1.AccessService/CreateApiKey", Set.of(ADMIN)),
          Map.entry("cloister.access.v1.AccessService/ListApiKeys", Set.of(ADMIN)),
          Map.entry("cloister.access.v1.AccessService/WeighApiKey", Set.of(ADMIN)),
          Map.entry("cloister.access.v1.AccessService/RevokeApiKey", Set.of(ADMIN)));

  private AccessTable() {}

  /**
   * Whether a caller may call a method.
   *
   * @param method full name, for example {@code cloister.fleet.v1.FleetService/ListNodes}
   * @param caller the role of its certificate; empty without one
   */
  public static boolean allows(String method, Optional<Role> caller) {
    return method.equals(ENROLL)
        || caller.map(role -> ALLOWED.getOrDefault(method, Set.of()).contains(role)).orElse(false);
  }

  /** Every method in the table, {@link #ENROLL} included. */
  public static Set<String> methods() {
    Set<String> all = new java.util.TreeSet<>(ALLOWED.keySet());
    all.add(ENROLL);
    return all;
  }
}
