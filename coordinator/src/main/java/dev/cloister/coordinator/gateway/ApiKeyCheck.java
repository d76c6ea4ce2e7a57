package dev.cloister.coordinator.gateway;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.DecoratingHttpServiceFunction;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import dev.cloister.coordinator.gateway.openai.CompletionEndpoint;
import dev.cloister.coordinator.gateway.openai.OpenAiError;
import dev.cloister.coordinator.identity.ApiKey;
import dev.cloister.coordinator.identity.ApiKeys;
import dev.cloister.coordinator.inference.Tenant;
import org.jspecify.annotations.Nullable;

/** Lets nobody in without a good API key, in {@code Authorization: Bearer} or {@code x-api-key}. */
final class ApiKeyCheck implements DecoratingHttpServiceFunction {
  private static final String BEARER = "bearer ";

  private final ApiKeys apiKeys;

  ApiKeyCheck(ApiKeys apiKeys) {
    this.apiKeys = apiKeys;
  }

  @Override
  public HttpResponse serve(
      HttpService delegate, ServiceRequestContext context, HttpRequest request) throws Exception {
    @Nullable String key = key(request);
    if (key == null) {
      return OpenAiError.invalidKey("no API key was given; send it as 'Authorization: Bearer KEY'")
          .response();
    }
    @Nullable ApiKey known = apiKeys.verify(key).orElse(null);
    if (known == null) {
      return OpenAiError.invalidKey(
              "the API key is wrong or was revoked; create one on the coordinator with: cloister"
                  + " key create")
          .response();
    }
    context.setAttr(
        CompletionEndpoint.TENANT, Tenant.ofApiKey(known.id(), known.required(), known.weight()));
    return delegate.serve(context, request);
  }

  private static @Nullable String key(HttpRequest request) {
    @Nullable String authorization = request.headers().get("authorization");
    if (authorization != null && authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      return authorization.substring(BEARER.length()).strip();
    }
    return request.headers().get("x-api-key");
  }
}
