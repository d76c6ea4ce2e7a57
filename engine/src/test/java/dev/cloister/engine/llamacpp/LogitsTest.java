package dev.cloister.engine.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.cloister.engine.model.DecodeException;
import dev.cloister.engine.model.TokenProbabilities;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class LogitsTest {

  @Test
  void theFirstOfTheGreatestIsChosen() {
    assertThat(Logits.greatest(new float[] {1, 3, -2, 3})).isEqualTo(1);
    assertThat(Logits.greatest(new float[] {Float.NEGATIVE_INFINITY, -5})).isEqualTo(1);
    assertThat(Logits.greatest(new float[] {Float.NEGATIVE_INFINITY})).isZero();
  }

  @Test
  void whatIsNoNumberIsRefused() {
    assertThatExceptionOfType(DecodeException.class)
        .isThrownBy(() -> Logits.greatest(new float[] {1, Float.NaN, 2}));
  }

  @Test
  void probabilitiesAreASoftmax() {
    float[] logits = {0, (float) Math.log(2), Float.NEGATIVE_INFINITY, (float) Math.log(5)};
    TokenProbabilities probabilities = Logits.probabilities(logits, 0, 3);
    assertThat(Math.exp(probabilities.logprob())).isCloseTo(1 / 8.0, Offset.offset(1e-6));
    assertThat(probabilities.topTokens()).containsExactly(3, 1, 0);
    assertThat(Math.exp(probabilities.topLogprobs()[0])).isCloseTo(5 / 8.0, Offset.offset(1e-6));
    assertThat(Logits.probabilities(logits, 2, 99).topTokens()).hasSize(4);
  }
}
