package dev.cloister.coordinator.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.cloister.identity.Role;
import dev.cloister.proto.access.v1.AccessServiceGrpc;
import dev.cloister.proto.agent.v1.AgentSessionServiceGrpc;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.enrollment.v1.EnrollmentServiceGrpc;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc;
import dev.cloister.proto.inference.v1.InferenceServiceGrpc;
import dev.cloister.proto.relay.v1.RelayServiceGrpc;
import dev.cloister.proto.routing.v1.RoutingServiceGrpc;
import io.grpc.MethodDescriptor;
import io.grpc.ServiceDescriptor;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AccessTableTest {
  /** All that the cluster port offers; the engine's service is behind a socket of its own. */
  private static final Set<String> METHODS =
      Stream.of(
              AccessServiceGrpc.getServiceDescriptor(),
              AgentSessionServiceGrpc.getServiceDescriptor(),
              CatalogServiceGrpc.getServiceDescriptor(),
              EnrollmentServiceGrpc.getServiceDescriptor(),
              FleetServiceGrpc.getServiceDescriptor(),
              InferenceServiceGrpc.getServiceDescriptor(),
              RelayServiceGrpc.getServiceDescriptor(),
              RoutingServiceGrpc.getServiceDescriptor())
          .map(ServiceDescriptor::getMethods)
          .flatMap(methods -> methods.stream().map(MethodDescriptor::getFullMethodName))
          .collect(Collectors.toUnmodifiableSet());

  @Test
  void theTableHasEveryMethodAndNoOther() {
    assertThat(AccessTable.methods()).containsExactlyInAnyOrderElementsOf(METHODS);
  }

  @Test
  void withoutACertificateOnlyEnrolmentIsOpen() {
    assertThat(METHODS.stream().filter(method -> AccessTable.allows(method, Optional.empty())))
        .containsExactly(AccessTable.ENROLL);
  }

  @Test
  void whatIsNotInTheTableIsRefusedToEverybody() {
    for (Role role : Role.values()) {
      assertThat(AccessTable.allows("cloister.engine.v1.EngineService/Generate", Optional.of(role)))
          .isFalse();
    }
  }

  @Test
  void anAgentAdministersNothingAndAClientOpensNoSession() {
    assertThat(allowedTo(Role.AGENT))
        .containsExactlyInAnyOrder(
            "Enroll", "Renew", "Open", "DescribeStage", "FetchModel", "Echo", "Receive", "Send");
    assertThat(allowedTo(Role.CLIENT))
        .containsExactlyInAnyOrder(
            "Enroll", "Renew", "ListModels", "ListNodes", "ListPolicies", "Generate", "Explain");
    assertThat(allowedTo(Role.COORDINATOR)).containsExactly("Enroll");
    assertThat(allowedTo(Role.ADMIN)).doesNotContain("Open", "FetchModel");
  }

  private static Stream<String> allowedTo(Role role) {
    return METHODS.stream()
        .filter(method -> AccessTable.allows(method, Optional.of(role)))
        .map(method -> method.substring(method.indexOf('/') + 1));
  }
}
