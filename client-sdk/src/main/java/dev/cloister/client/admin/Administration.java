package dev.cloister.client.admin;

import dev.cloister.client.ModelInfo;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What administrators do. Thread-safe. Every method throws a {@link
 * dev.cloister.client.CloisterException} if the profile is no administrator's or the coordinator
 * does not answer.
 */
public interface Administration {
  /**
   * Makes a join token; this is the only time it is told whole.
   *
   * @param role {@code agent}, {@code client} or {@code admin}
   * @param lifetime 1 second to 30 days
   * @param uses 1 to 10,000
   */
  NewJoinToken createJoinToken(String role, Duration lifetime, int uses);

  /** All join tokens, the newest first. */
  List<JoinTokenInfo> joinTokens();

  void revokeJoinToken(String id);

  /**
   * Makes an API key; this is the only time it is told whole.
   *
   * @param name 1 to 63 letters, digits, {@code .}, {@code _} and {@code -}
   */
  NewApiKey createApiKey(String name);

  /**
   * Makes an API key whose requests are seen by some nodes only.
   *
   * @param required labels that a node must have, by name; for good
   */
  NewApiKey createApiKey(String name, Map<String, String> required);

  /**
   * As above, for a caller that is to get more or less than others where callers have to wait.
   *
   * @param weight its share in relation to others', who have 1; 0.01 to 100
   */
  NewApiKey createApiKey(String name, Map<String, String> required, double weight);

  /**
   * Changes a key's weight; requests that wait already keep theirs.
   *
   * @param weight as of {@link #createApiKey(String, Map, double)}
   */
  void weighApiKey(String id, double weight);

  /** All API keys, the newest first. */
  List<ApiKeyInfo> apiKeys();

  void revokeApiKey(String id);

  /**
   * Sets how a model is run, in place of what was set before. Nodes that serve it load it anew, for
   * which answers under way there are broken off.
   *
   * @param model its name in the catalog
   */
  void configureModel(String model, ModelInfo.Options options);

  /**
   * Changes which labels a node must have to have any of a model, and to see requests for it. Other
   * nodes end it at once; what they were answering goes on elsewhere.
   *
   * @param model its name in the catalog
   */
  void requireLabels(String model, LabelChange change);

  /**
   * Sets how long a model stays loaded; how it is run stays as it is.
   *
   * @param model its name in the catalog
   */
  void retainModel(String model, ModelInfo.Retention retention);

  /**
   * How a model would be placed now, with the alternatives; nothing is changed.
   *
   * @param model its name in the catalog
   */
  PlanInfo planModel(String model, PlanQuestion question);

  /**
   * Gives a node nothing new until {@link #resumeNode}, also when it or the coordinator starts
   * anew.
   *
   * @param node its name or id
   * @param deadline after which answers that still run there go on elsewhere, where that is
   *     possible; at most a day
   */
  void drainNode(String node, Duration deadline);

  /**
   * Ends a drain.
   *
   * @param node its name or id
   */
  void resumeNode(String node);

  /**
   * Changes the labels of a node.
   *
   * @param node its name or id
   */
  void labelNode(String node, LabelChange change);

  /**
   * Sends a node that sleeps what wakes it; nothing tells whether it hears it.
   *
   * @param node its name or id
   */
  void wakeNode(String node);

  /** Who says what of when machines work. */
  PolicyInfo policies();

  /**
   * Says when all machines work, as far as nothing else is said of one of them. Those that are
   * there keep to it at once, also when the coordinator starts anew.
   *
   * @param policy what is empty stays as it was
   * @param reset forgets first what was set for all before
   */
  void setPolicy(Courtesy policy, boolean reset);

  /**
   * Says when one machine works; otherwise as {@link #setPolicy(Courtesy, boolean)}.
   *
   * @param node its name or id
   */
  void setPolicy(String node, Courtesy policy, boolean reset);
}
