package dev.cloister.agent.supervisor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.cloister.agent.fingerprint.host.Memory;
import java.io.IOException;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class MemoryBudgetTest {
  private static final long MIB = 1 << 20;

  @Test
  void enginesTakeWhatTheOwnerAllowsAndNoMore() throws Exception {
    MemoryBudget budget = new MemoryBudget(OptionalLong.of(2048 * MIB));
    MemoryBudget.Share first = budget.take(1500 * MIB);
    assertThatThrownBy(() -> budget.take(600 * MIB))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "it needs 600 MiB of memory and this machine's owner allows models 2048 MiB, of which"
                + " 1500 MiB are taken; raise --memory-limit there, or split the model over more"
                + " nodes");
    MemoryBudget.Share second = budget.take(548 * MIB);
    first.close();
    first.close();
    assertThatThrownBy(() -> budget.take(1501 * MIB)).isInstanceOf(IOException.class);
    second.close();
    budget.take(2048 * MIB).close();
  }

  @Test
  void withoutALimitThereIsNone() throws Exception {
    new MemoryBudget(OptionalLong.empty()).take(Long.MAX_VALUE).close();
  }

  @Test
  void aMachineReportsNoMoreThanItsOwnerAllows() {
    assertThat(new Memory(8 * MIB, 3 * MIB).limitedTo(5 * MIB))
        .isEqualTo(new Memory(5 * MIB, 3 * MIB));
    assertThat(new Memory(8 * MIB, 6 * MIB).limitedTo(5 * MIB))
        .isEqualTo(new Memory(5 * MIB, 5 * MIB));
    assertThat(new Memory(0, 0).limitedTo(5 * MIB)).isEqualTo(new Memory(0, 0));
  }
}
