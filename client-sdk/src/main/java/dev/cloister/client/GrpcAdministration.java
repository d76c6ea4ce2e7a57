package dev.cloister.client;

import dev.cloister.client.admin.Administration;
import dev.cloister.client.admin.ApiKeyInfo;
import dev.cloister.client.admin.Courtesy;
import dev.cloister.client.admin.JoinTokenInfo;
import dev.cloister.client.admin.LabelChange;
import dev.cloister.client.admin.NewApiKey;
import dev.cloister.client.admin.NewJoinToken;
import dev.cloister.client.admin.PlanInfo;
import dev.cloister.client.admin.PlanQuestion;
import dev.cloister.client.admin.PolicyInfo;
import dev.cloister.proto.access.v1.AccessServiceGrpc;
import dev.cloister.proto.access.v1.AccessServiceGrpc.AccessServiceBlockingStub;
import dev.cloister.proto.access.v1.CreateApiKeyRequest;
import dev.cloister.proto.access.v1.CreateApiKeyResponse;
import dev.cloister.proto.access.v1.CreateJoinTokenRequest;
import dev.cloister.proto.access.v1.CreateJoinTokenResponse;
import dev.cloister.proto.access.v1.ListApiKeysRequest;
import dev.cloister.proto.access.v1.ListJoinTokensRequest;
import dev.cloister.proto.access.v1.RevokeApiKeyRequest;
import dev.cloister.proto.access.v1.RevokeJoinTokenRequest;
import dev.cloister.proto.access.v1.WeighApiKeyRequest;
import dev.cloister.proto.catalog.v1.CatalogServiceGrpc;
import dev.cloister.proto.catalog.v1.ConfigureModelRequest;
import dev.cloister.proto.catalog.v1.PlanModelRequest;
import dev.cloister.proto.catalog.v1.PlanModelResponse;
import dev.cloister.proto.fleet.v1.DrainNodeRequest;
import dev.cloister.proto.fleet.v1.FleetServiceGrpc;
import dev.cloister.proto.fleet.v1.LabelNodeRequest;
import dev.cloister.proto.fleet.v1.Labels;
import dev.cloister.proto.fleet.v1.ListPoliciesRequest;
import dev.cloister.proto.fleet.v1.ResumeNodeRequest;
import dev.cloister.proto.fleet.v1.SetPolicyRequest;
import dev.cloister.proto.fleet.v1.WakeNodeRequest;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractStub;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** Administration over gRPC. */
final class GrpcAdministration implements Administration {
  private static final long CALL_TIMEOUT_SECONDS = 15;

  private final Channel channel;

  GrpcAdministration(Channel channel) {
    this.channel = channel;
  }

  @Override
  public NewJoinToken createJoinToken(String role, Duration lifetime, int uses) {
    CreateJoinTokenResponse created =
        call(
            access ->
                access.createJoinToken(
                    CreateJoinTokenRequest.newBuilder()
                        .setRole(role)
                        .setLifetimeMillis(lifetime.toMillis())
                        .setUses(uses)
                        .build()));
    return new NewJoinToken(
        created.getId(), created.getToken(), Instant.ofEpochMilli(created.getExpiresAtMillis()));
  }

  @Override
  public List<JoinTokenInfo> joinTokens() {
    return call(access -> access.listJoinTokens(ListJoinTokensRequest.getDefaultInstance()))
        .getTokensList()
        .stream()
        .map(
            token ->
                new JoinTokenInfo(
                    token.getId(),
                    token.getRole(),
                    Instant.ofEpochMilli(token.getCreatedAtMillis()),
                    Instant.ofEpochMilli(token.getExpiresAtMillis()),
                    token.getUsesLeft(),
                    token.getRevoked()))
        .toList();
  }

  @Override
  public void revokeJoinToken(String id) {
    call(access -> access.revokeJoinToken(RevokeJoinTokenRequest.newBuilder().setId(id).build()));
  }

  @Override
  public NewApiKey createApiKey(String name) {
    return createApiKey(CreateApiKeyRequest.newBuilder().setName(name));
  }

  @Override
  public NewApiKey createApiKey(String name, Map<String, String> required) {
    return createApiKey(
        CreateApiKeyRequest.newBuilder().setName(name).setRequired(labels(required)));
  }

  @Override
  public NewApiKey createApiKey(String name, Map<String, String> required, double weight) {
    return createApiKey(
        CreateApiKeyRequest.newBuilder()
            .setName(name)
            .setRequired(labels(required))
            .setWeight(weight));
  }

  private static Labels labels(Map<String, String> labels) {
    return Labels.newBuilder().putAllValues(labels).build();
  }

  private NewApiKey createApiKey(CreateApiKeyRequest.Builder request) {
    CreateApiKeyResponse created = call(access -> access.createApiKey(request.build()));
    return new NewApiKey(created.getId(), created.getKey());
  }

