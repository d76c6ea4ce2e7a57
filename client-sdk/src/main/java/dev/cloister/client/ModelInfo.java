package dev.cloister.client;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A model the cluster serves.
 *
 * @param sha256 of its file
 * @param options how it is run wherever it is served
 * @param required labels that a node must have to have any of it, and to see requests for it
 * @param retention how long it stays loaded
 * @param obstacle why no node will answer for it, in one sentence; empty if nothing speaks against
 *     it
 */
public record ModelInfo(
    String name,
    String sha256,
    long sizeBytes,
    Instant createdAt,
    Options options,
    Map<String, String> required,
    Retention retention,
    List<Replica> replicas,
    String obstacle) {

  public ModelInfo {
    required = Map.copyOf(required);
    replicas = List.copyOf(replicas);
  }

  /**
   * How long a model stays loaded.
   *
   * @param pinned it is loaded before others, and never unloaded
   * @param keepAlive it is loaded when somebody asks for it, and unloaded when nobody did for so
   *     long, at most a year; if neither, it is loaded wherever there is room, and unloaded where
   *     another one that is asked for needs the room
   */
  public record Retention(boolean pinned, Optional<Duration> keepAlive) {
    public static final Retention WHILE_THERE_IS_ROOM = new Retention(false, Optional.empty());
    public static final Retention PINNED = new Retention(true, Optional.empty());

    public Retention {
      if (pinned && keepAlive.isPresent()) {
        throw new IllegalArgumentException(
            "a pinned model is never unloaded (expected: either pinned or a keep-alive time)");
      }
    }

    /** Loaded when somebody asks for it, until nobody did for so long. */
    public static Retention keepAlive(Duration time) {
      return new Retention(false, Optional.of(time));
    }
  }

  /**
   * Why all of a model is on a node, and until when.
   *
   * @param active requests that it is answering
   * @param lastUsed when a request last began or ended there; empty if none did since it came
   * @param until when it is unloaded unless it is used again; empty if it stays, or is in use
   * @param leaving whether it gets nothing new, since another one needs its room
   */
  public record Residence(
      Why why, int active, Optional<Instant> lastUsed, Optional<Instant> until, boolean leaving) {

    /** Why it is there. */
    public enum Why {
      /** There was room for it. */
      CONFIGURED,
      /** An administrator pinned it. */
      PINNED,
      /** A request asked for it. */
      ASKED_FOR,
      /** Requests would have waited longer for others than for this node to load it. */
      COPY
    }
  }

  /**
   * The model on a node.
   *
   * @param state {@code ready}, {@code fetching}, {@code loading}, {@code failed} or {@code
   *     waiting} (until others have left, or the node has told how far it is); with some of the
   *     layers loaded "staged", from which the first stage alone becomes ready
   * @param error one sentence if it failed, else empty
   * @param progress of fetching or loading, 0 to 1
   * @param contextTokens tokens that one request may use; this and what follows is 0, empty or
   *     false unless it is ready
   * @param slots requests answered at the same time
   * @param engine the native library, for example {@code llama.cpp v0.5.0 (CUDA)}
   * @param full whether prefix reuse, grammars, tools, probabilities and embeddings are there
   * @param residentBytes memory that the engine process takes; 0 if it is not known
   * @param stage its layers, where it does not have all of them
   * @param residence why it is there; empty for a stage
   */
  public record Replica(
      String nodeId,
      String nodeName,
      String state,
      String error,
      double progress,
      int contextTokens,
      int slots,
      String engine,
      boolean full,
      long residentBytes,
      Optional<Stage> stage,
      Optional<Residence> residence) {}

  /**
   * Some layers of a model, those from {@code firstLayer} to before {@code endLayer}.
   *
   * @param plan names the pipeline that the stage is a part of
   * @param index counted from 0
   * @param count of the pipeline's stages
   * @param relayedStreams how many of its streams to the next stage went through the coordinator,
   *     where it does not reach that one's node
   * @param relayedBytes that these had
   */
  public record Stage(
      String plan,
      int index,
      int count,
      int firstLayer,
      int endLayer,
      long relayedStreams,
      long relayedBytes) {}

  /**
   * How a model is run. What is empty is left to the node, and after it to the engine. Ranges are
   * checked by the coordinator.
   *
   * @param contextTokens tokens that one request may use
   * @param slots requests answered at the same time, 1 to 64
   * @param threads that compute answers, 1 to 1024; a node may grant fewer
   * @param batchThreads that compute prompts, 1 to 1024; a node may grant fewer
   * @param batchTokens tokens computed at once at most, 32 to 8192
   * @param gpuLayers layers on the GPU, {@link #ALL_LAYERS} or 0 to 10,000; a node may grant fewer
   * @param mainGpu the one GPU to use, from 0
   * @param kvType how numbers in the KV cache are stored
   * @param kvPlace where the KV cache lies
   * @param split over how many nodes its layers are spread, 1 for never, at most 64; empty splits
   *     it only when no single node can hold it
   * @param force whether {@code split} holds for an architecture as well of which it is not proved
   *     that stages compute what the whole model does
   */
  public record Options(
      OptionalInt contextTokens,
      OptionalInt slots,
      OptionalInt threads,
      OptionalInt batchThreads,
      OptionalInt batchTokens,
      OptionalInt gpuLayers,
      OptionalInt mainGpu,
      Optional<KvType> kvType,
      Optional<KvPlace> kvPlace,
      Optional<FlashAttention> flashAttention,
      OptionalInt split,
      boolean force) {

    /** All layers on the GPU. */
    public static final int ALL_LAYERS = -1;

    /** Nothing said. */
    public static final Options NONE =
        new Options(
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            false);

    /** The same, with its layers spread over so many nodes. */
    public Options withSplit(int nodes) {
      return new Options(
          contextTokens,
          slots,
          threads,
          batchThreads,
          batchTokens,
          gpuLayers,
          mainGpu,
          kvType,
          kvPlace,
          flashAttention,
          OptionalInt.of(nodes),
          force);
    }

    /** Of a number in the KV cache. */
    public enum KvType {
      F16,
      Q8_0
    }

    /** Where the KV cache lies. */
    public enum KvPlace {
      /** With the layers that are on a GPU. */
      GPU,
      /** In main memory. */
      HOST
    }

    /** Attention without writing its matrix to memory. */
    public enum FlashAttention {
      AUTO,
      ON,
      OFF
    }
  }

  /** Whether some node can answer now. */
  public boolean isReady() {
    return replicas.stream().anyMatch(replica -> replica.state().equals("ready"));
  }
}
