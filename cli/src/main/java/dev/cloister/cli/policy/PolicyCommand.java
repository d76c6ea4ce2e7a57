package dev.cloister.cli.policy;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.cloister.cli.argument.ProfileOptions;
import dev.cloister.cli.argument.SizeConverter;
import dev.cloister.cli.member.CourtesyFlags;
import dev.cloister.cli.node.NodeCommand;
import dev.cloister.cli.outcome.CommandFailedException;
import dev.cloister.cli.outcome.ExitCode;
import dev.cloister.cli.outcome.OutputOptions;
import dev.cloister.client.CloisterClient;
import dev.cloister.client.NodeInfo;
import dev.cloister.client.admin.Courtesy;
import dev.cloister.client.admin.Courtesy.Ceilings;
import dev.cloister.client.admin.PolicyInfo;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code cloister policy}. */
@Command(
    name = "policy",
    description = "Say when machines work for the cluster, and see why they do or do not.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {PolicyCommand.Show.class, PolicyCommand.SetPolicy.class})
public final class PolicyCommand {

  /** {@code cloister policy show}. */
  @Command(
      name = "show",
      description = {
        "Show when machines work, who said so, and whether they take work now. What is set for one",
        "machine counts before what is set for all; an owner can only be stricter."
      },
      mixinStandardHelpOptions = true,
      footer = {
        "",
        "Examples:",
        "  cloister policy show           all machines; (set): for this one, (owner): by its owner",
        "  cloister policy show desk      one of them, point by point"
      })
  static final class Show implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(
        arity = "0..1",
        paramLabel = "NODE",
        description = "Its name or id, as 'node list' shows it (default: all).")
    private @Nullable String node;

    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      try (CloisterClient client = profile.open()) {
        show(spec, output, client, node);
        return ExitCode.OK;
      }
    }
  }

  /** {@code cloister policy set}. */
  @Command(
      name = "set",
      description = {
        "Say when all machines work, or one of them. Machines that are there keep to it at once;",
        "what is not given stays as it was."
      },
      mixinStandardHelpOptions = true,
      sortOptions = false,
      footer = {
        "",
        "Examples:",
        "  cloister policy set --hours 18:00-08:00 --pause-above-cpu 50%%   for all machines",
        "  cloister policy set rack --hours always --no-pause-on-battery   but not for this one",
        "  cloister policy set rack --reset                                as all others again"
      })
  static final class SetPolicy implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Parameters(
        arity = "0..1",
        paramLabel = "NODE",
        description = "Its name or id, as 'node list' shows it (default: all machines).")
    private @Nullable String node;

    @ArgGroup(validate = false, heading = "%nWhen it works (its owner may be stricter):%n")
    private CourtesyFlags courtesy = new CourtesyFlags();

    @Option(
        names = "--memory-limit",
        paramLabel = "SIZE|none",
        converter = Limit.class,
        description = {
          "Main memory that models may take there, all together; what does not fit any more leaves."
        })
    private @Nullable Long memoryLimit;

    @Option(
        names = "--disk-limit",
        paramLabel = "SIZE|none",
        converter = Limit.class,
        description = "Disk that models' files may take there; what needs more is not fetched.")
    private @Nullable Long diskLimit;

    @Option(
        names = "--reset",
        description = "Forget first what was set for it, or for all, before.")
    private boolean reset;

    @Mixin private ProfileOptions profile;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      Courtesy policy =
          courtesy
              .ofAdministrator()
              .with(new Ceilings(Optional.ofNullable(memoryLimit), Optional.ofNullable(diskLimit)));
      if (policy.equals(Courtesy.NONE) && !reset) {
        throw new CommandFailedException(
            ExitCode.USAGE,
            "nothing is to be set (expected: for example --hours 18:00-08:00, or --reset)");
      }
      try (CloisterClient client = profile.open()) {
        if (node == null) {
          client.administration().setPolicy(policy, reset);
        } else {
          client.administration().setPolicy(node, policy, reset);
        }
        show(spec, output, client, node);
        return ExitCode.OK;
      }
    }
  }

  /** Reads {@code 8GiB}, or {@code none}. */
  static final class Limit implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      long bytes =
          text.equalsIgnoreCase("none") ? Ceilings.UNLIMITED : new SizeConverter().convert(text);
      if (bytes == 0) {
        throw new TypeConversionException("0 is no limit (expected: for example 8GiB, or none)");
      }
      return bytes;
    }
  }

  /** What is said of a machine, and how it is. */
  private record Machine(NodeInfo node, HeldPolicy policy, boolean ownerKnown) {
    boolean takesWork() {
      return node.state() == NodeInfo.State.ONLINE && node.drain().isEmpty();
    }

    /** {@code takes work}, or why it does not. */
    String now() {
      return takesWork() ? "takes work" : NodeCommand.state(node);
    }

    boolean isCalled(String nameOrId) {
      return node.name().equals(nameOrId) || node.id().equals(nameOrId);
    }
  }

  /**
   * @param name of the one to be shown; null for all
   */
  private static void show(
      CommandSpec spec, OutputOptions output, CloisterClient client, @Nullable String name) {
    PolicyInfo policies = client.administration().policies();
    List<Machine> machines = machines(policies, client.nodes());
    if (name == null) {
      showAll(spec, output, HeldPolicy.ofAll(policies), machines);
    } else {
      showOne(
          spec,
          output,
          machines.stream()
              .filter(machine -> machine.isCalled(name))
              .findFirst()
              .orElseThrow(
                  () ->
                      new CommandFailedException(
                          ExitCode.NOT_FOUND,
                          "there is no node '" + name + "'; see: cloister node list")));
    }
  }

  private static List<Machine> machines(PolicyInfo policies, List<NodeInfo> nodes) {
    Map<String, NodeInfo> byId =
        nodes.stream().collect(Collectors.toMap(NodeInfo::id, Function.identity()));
    List<Machine> machines = new ArrayList<>();
    for (PolicyInfo.Node said : policies.nodes()) {
      @Nullable NodeInfo node = byId.get(said.id());
      if (node != null) {
        machines.add(new Machine(node, HeldPolicy.of(policies, said), said.owner().isPresent()));
      }
    }
    return machines;
  }

  private static void showOne(CommandSpec spec, OutputOptions output, Machine machine) {
    if (output.json()) {
      output.print(spec, json -> write(json, machine));
      return;
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(machine.node().name() + ": " + machine.now());
    List<PolicyTable.Cell> cells = PolicyTable.cells(machine.policy());
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < cells.size(); i++) {
      PolicyTable.Cell cell = cells.get(i);
      rows.add(List.of(PolicyTable.POINTS.get(i), cell.value(), cell.saidBy()));
    }
    OutputOptions.table(out, List.of("", "holds", "said by"), rows);
    if (!machine.ownerKnown()) {
      out.println("What its owner says is known as soon as the machine is here.");
    }
  }

  private static void showAll(
      CommandSpec spec, OutputOptions output, HeldPolicy all, List<Machine> machines) {
    if (output.json()) {
      output.print(
          spec,
          json -> {
            json.writeStartObject();
            json.writeObjectFieldStart("all");
            PolicyTable.write(json, all);
            json.writeEndObject();
            json.writeArrayFieldStart("nodes");
            for (Machine machine : machines) {
              write(json, machine);
            }
            json.writeEndArray();
            json.writeEndObject();
          });
      return;
    }
    List<String> header = new ArrayList<>(List.of("node"));
    header.addAll(PolicyTable.POINTS);
    header.add("now");
    List<List<String>> rows = new ArrayList<>(List.of(row("(all)", all, "")));
    for (Machine machine : machines) {
      rows.add(row(machine.node().name(), machine.policy(), machine.now()));
    }
    OutputOptions.table(spec.commandLine().getOut(), header, rows);
  }

  private static List<String> row(String name, HeldPolicy policy, String now) {
    List<String> row = new ArrayList<>(List.of(name));
    PolicyTable.cells(policy).forEach(cell -> row.add(cell.shown()));
    row.add(now);
    return row;
  }

  private static void write(JsonGenerator json, Machine machine) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", machine.node().id());
    json.writeStringField("name", machine.node().name());
    json.writeBooleanField("takes_work", machine.takesWork());
    json.writeStringField("now", machine.now());
    PolicyTable.write(json, machine.policy());
    json.writeEndObject();
  }
}
