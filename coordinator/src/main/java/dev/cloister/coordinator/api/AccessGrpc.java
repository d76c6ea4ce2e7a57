package dev.cloister.coordinator.api;

import dev.cloister.coordinator.api.wire.WireLabels;
import dev.cloister.coordinator.identity.Admission;
import dev.cloister.coordinator.identity.ApiKeys;
import dev.cloister.coordinator.inference.Tenant;
import dev.cloister.identity.InvalidIdentityException;
import dev.cloister.identity.Role;
import dev.cloister.proto.access.v1.AccessServiceGrpc.AccessServiceImplBase;
import dev.cloister.proto.access.v1.ApiKey;
import dev.cloister.proto.access.v1.CreateApiKeyRequest;
import dev.cloister.proto.access.v1.CreateApiKeyResponse;
import dev.cloister.proto.access.v1.CreateJoinTokenRequest;
import dev.cloister.proto.access.v1.CreateJoinTokenResponse;
import dev.cloister.proto.access.v1.JoinToken;
import dev.cloister.proto.access.v1.ListApiKeysRequest;
import dev.cloister.proto.access.v1.ListApiKeysResponse;
import dev.cloister.proto.access.v1.ListJoinTokensRequest;
import dev.cloister.proto.access.v1.ListJoinTokensResponse;
import dev.cloister.proto.access.v1.RevokeApiKeyRequest;
import dev.cloister.proto.access.v1.RevokeApiKeyResponse;
import dev.cloister.proto.access.v1.RevokeJoinTokenRequest;
import dev.cloister.proto.access.v1.RevokeJoinTokenResponse;
import dev.cloister.proto.access.v1.WeighApiKeyRequest;
import dev.cloister.proto.access.v1.WeighApiKeyResponse;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.function.Supplier;

/** Join tokens and API keys, for administrators. */
final class AccessGrpc extends AccessServiceImplBase {
  private final Admission admission;
  private final ApiKeys apiKeys;
  private final Supplier<String> advertisedAddress;

  /**
   * @param advertisedAddress what goes into join tokens
   */
  AccessGrpc(Admission admission, ApiKeys apiKeys, Supplier<String> advertisedAddress) {
    this.admission = admission;
    this.apiKeys = apiKeys;
    this.advertisedAddress = advertisedAddress;
  }

  @Override
  public void createJoinToken(
      CreateJoinTokenRequest request, StreamObserver<CreateJoinTokenResponse> reply) {
    Admission.NewToken created;
    try {
      created =
          admission.createToken(
              Role.parse(request.getRole()),
              Duration.ofMillis(request.getLifetimeMillis()),
              request.getUses(),
              advertisedAddress.get());
    } catch (IllegalArgumentException | InvalidIdentityException e) {
      throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
    }
    reply.onNext(
        CreateJoinTokenResponse.newBuilder()
            .setId(created.token().id())
            .setToken(created.token().encode())
            .setExpiresAtMillis(created.expiresAt().toEpochMilli())
            .build());
    reply.onCompleted();
  }

  @Override
  public void listJoinTokens(
      ListJoinTokensRequest request, StreamObserver<ListJoinTokensResponse> reply) {
    ListJoinTokensResponse.Builder response = ListJoinTokensResponse.newBuilder();
    admission
        .tokens()
        .forEach(
            token ->
                response.addTokens(
                    JoinToken.newBuilder()
                        .setId(token.id())
                        .setRole(token.role().segment())
                        .setCreatedAtMillis(token.createdAt().toEpochMilli())
                        .setExpiresAtMillis(token.expiresAt().toEpochMilli())
                        .setUsesLeft(token.usesLeft())
                        .setRevoked(token.revoked())));
    reply.onNext(response.build());
    reply.onCompleted();
  }

  @Override
  public void revokeJoinToken(
      RevokeJoinTokenRequest request, StreamObserver<RevokeJoinTokenResponse> reply) {
    if (!admission.revokeToken(request.getId())) {
      throw notFound("join token", request.getId(), "cloister token list");
    }
    reply.onNext(RevokeJoinTokenResponse.getDefaultInstance());
    reply.onCompleted();
  }

  @Override
  public void createApiKey(
      CreateApiKeyRequest request, StreamObserver<CreateApiKeyResponse> reply) {
    ApiKeys.NewKey created;
    try {
      created =
          apiKeys.create(
              request.getName(),
              WireLabels.fromWire(request.getRequired()),
              request.hasWeight() ? request.getWeight() : Tenant.WEIGHT);
    } catch (ApiKeys.NameTakenException e) {
      throw Status.ALREADY_EXISTS.withDescription(e.getMessage()).asRuntimeException();
    } catch (IllegalArgumentException e) {
      throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
    }
    reply.onNext(
        CreateApiKeyResponse.newBuilder().setId(created.id()).setKey(created.key()).build());
    reply.onCompleted();
  }

  @Override
  public void listApiKeys(ListApiKeysRequest request, StreamObserver<ListApiKeysResponse> reply) {
    ListApiKeysResponse.Builder response = ListApiKeysResponse.newBuilder();
    apiKeys
        .all()
        .forEach(
            key ->
                response.addKeys(
                    ApiKey.newBuilder()
                        .setId(key.id())
                        .setName(key.name())
                        .setCreatedAtMillis(key.createdAt().toEpochMilli())
                        .setRevoked(key.revoked())
                        .setRequired(WireLabels.toWire(key.required()))
                        .setWeight(key.weight())));
    reply.onNext(response.build());
    reply.onCompleted();
  }

  @Override
  public void weighApiKey(WeighApiKeyRequest request, StreamObserver<WeighApiKeyResponse> reply) {
    boolean found;
    try {
      found = apiKeys.weigh(request.getId(), request.getWeight());
    } catch (IllegalArgumentException e) {
      throw Status.INVALID_ARGUMENT.withDescription(e.getMessage()).asRuntimeException();
    }
    if (!found) {
      throw notFound("API key", request.getId(), "cloister key list");
    }
    reply.onNext(WeighApiKeyResponse.getDefaultInstance());
    reply.onCompleted();
  }

  @Override
  public void revokeApiKey(
      RevokeApiKeyRequest request, StreamObserver<RevokeApiKeyResponse> reply) {
    if (!apiKeys.revoke(request.getId())) {
      throw notFound("API key", request.getId(), "cloister key list");
    }
    reply.onNext(RevokeApiKeyResponse.getDefaultInstance());
    reply.onCompleted();
  }

  private static RuntimeException notFound(String what, String id, String command) {
    return Status.NOT_FOUND
        .withDescription("there is no " + what + " '" + id + "'; see: " + command)
        .asRuntimeException();
  }
}
