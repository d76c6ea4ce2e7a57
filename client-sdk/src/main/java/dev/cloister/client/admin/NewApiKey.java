package dev.cloister.client.admin;

/** An API key just made. Its string form hides the key. */
public record NewApiKey(String id, String key) {
  @Override
  public String toString() {
    return "NewApiKey[" + id + "]";
  }
}
