package dev.cloister.cli;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The rules of the house: who may know whom. {@code docs/architecture.md} says why. */
@AnalyzeClasses(packages = "dev.cloister", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String COORDINATOR = "dev.cloister.coordinator..";
  private static final String AGENT = "dev.cloister.agent..";
  private static final String CLIENT = "dev.cloister.client..";
  private static final String ENGINE = "dev.cloister.engine..";
  private static final String CLI = "dev.cloister.cli..";
  private static final String BENCH = "dev.cloister.bench..";

  /** Where gRPC, Netty and generated types may be seen. */
  private static final DescribedPredicate<JavaClass> WIRE_ROOMS =
      resideInAnyPackage(
              "dev.cloister.proto..",
              "dev.cloister.identity.tls..",
              "dev.cloister.identity.enrollment..",
              "dev.cloister.identity.ticket..",
              "dev.cloister.coordinator.api..",
              "dev.cloister.coordinator.gateway..",
              "dev.cloister.agent.link..",
              "dev.cloister.agent.transfer..",
              "dev.cloister.agent.engine..",
              "dev.cloister.agent.stage..",
              "dev.cloister.engine.server..",
              "dev.cloister.client",
              "dev.cloister.bench",
              "dev.cloister.bench.cluster",
              "dev.cloister.bench.split")
          .as("a room for the wire");

  @ArchTest
  static final ArchRule the_coordinator_knows_no_other_part =
      noClasses()
          .that()
          .resideInAPackage(COORDINATOR)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(AGENT, CLIENT, ENGINE, CLI, BENCH);

  @ArchTest
  static final ArchRule the_agent_knows_no_other_part =
      noClasses()
          .that()
          .resideInAPackage(AGENT)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(COORDINATOR, CLIENT, ENGINE, CLI, BENCH);

  @ArchTest
  static final ArchRule the_client_knows_no_other_part =
      noClasses()
          .that()
          .resideInAPackage(CLIENT)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(COORDINATOR, AGENT, ENGINE, CLI, BENCH);

  @ArchTest
  static final ArchRule the_engine_knows_no_other_part =
      noClasses()
          .that()
          .resideInAPackage(ENGINE)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(COORDINATOR, AGENT, CLIENT, CLI, BENCH, "dev.cloister.identity..");

  @ArchTest
  static final ArchRule identity_and_the_contract_know_no_part =
      noClasses()
          .that()
          .resideInAnyPackage("dev.cloister.identity..", "dev.cloister.proto..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(COORDINATOR, AGENT, CLIENT, ENGINE, CLI, BENCH);

  @ArchTest
  static final ArchRule domain_packages_see_neither_grpc_nor_netty_nor_generated_types =
      noClasses()
          .that(DescribedPredicate.not(WIRE_ROOMS))
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.grpc..", "io.netty..", "com.google.protobuf..", "dev.cloister.proto..");

  @ArchTest
  static final ArchRule http_stays_in_the_gateway =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.cloister.coordinator.gateway..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.linecorp.armeria..");

  @ArchTest
  static final ArchRule sql_stays_in_the_store =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.cloister.coordinator.store..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.sql..", "org.sqlite..");

  @ArchTest
  static final ArchRule bouncy_castle_stays_in_identity =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.cloister.identity..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.bouncycastle..");

  @ArchTest
  static final ArchRule native_code_stays_in_llamacpp =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.cloister.engine.llamacpp..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("de.kherud..", "java.lang.foreign..");

  @ArchTest
  static final ArchRule placement_has_no_clock_no_io_and_no_threads =
      noClasses()
          .that()
          .resideInAPackage("dev.cloister.coordinator.placement..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "java.io..", "java.nio..", "java.net..", "java.util.concurrent..", "org.slf4j..")
          .orShould()
          .dependOnClassesThat(
              resideInAPackage("java.time..").and(nameMatching(".*(Clock|InstantSource)")))
          .orShould()
          .accessClassesThat()
          .belongToAnyOf(Thread.class, Process.class, ProcessBuilder.class);

  @ArchTest
  static final ArchRule the_routing_core_is_pure =
      noClasses()
          .that()
          .resideInAPackage("dev.cloister.coordinator.routing.choice..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "java.io..",
              "java.nio..",
              "java.net..",
              "java.time..",
              "java.util.concurrent..",
              "org.slf4j..");

  @ArchTest
  static final ArchRule domain_code_asks_an_injected_clock =
      noClasses()
          .that()
          .resideInAnyPackage(
              COORDINATOR,
              AGENT,
              "dev.cloister.identity",
              "dev.cloister.identity.authority",
              "dev.cloister.identity.token",
              ENGINE)
          .should()
          .callMethod(java.time.Instant.class, "now")
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .callMethod(System.class, "nanoTime")
          .allowEmptyShould(false);

  @ArchTest
  static final ArchRule no_cycles_between_rooms =
      slices().matching("dev.cloister.(*).(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule no_util_and_no_common =
      noClasses().should().resideInAnyPackage("..util..", "..utils..", "..common..", "..helper..");
}