  @Override
  public List<ApiKeyInfo> apiKeys() {
    return call(access -> access.listApiKeys(ListApiKeysRequest.getDefaultInstance()))
        .getKeysList()
        .stream()
        .map(
            key ->
                new ApiKeyInfo(
                    key.getId(),
                    key.getName(),
                    Instant.ofEpochMilli(key.getCreatedAtMillis()),
                    key.getRevoked(),
                    key.getRequired().getValuesMap(),
                    key.getWeight()))
        .toList();
  }

  @Override
  public void weighApiKey(String id, double weight) {
    call(
        access ->
            access.weighApiKey(
                WeighApiKeyRequest.newBuilder().setId(id).setWeight(weight).build()));
  }

  @Override
  public void revokeApiKey(String id) {
    call(access -> access.revokeApiKey(RevokeApiKeyRequest.newBuilder().setId(id).build()));
  }

  @Override
  public void configureModel(String model, ModelInfo.Options options) {
    call(
        CatalogServiceGrpc.newBlockingStub(channel),
        catalog ->
            catalog.configureModel(
                ConfigureModelRequest.newBuilder()
                    .setModel(model)
                    .setOptions(Wire.toWire(options))
                    .build()));
  }

  @Override
  public void retainModel(String model, ModelInfo.Retention retention) {
    call(
        CatalogServiceGrpc.newBlockingStub(channel),
        catalog ->
            catalog.configureModel(
                ConfigureModelRequest.newBuilder()
                    .setModel(model)
                    .setRetention(WireRetention.toWire(retention))
                    .build()));
  }

  @Override
  public void requireLabels(String model, LabelChange change) {
    call(
        CatalogServiceGrpc.newBlockingStub(channel),
        catalog ->
            catalog.configureModel(
                ConfigureModelRequest.newBuilder()
                    .setModel(model)
                    .setRequired(toWire(change))
                    .build()));
  }

  @Override
  public void labelNode(String node, LabelChange change) {
    call(
        FleetServiceGrpc.newBlockingStub(channel),
        fleet ->
            fleet.labelNode(
                LabelNodeRequest.newBuilder().setNode(node).setChange(toWire(change)).build()));
  }

  @Override
  public void wakeNode(String node) {
    call(
        FleetServiceGrpc.newBlockingStub(channel),
        fleet -> fleet.wakeNode(WakeNodeRequest.newBuilder().setNode(node).build()));
  }

  private static dev.cloister.proto.fleet.v1.LabelChange toWire(LabelChange change) {
    return dev.cloister.proto.fleet.v1.LabelChange.newBuilder()
        .putAllSet(change.set())
        .addAllRemoved(change.removed())
        .build();
  }

  @Override
  public PlanInfo planModel(String model, PlanQuestion question) {
    PlanModelRequest.Builder request = PlanModelRequest.newBuilder().setModel(model);
    question
        .split()
        .ifPresent(
            stages -> request.getSplitBuilder().setStages(stages).setForce(question.force()));
    question.contextTokens().ifPresent(request::setContextTokens);
    question.slots().ifPresent(request::setSlots);
    PlanModelResponse response =
        call(
            CatalogServiceGrpc.newBlockingStub(channel),
            catalog -> catalog.planModel(request.build()));
    return Wire.fromWire(response);
  }

  @Override
  public void drainNode(String node, Duration deadline) {
    call(
        FleetServiceGrpc.newBlockingStub(channel),
        fleet ->
            fleet.drainNode(
                DrainNodeRequest.newBuilder()
                    .setNode(node)
                    .setDeadlineMillis(deadline.toMillis())
                    .build()));
  }

  @Override
  public void resumeNode(String node) {
    call(
        FleetServiceGrpc.newBlockingStub(channel),
        fleet -> fleet.resumeNode(ResumeNodeRequest.newBuilder().setNode(node).build()));
  }

  @Override
  public PolicyInfo policies() {
    return WirePolicy.fromWire(
        call(
            FleetServiceGrpc.newBlockingStub(channel),
            fleet -> fleet.listPolicies(ListPoliciesRequest.getDefaultInstance())));
  }

  @Override
  public void setPolicy(Courtesy policy, boolean reset) {
    setPolicy(SetPolicyRequest.newBuilder(), policy, reset);
  }

  @Override
  public void setPolicy(String node, Courtesy policy, boolean reset) {
    setPolicy(SetPolicyRequest.newBuilder().setNode(node), policy, reset);
  }

  private void setPolicy(SetPolicyRequest.Builder request, Courtesy policy, boolean reset) {
    request.setPolicy(WirePolicy.toWire(policy)).setReset(reset);
    call(FleetServiceGrpc.newBlockingStub(channel), fleet -> fleet.setPolicy(request.build()));
  }

  private <T> T call(Function<AccessServiceBlockingStub, T> method) {
    return call(AccessServiceGrpc.newBlockingStub(channel), method);
  }

  private static <S extends AbstractStub<S>, T> T call(S stub, Function<S, T> method) {
    try {
      return method.apply(stub.withDeadlineAfter(CALL_TIMEOUT_SECONDS, TimeUnit.SECONDS));
    } catch (StatusRuntimeException e) {
      throw Failures.of(e);
    }
  }
}
