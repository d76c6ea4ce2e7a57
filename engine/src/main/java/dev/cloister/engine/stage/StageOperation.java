package dev.cloister.engine.stage;

/** What is done to sequences and samplers between steps; see {@link Pipeline}. */
public sealed interface StageOperation {
  record Remove(int sequence) implements StageOperation {}

  record Truncate(int sequence, int fromPosition) implements StageOperation {}

  record Copy(int from, int to, int tokens) implements StageOperation {}

  record Defragment() implements StageOperation {}

  record OpenSampler(int sampler, SamplerRequest request) implements StageOperation {}

  record CloseSampler(int sampler) implements StageOperation {}
}
