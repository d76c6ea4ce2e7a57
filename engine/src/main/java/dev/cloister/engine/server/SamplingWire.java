package dev.cloister.engine.server;

import dev.cloister.engine.generation.Sampling;
import java.util.Map;
import java.util.TreeMap;

/** How tokens are chosen, in the contract and in the domain. */
final class SamplingWire {

  private SamplingWire() {}

  /** Absent fields are left to the defaults. Throws IllegalArgumentException in one sentence. */
  static Sampling fromWire(dev.cloister.proto.inference.v1.Sampling s) {
    Sampling.Builder sampling = new Sampling.Builder();
    if (s.hasTemperature()) {
      sampling.temperature(s.getTemperature());
    }
    if (s.hasTopP()) {
      sampling.topP(s.getTopP());
    }
    if (s.hasTopK()) {
      sampling.topK(clamped(s.getTopK()));
    }
    if (s.hasMinP()) {
      sampling.minP(s.getMinP());
    }
    if (s.hasTypicalP()) {
      sampling.typicalP(s.getTypicalP());
    }
    if (s.hasSeed()) {
      sampling.seed(s.getSeed());
    }
    if (s.hasRepeatPenalty()) {
      sampling.repeatPenalty(s.getRepeatPenalty());
    }
    if (s.hasRepeatLastN()) {
      sampling.penaltyTokens(clamped(s.getRepeatLastN()));
    }
    if (s.hasFrequencyPenalty()) {
      sampling.frequencyPenalty(s.getFrequencyPenalty());
    }
    if (s.hasPresencePenalty()) {
      sampling.presencePenalty(s.getPresencePenalty());
    }
    Map<Integer, Float> bias = new TreeMap<>();
    s.getLogitBiasList().forEach(each -> bias.put(clamped(each.getToken()), each.getBias()));
    return sampling.logitBias(bias).build();
  }

  /** With every field, as the defaults of two versions may differ. */
  static dev.cloister.proto.inference.v1.Sampling toWire(Sampling s) {
    var wire =
        dev.cloister.proto.inference.v1.Sampling.newBuilder()
            .setTemperature((float) s.temperature())
            .setTopK(s.topK())
            .setTopP((float) s.topP())
            .setMinP((float) s.minP())
            .setTypicalP((float) s.typicalP())
            .setRepeatPenalty((float) s.repeatPenalty())
            .setFrequencyPenalty((float) s.frequencyPenalty())
            .setPresencePenalty((float) s.presencePenalty())
            .setRepeatLastN(s.penaltyTokens());
    s.logitBias()
        .forEach((token, bias) -> wire.addLogitBiasBuilder().setToken(token).setBias(bias));
    s.seed().ifPresent(wire::setSeed);
    return wire.build();
  }

  /** Numbers of the contract are unsigned; what exceeds an int is more than any model has. */
  static int clamped(int unsigned) {
    return unsigned < 0 ? Integer.MAX_VALUE : unsigned;
  }
}
